//! The session cookie, read and written. Source: RFC 6265 §4.1, §5.4.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{self, HeaderMap, HeaderValue};
use quorate_core::Timestamp;

use crate::config::{CookieDomain, SameSite};

/// All values of the cookie `name`, in order, from all `Cookie` fields: over HTTP/2 each cookie may come in a field of
/// its own. Names are compared with case. Values that are not text are left out.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok());
    let pairs = fields
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(move |(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// The field that gives a browser the session cookie, for `lifetime` from `now` on.
pub(super) fn set(
    domain: &CookieDomain,
    token: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Option<HeaderValue> {
    field(domain, token, at(now) + lifetime)
}

/// The field that takes the session cookie from a browser: the same attributes, an instant that has passed.
pub(super) fn delete(domain: &CookieDomain) -> Option<HeaderValue> {
    field(domain, "", UNIX_EPOCH)
}

fn at(now: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(now.0)
}

fn field(domain: &CookieDomain, value: &str, expires: SystemTime) -> Option<HeaderValue> {
    let same_site = match domain.same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
        SameSite::None => "None",
    };
    let (name, host, expires) = (
        &domain.name,
        &domain.domain,
        httpdate::fmt_http_date(expires),
    );
    let text = format!(
        "{name}={value}; expires={expires}; domain={host}; path=/; HttpOnly; secure; SameSite={same_site}"
    );
    HeaderValue::from_str(&text).ok()
}
