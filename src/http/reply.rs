//! The forms of replies, and the headers that every one of them carries.

use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use quorate_core::Timestamp;
use serde::Serialize;

/// Features that no page of ours uses, so none may.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), \
     gyroscope=(), keyboard-map=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     screen-wake-lock=(), sync-xhr=(), xr-spatial-tracking=(), interest-cohort=()";

/// What browsers are told with every reply, refusals included.
const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    ),
    (
        header::X_DNS_PREFETCH_CONTROL,
        HeaderValue::from_static("off"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(PERMISSIONS),
    ),
];

/// Two years, the least that the preload lists of browsers take.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Adds what every reply carries, without overwriting what the reply says itself.
pub(super) fn secure(headers: &mut HeaderMap, over_tls: bool) {
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if over_tls {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HSTS);
    }
}

/// `STATUS REASON` as plain text: the answer to those who are not people.
pub(super) fn plain(status: StatusCode) -> Response {
    let text = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Unknown")
    );
    typed(status, "text/plain; charset=utf-8", text)
}

/// 503 with the time after which to try again, in seconds.
pub(super) fn unavailable(retry_after_s: u64) -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    response
}

/// A body of the given type.
pub(super) fn typed(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A reply of the JSON API: `{"status":"OK"}` with or without `data`.
pub(super) fn ok<T: Serialize>(data: Option<T>) -> Response {
    #[derive(Serialize)]
    struct Ok<T> {
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<T>,
    }
    json(StatusCode::OK, &Ok { status: "OK", data })
}

/// A failure of the JSON API: `{"status":"KO","message":…}`.
pub(super) fn ko(status: StatusCode, message: &'static str) -> Response {
    #[derive(Serialize)]
    struct Ko {
        status: &'static str,
        message: &'static str,
    }
    json(
        status,
        &Ko {
            status: "KO",
            message,
        },
    )
}

/// 429, and when to try again.
pub(super) fn too_many(again_at: Timestamp) -> Response {
    let mut response = ko(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    retry_at(response.headers_mut(), again_at);
    response
}

/// Tells when to try again, to the second after it.
pub(super) fn retry_at(headers: &mut HeaderMap, again_at: Timestamp) {
    let whole_seconds = Duration::from_secs(again_at.0.div_ceil(1000));
    let text = httpdate::fmt_http_date(UNIX_EPOCH + whole_seconds);
    if let Ok(text) = HeaderValue::from_str(&text) {
        headers.insert(header::RETRY_AFTER, text);
    }
}

/// Any JSON document, with the headers of the JSON API.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let Ok(text) = serde_json::to_vec(value) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = typed(status, "application/json; charset=utf-8", text);
    let headers = response.headers_mut();
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    response
}

/// 303 to `location`: what follows a form. What a header cannot hold raw is percent-encoded.
pub(super) fn see_other(location: &str) -> Response {
    let location = utf8_percent_encode(location, CONTROLS).to_string();
    let Ok(location) = HeaderValue::from_str(&location) else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    response
}
