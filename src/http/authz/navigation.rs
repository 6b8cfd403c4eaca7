//! Whether the visitor's program would show a page. It is a courtesy, never a permission.

use http::{HeaderMap, header};

/// What the visitor's program can do with a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Navigation {
    /// It shows pages: send it to the portal.
    Page,
    /// It is a script or an API client: tell it where the portal is, but do not redirect.
    Call,
}

impl Navigation {
    /// Reads the first `X-Requested-With` and the first `Accept`.
    ///
    /// A page is wanted where any entry of `Accept` is exactly `text/html` or the first is `*/*`, whatever the
    /// weights, unless the request says it is an `XMLHttpRequest`.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let by_script = headers
            .get("x-requested-with")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"));
        if !by_script && accepts_html(headers) {
            Self::Page
        } else {
            Self::Call
        }
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .map(http::HeaderValue::as_bytes)
        .unwrap_or_default();
    accept
        .split(|byte| *byte == b',')
        .enumerate()
        .any(|(place, entry)| {
            let media_type = entry
                .split(|byte| *byte == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            media_type == b"text/html" || (place == 0 && media_type == b"*/*")
        })
}
