//! What a verdict becomes on the wire. It decides nothing; the security headers of all replies are set elsewhere.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PROXY_AUTHENTICATE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use quorate_core::access::Permit;

use super::{Dialect, FactsError, Navigation};

/// The challenge of both header schemes.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Authorization Required\"");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");

/// Who an allowed visitor is, for the site behind the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteUser<'a> {
    /// The user's name, as the directory spells it.
    pub user: &'a str,
    /// The user's groups. A group with a comma or a control byte is left out: it would read as another.
    pub groups: &'a [String],
    /// The display name; control bytes are left out.
    pub name: &'a str,
    /// The first mail address, or empty; control bytes are left out.
    pub email: &'a str,
}

/// The user's name has a control byte and cannot be a header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of the user has a control byte and cannot be told to the site")]
pub struct UnsayableUser;

/// How a header strategy asks for credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderChallenge {
    /// 401 with `WWW-Authenticate`.
    Authorization,
    /// 407 with `Proxy-Authenticate`, in the dialects whose proxies pass it on.
    ProxyAuthorization,
}

/// Lets a request pass: 200, all four `Remote-*` fields, empty for an anonymous visitor, and no body.
///
/// A body would cost nginx and Caddy their connection. Values are raw UTF-8. The fields are written into `room`, whose
/// own are dropped: a map that has grown already is worth keeping.
///
/// # Errors
///
/// [`UnsayableUser`]: log it and answer [`forbidden`].
pub fn allow(
    _permit: Permit,
    who: Option<RemoteUser<'_>>,
    mut room: HeaderMap,
) -> Result<Response<()>, UnsayableUser> {
    let who = who.unwrap_or(RemoteUser {
        user: "",
        groups: &[],
        name: "",
        email: "",
    });
    room.clear();
    room.insert(CACHE_CONTROL, NO_STORE);
    for (name, value) in [
        (
            REMOTE_USER,
            HeaderValue::from_bytes(who.user.as_bytes()).map_err(|_| UnsayableUser)?,
        ),
        (REMOTE_GROUPS, printable(&groups(who.groups))),
        (REMOTE_NAME, printable(who.name)),
        (REMOTE_EMAIL, printable(who.email)),
    ] {
        room.insert(name, value);
    }
    let mut response = Response::new(());
    *response.headers_mut() = room;
    Ok(response)
}

/// The groups that can be said, with commas between.
fn groups(groups: &[String]) -> String {
    let sayable = |group: &&String| {
        !group.contains(|letter: char| letter == ',' || letter.is_ascii_control())
    };
    let mut text = String::new();
    for group in groups.iter().filter(sayable) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(group);
    }
    text
}

/// Refuses: 403, no `Location`.
#[must_use]
pub fn forbidden() -> Response<String> {
    plain(StatusCode::FORBIDDEN)
}

/// A request that is not judged: 400, or 401 in the legacy dialect.
#[must_use]
pub fn refused(error: &FactsError) -> Response<String> {
    plain(error.status)
}

/// 401 without a way to the portal, as the legacy dialect answers where no portal is named.
#[must_use]
pub fn unauthorized() -> Response<String> {
    plain(StatusCode::UNAUTHORIZED)
}

/// Sends the visitor to the portal at `location`, an absolute URL. `method` is the method of the visitor's request.
///
/// 302 or 303 for a program that shows pages, 401 with the same `Location` otherwise and always in the
/// auth-request dialect, because nginx makes a 500 of anything else.
#[must_use]
pub fn to_portal(
    dialect: Dialect,
    method: &str,
    navigation: Navigation,
    location: &str,
) -> Response<String> {
    let status = match (dialect, navigation, method) {
        (Dialect::AuthRequest, _, _) | (_, Navigation::Call, _) => StatusCode::UNAUTHORIZED,
        (_, Navigation::Page, "GET" | "HEAD" | "OPTIONS") => StatusCode::FOUND,
        (_, Navigation::Page, _) => StatusCode::SEE_OTHER,
    };
    let Ok(value) = HeaderValue::from_str(location) else {
        return unauthorized();
    };
    let mut response = empty(status);
    response.headers_mut().insert(LOCATION, value);
    if method != "HEAD" {
        *response.body_mut() = format!("<a href=\"{}\">{}</a>", escape(location), reason(status));
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
    }
    response
}

/// Asks for credentials in a header: 401, or 407 where the strategy and the dialect have it.
#[must_use]
pub fn challenge(dialect: Dialect, challenge: HeaderChallenge) -> Response<String> {
    let passes_407 = matches!(dialect, Dialect::ForwardAuth | Dialect::ExtAuthz);
    let (status, name) = match challenge {
        HeaderChallenge::ProxyAuthorization if passes_407 => (
            StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            PROXY_AUTHENTICATE,
        ),
        HeaderChallenge::ProxyAuthorization | HeaderChallenge::Authorization => {
            (StatusCode::UNAUTHORIZED, WWW_AUTHENTICATE)
        }
    };
    let mut response = plain(status);
    response.headers_mut().insert(name, BASIC);
    response
}

fn empty(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

fn plain(status: StatusCode) -> Response<String> {
    let mut response = empty(status);
    *response.body_mut() = reason(status);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// Status and reason, as `403 Forbidden`.
fn reason(status: StatusCode) -> String {
    format!(
        "{} {}",
        status.as_str(),
        status.canonical_reason().unwrap_or_default()
    )
}

/// A header value of all bytes of the text that may be in one.
fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| {
        let kept: String = text
            .chars()
            .filter(|letter| !letter.is_ascii_control())
            .collect();
        HeaderValue::from_bytes(kept.as_bytes()).unwrap_or(HeaderValue::from_static(""))
    })
}

/// Escapes a text for an HTML attribute in double quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
