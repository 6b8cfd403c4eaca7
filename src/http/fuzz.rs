//! Doors for the fuzz targets, which see this crate from outside. Only in builds of `cargo fuzz`.

use http::header::{COOKIE, HeaderMap, HeaderValue};

use super::cookie;
use crate::app::token::UnverifiedToken;

/// Reads the session cookie of a request whose `Cookie` fields are the lines of `input`.
pub fn cookies(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    for value in cookie::values(&headers, "s") {
        assert!(!value.contains(';'), "{value:?}");
        let bare = value.trim_matches('"');
        if UnverifiedToken::parse(value).is_some() {
            assert_eq!(bare.len(), 32, "{value:?}");
        }
    }
}
