//! Whether a request that changes something comes from our own pages. Source: OWASP CSRF prevention, "verifying
//! origin"; RFC 6454 §7; Fetch Metadata.
//!
//! Browsers name the origin of every POST and scripts cannot change it. Programs name none, and carry no cookies of
//! a victim either.

use http::{HeaderMap, header};

/// Who sent a state-changing request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A page of the portal itself.
    Portal,
    /// A program: nothing says that a browser sent it.
    Program,
    /// A page that is not ours.
    Foreign,
}

/// Judges by `Origin`, which must be `portal`, or by `Sec-Fetch-Site` where there is none. The origin `null` is foreign.
pub(super) fn sender(headers: &HeaderMap, portal: &str) -> Sender {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let same = origin.as_bytes().eq_ignore_ascii_case(portal.as_bytes());
        return if same {
            Sender::Portal
        } else {
            Sender::Foreign
        };
    }
    match headers
        .get("sec-fetch-site")
        .map(http::HeaderValue::as_bytes)
    {
        Some(b"same-origin" | b"none") => Sender::Portal,
        Some(_) => Sender::Foreign,
        None => Sender::Program,
    }
}
