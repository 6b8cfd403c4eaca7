//! Envoy's external authorization over gRPC: `envoy.service.auth.v3.Authorization/Check`, and gRPC's own health check.
//!
//! gRPC here is one message in a POST over HTTP/2 and one back, with the outcome in trailers; the listener's HTTP/2 is
//! the main one's. A check is judged as a request of the ext-authz dialect, by the same code.
//!
//! Source: "gRPC over HTTP2", "GRPC Health Checking Protocol", Envoy's `external_auth.proto`.

pub(super) mod check;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use ipnet::IpNet;

use super::authz::client::{UNKNOWN, is_trusted};
use super::endpoint::{self, Endpoint};
use super::listen::{Answer, Peer};
use super::{gate, reply, verify};
use crate::app::App;
use check::CheckRequest;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SERVICE: &str = "envoy.service.auth.v3.Authorization";

/// The largest message: twice the headers that Envoy takes by default, 60 KiB.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// Flag and length stand before a message.
const PREFIX_BYTES: usize = 5;
/// How long a message may take to arrive.
const MESSAGE_MAX: Duration = Duration::from_secs(10);
/// The largest body of a refusal: a page of one line.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A call that has no message for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failure {
    code: &'static str,
    message: &'static str,
}

const fn failure(code: &'static str, message: &'static str) -> Failure {
    Failure { code, message }
}

// The numbers are gRPC's status codes. A proxy retries UNAVAILABLE (14) on another node.
const INVALID: Failure = failure("3", "the message cannot be read");
const TIMED_OUT: Failure = failure("4", "the message did not arrive in time");
const UNKNOWN_SERVICE: Failure = failure("5", "there is no such service");
const STRANGER: Failure = failure("7", "this address is not in server.trusted_proxies");
const TOO_LARGE: Failure = failure("8", "the message is larger than 128 KiB");
const UNIMPLEMENTED: Failure = failure("12", "there is no such method, or no such encoding");
const INTERNAL: Failure = failure("13", "the answer could not be made");
const UNAVAILABLE: Failure = failure("14", "this node cannot decide now");

/// The service of the gRPC listener, and the judge of the SPOP one; clones are the same one.
#[derive(Clone)]
pub struct Authorization(Arc<Parts>);

struct Parts {
    app: Arc<App>,
    endpoint: Arc<Endpoint>,
}

impl Authorization {
    /// Answers checks as the configured ext-authz endpoint does, or one with the default strategies.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let endpoint = Arc::new(endpoint::ext_authz(&app.config));
        Self(Arc::new(Parts { app, endpoint }))
    }

    async fn check(
        &self,
        body: Incoming,
        headers: &HeaderMap,
        peer: Peer,
    ) -> Result<Vec<u8>, Failure> {
        let app = &self.0.app;
        if !is_trusted(peer.address, &app.config.server.trusted_proxies) {
            app.metrics.refused_peer();
            tracing::debug!(peer = %peer.address, "a check came from outside server.trusted_proxies");
            return Err(STRANGER);
        }
        let message = message(body, headers).await?;
        let request = CheckRequest::read(&message).map_err(|_| INVALID)?;
        let mut response = self.respond(request, peer).await;
        match response.status() {
            StatusCode::OK => Ok(check::allowed(response.headers())),
            StatusCode::SERVICE_UNAVAILABLE => Err(UNAVAILABLE),
            StatusCode::INTERNAL_SERVER_ERROR => Err(INTERNAL),
            status => {
                reply::secure(response.headers_mut(), peer.over_tls);
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, REFUSAL_BYTES_MAX).collect().await;
                let body = body.map_err(|_| INTERNAL)?.to_bytes();
                Ok(check::denied(status, &parts.headers, &body))
            }
        }
    }

    /// Who may ask.
    pub(super) fn trusted(&self) -> &[IpNet] {
        &self.0.app.config.server.trusted_proxies
    }

    /// Whether this node can decide now.
    pub(super) fn is_ready(&self) -> bool {
        self.0.app.is_ready()
    }

    /// What the ext-authz endpoint answers to the request of a trusted `peer`.
    pub(super) async fn respond(&self, request: CheckRequest<'_>, peer: Peer) -> Response {
        let Parts { app, endpoint } = &*self.0;
        let source = request.source.unwrap_or(UNKNOWN);
        let Ok(parts) = request.into_parts(&endpoint.path) else {
            tracing::debug!("a check was refused: what it asks for is not an HTTP request");
            return reply::plain(StatusCode::BAD_REQUEST);
        };
        if !gate::is_sound(&parts) {
            return gate::unsound();
        }
        if !gate::may_guess(&parts) {
            return verify::verify(app, endpoint, parts, peer, source).await;
        }
        let service = self.clone();
        gate::to_the_end(async move {
            let Parts { app, endpoint } = &*service.0;
            verify::verify(app, endpoint, parts, peer, source).await
        })
        .await
    }

    async fn health(&self, body: Incoming, headers: &HeaderMap) -> Result<Vec<u8>, Failure> {
        let message = message(body, headers).await?;
        match check::health_service(&message).map_err(|_| INVALID)? {
            "" | SERVICE => Ok(check::health(self.0.app.is_ready())),
            _ => Err(UNKNOWN_SERVICE),
        }
    }
}

impl Answer for Authorization {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response {
        let (parts, body) = request.into_parts();
        if !is_call(&parts) {
            let mut refusal = reply::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            reply::secure(refusal.headers_mut(), peer.over_tls);
            return refusal;
        }
        let outcome = match parts.uri.path() {
            CHECK => self.check(body, &parts.headers, peer).await,
            HEALTH => self.health(body, &parts.headers).await,
            _ => Err(UNIMPLEMENTED),
        };
        framed(outcome)
    }
}

/// Whether a request is a gRPC call at all; others get an HTTP status.
fn is_call(parts: &http::request::Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.map_or(&b""[..], HeaderValue::as_bytes);
    let is_grpc = kind
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
    parts.version == http::Version::HTTP_2 && parts.method == http::Method::POST && is_grpc
}

/// The one message of a call, uncompressed.
async fn message(body: Incoming, headers: &HeaderMap) -> Result<Bytes, Failure> {
    let encoding = headers.get("grpc-encoding");
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(UNIMPLEMENTED);
    }
    let body = Limited::new(body, PREFIX_BYTES + MESSAGE_BYTES_MAX);
    let all = match tokio::time::timeout(MESSAGE_MAX, body.collect()).await {
        Err(_) => return Err(TIMED_OUT),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(TOO_LARGE),
        Ok(Err(_)) => return Err(INVALID),
        Ok(Ok(all)) => all.to_bytes(),
    };
    match all.first_chunk::<PREFIX_BYTES>() {
        Some([0, length @ ..]) => {
            let message = all.slice(PREFIX_BYTES..);
            let is_whole = u32::try_from(message.len()) == Ok(u32::from_be_bytes(*length));
            is_whole.then_some(message).ok_or(INVALID)
        }
        Some(_) => Err(UNIMPLEMENTED),
        None => Err(INVALID),
    }
}

/// The HTTP response that carries the outcome of a call.
fn framed(outcome: Result<Vec<u8>, Failure>) -> Response {
    let message = match outcome {
        Ok(message) => message,
        Err(failure) => {
            // Nothing but trailers: they are the headers then.
            let mut response = Response::new(Body::empty());
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, GRPC);
            headers.insert(GRPC_STATUS, HeaderValue::from_static(failure.code));
            headers.insert(GRPC_MESSAGE, HeaderValue::from_static(failure.message));
            return response;
        }
    };
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(PREFIX_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(frame)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    response
}
