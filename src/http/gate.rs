//! What every request passes first, and what is answered where no route is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode, Version, header};
use percent_encoding::percent_decode_str;

use super::listen::Peer;
use super::{pages, reply};
use crate::app::App;

/// 400 and the end of the connection, for a request that is not [sound](is_sound).
pub(super) fn unsound() -> Response {
    let mut refusal = reply::plain(StatusCode::BAD_REQUEST);
    refusal
        .headers_mut()
        .insert(header::CONNECTION, http::HeaderValue::from_static("close"));
    refusal
}

/// Whether a request may check a password; then it has to be answered [to the end](to_the_end).
pub(super) fn may_guess(parts: &http::request::Parts) -> bool {
    parts.method == Method::POST
        || parts.headers.contains_key(header::AUTHORIZATION)
        || parts.headers.contains_key(header::PROXY_AUTHORIZATION)
}

/// Runs what may check a password in a task of its own, which goes on when the client hangs up. A guess that was
/// reserved and never resolved counts as wrong: impatient people and proxies would lock accounts with the right
/// password.
pub(super) async fn to_the_end(
    answer: impl Future<Output = Response> + Send + 'static,
) -> Response {
    match tokio::spawn(answer).await {
        Ok(response) => response,
        Err(_) => reply::plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The most bytes of a body that anybody may announce; what is beyond is a mistake or an attack, not a large form.
const ANNOUNCED_MAX: u64 = 4 << 20;

/// One host, readable; one way to tell the body's length (RFC 9112 §3.2, §6.3), and no absurd one.
pub(super) fn is_sound(parts: &http::request::Parts) -> bool {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host_ok = match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host.as_bytes()),
        (None, None) => parts.version == Version::HTTP_2 && parts.uri.authority().is_some(),
        _ => false,
    };
    let is_chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    let length_ok = match (lengths.next(), lengths.next()) {
        (None, None) => true,
        (Some(length), None) => !is_chunked && is_length(length.as_bytes()),
        _ => false,
    };
    host_ok && length_ok
}

fn is_length(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .is_some_and(|length: u64| length <= ANNOUNCED_MAX)
}

/// Whether a `Host` can be one: a name or an address, with or without a port. Which one is nobody's business here:
/// probes come in by address.
fn is_host(host: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    !host.is_empty() && host.iter().all(allowed)
}

/// What no route answers: the page for people, 404 where only programs look, 405 for other methods.
pub(super) async fn fallback(state: State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path();
    let below = path
        .strip_prefix(&state.config.server.base_path)
        .filter(|below| below.starts_with('/'));
    if is_for_programs(path) || below.is_some_and(is_for_programs) {
        return reply::plain(StatusCode::NOT_FOUND);
    }
    match *request.method() {
        Method::GET | Method::HEAD => pages::page(state, request).await,
        Method::OPTIONS => allow("GET, HEAD, OPTIONS", StatusCode::OK),
        _ => allow("GET, HEAD, OPTIONS", StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// Paths that hold files or endpoints, never a page; compared without case. A path that could be read as one of them
/// (encoded letters, doubled slashes, dot segments) is one of them.
fn is_for_programs(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut segments = decoded.split('/').skip(1);
    let first = segments.next().unwrap_or_default();
    let is_program_folder = ["api", "static", "locales", ".well-known"]
        .iter()
        .any(|name| first.eq_ignore_ascii_case(name));
    first.is_empty() && decoded.len() > 1 || is_program_folder && segments.next().is_some()
}

/// 405, or 200 for `OPTIONS`, with the methods there are.
pub(super) fn allow(methods: &'static str, status: StatusCode) -> Response {
    let mut response = if status == StatusCode::OK {
        Response::default()
    } else {
        reply::plain(status)
    };
    response
        .headers_mut()
        .insert(header::ALLOW, http::HeaderValue::from_static(methods));
    response
}

/// The same URL without its last slash, absolute: 301 where a reader asks, 308 where something is sent.
pub(super) fn without_slash(parts: &http::request::Parts, peer: Peer) -> Response {
    let status = match parts.method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    let scheme = if peer.over_tls { "https" } else { "http" };
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let path = parts.uri.path().trim_end_matches('/');
    let mut response = Response::default();
    *response.status_mut() = status;
    if let Ok(location) = format!("{scheme}://{host}{path}").parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
