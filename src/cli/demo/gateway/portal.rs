//! Passes requests for the portal to a live node.
//!
//! A request that only reads is tried on every node. One that may have changed something is tried
//! again only where the node could not be reached: a login that was sent twice would count twice.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};

use super::visit::Visit;
use super::{Answer, Gateway, header as headers, page};
use crate::cli::demo::upstream::SendError;

/// The largest body that is passed on, in bytes; forms are far smaller.
const BODY_MAX: usize = 64 << 10;

/// How long one node may take to answer a request that only reads.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// How long a node may take otherwise: a login hashes a password and may wait for an election.
const CHANGE_WITHIN: Duration = Duration::from_secs(10);

/// How long the visitor may take to send the body.
const BODY_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn pass(gateway: &Gateway, visit: &Visit, body: Incoming) -> Answer {
    let body = match tokio::time::timeout(BODY_WITHIN, Limited::new(body, BODY_MAX).collect()).await
    {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return page::plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        Err(_) => return page::plain(StatusCode::REQUEST_TIMEOUT, "The body did not arrive."),
    };
    let within = if visit.method.is_safe() {
        READ_WITHIN
    } else {
        CHANGE_WITHIN
    };
    let mut last = None;
    for (node, port) in gateway.candidates() {
        let Some(request) = request(visit, body.clone()) else {
            return page::plain(StatusCode::BAD_REQUEST, "The request cannot be passed on.");
        };
        match gateway.upstream.send(port, request, within).await {
            Ok(answer) => {
                let is_final = !visit.method.is_safe() || answer.status().as_u16() < 500;
                last = Some(passed_on(answer, node));
                if is_final {
                    break;
                }
            }
            Err(SendError::Unanswered(_)) if !visit.method.is_safe() => return unknown(),
            Err(SendError::Unanswered(_) | SendError::Unreachable(_)) => {}
        }
    }
    last.unwrap_or_else(|| page::undecided(gateway.port))
}

fn request(visit: &Visit, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = visit.method.clone();
    *request.uri_mut() = visit.target.to_str().ok()?.parse().ok()?;
    *request.headers_mut() = headers::to_portal(visit);
    Some(request)
}

fn passed_on(answer: Response<Bytes>, node: &'static str) -> Answer {
    let (head, body) = answer.into_parts();
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = head.status;
    *answer.headers_mut() = headers::to_visitor(&head.headers, node);
    answer
}

fn unknown() -> Answer {
    let text = "The node was lost while it worked on this request, which may or may not have been \
                carried out. Look again, and repeat it if not.";
    page::plain(StatusCode::BAD_GATEWAY, text)
}
