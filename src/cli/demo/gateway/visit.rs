//! The facts of a visitor's request, each read once and kept apart: method, host, target, headers.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Method, Request, header};
use hyper::body::Incoming;

/// One request as it reached the gateway.
pub(super) struct Visit {
    pub(super) peer: IpAddr,
    pub(super) method: Method,
    /// Host and port as the visitor wrote them, in lower case.
    pub(super) authority: HeaderValue,
    host: String,
    /// Path and query; begins with a slash.
    pub(super) target: HeaderValue,
    pub(super) headers: HeaderMap,
}

impl Visit {
    /// Takes a request apart; none if it does not name exactly one host.
    pub(super) fn read(peer: IpAddr, request: Request<Incoming>) -> Option<(Self, Incoming)> {
        let (mut parts, body) = request.into_parts();
        join_cookies(&mut parts.headers);
        // HTTP/2 and the absolute form of HTTP/1.1 name the host in the target, which then counts.
        // Source: RFC 9112 §3.2.2, RFC 9113 §8.3.1.
        let authority = match parts.uri.authority() {
            Some(authority) => authority.as_str().to_ascii_lowercase(),
            None => only(&parts.headers, header::HOST)?
                .to_str()
                .ok()?
                .to_ascii_lowercase(),
        };
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &authority,
        };
        let visit = Self {
            peer,
            method: parts.method,
            host: host.to_owned(),
            authority: HeaderValue::try_from(&authority).ok()?,
            target: HeaderValue::try_from(parts.uri.path_and_query()?.as_str()).ok()?,
            headers: parts.headers,
        };
        Some((visit, body))
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// HTTP/2 lets a browser send its cookies in several fields; HTTP/1.1 knows only one.
/// Source: RFC 9113 §8.2.3.
fn join_cookies(headers: &mut HeaderMap) {
    let fields: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if fields.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&fields.join(b"; ".as_slice()))
    {
        headers.insert(header::COOKIE, joined);
    }
}
