//! Asks a live node whether a visitor may pass. Only a 200 lets anybody in; a node that fails, or
//! says that it cannot decide, is passed over for the next; if none can decide, nobody gets in.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

use super::visit::Visit;
use super::{Answer, Gateway, header as headers};

/// How long one node may take. With three nodes a visitor waits 6 s at most.
const ANSWER_WITHIN: Duration = Duration::from_millis(1500);

/// What the visitor says that a node needs for its decision.
const TOLD: [header::HeaderName; 5] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::COOKIE,
    header::USER_AGENT,
    header::HeaderName::from_static("x-requested-with"),
];

/// What the nodes say.
pub(super) enum Verdict {
    Allowed(Allowed),
    /// Redirect to the portal, or a refusal, as the node worded it.
    Refused(Answer),
    /// No node can decide at the moment.
    Undecided,
}

/// Somebody may pass.
pub(super) struct Allowed {
    /// The `Remote-*` headers, which a proxy hands to the application.
    pub(super) remote: HeaderMap,
    /// Cookies for the browser.
    pub(super) cookies: Vec<header::HeaderValue>,
    pub(super) node: &'static str,
    pub(super) took: Duration,
}

/// Asks one node after the other until one decides.
pub(super) async fn ask(gateway: &Gateway, visit: &Visit) -> Verdict {
    for (node, port) in gateway.candidates() {
        let asked_at = Instant::now();
        let Ok(request) = question(visit) else {
            return Verdict::Undecided;
        };
        let answer = gateway.upstream.send(port, request, ANSWER_WITHIN).await;
        match answer {
            Ok(answer) if answer.status() == StatusCode::OK => {
                return Verdict::Allowed(allowed(&answer, node, asked_at.elapsed()));
            }
            // Anything between is a decision: 302, 303, 400, 401, 403.
            Ok(answer) if (300..500).contains(&answer.status().as_u16()) => {
                return Verdict::Refused(refusal(answer, node));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Verdict::Undecided
}

/// Built from nothing, so that no header of the visitor reaches the node but those in [`TOLD`].
fn question(visit: &Visit) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(Method::GET)
        .uri("/api/authz/forward-auth")
        .header(header::HOST, super::Site::Portal.host())
        .body(Full::default())?;
    for name in TOLD {
        for value in visit.headers.get_all(&name) {
            request.headers_mut().append(&name, value.clone());
        }
    }
    headers::tell_visit(request.headers_mut(), visit);
    Ok(request)
}

fn allowed(answer: &Response<Bytes>, node: &'static str, took: Duration) -> Allowed {
    let given = |name| Some((name, answer.headers().get(name)?.clone()));
    let remote = headers::REMOTE.iter().filter_map(given);
    Allowed {
        remote: remote.map(|(name, value)| (name.clone(), value)).collect(),
        cookies: answer
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .cloned()
            .collect(),
        node,
        took,
    }
}

fn refusal(answer: Response<Bytes>, node: &'static str) -> Answer {
    let (head, body) = answer.into_parts();
    let mut refusal = Response::new(Full::new(body));
    *refusal.status_mut() = head.status;
    *refusal.headers_mut() = headers::to_visitor(&head.headers, node);
    refusal
}
