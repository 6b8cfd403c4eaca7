//! The target as text to come back to. It only writes; reading is [`super::Target`]'s.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Target;

/// What may not stand raw in the path of a URL. The percent sign stays: the path was proven to hold whole codes.
/// Source: RFC 3986 section 3.3; `[` and `]` stay because proxies and browsers send them.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(super) fn url(target: &Target) -> String {
    let mut url = format!("{}://{}", target.scheme.as_str(), target.host.as_sent());
    if let Some(port) = target.host.port() {
        url.push(':');
        url.push_str(&port.to_string());
    }
    url.push_str(&path(target));
    if let Some(query) = target.query() {
        url.push('?');
        url.push_str(query);
    }
    url
}

pub(super) fn path(target: &Target) -> String {
    utf8_percent_encode(target.path(), PATH).to_string()
}
