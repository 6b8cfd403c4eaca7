//! The target: what the proxy will forward if the answer is yes.
//!
//! Scheme, host and request target are parsed one by one and never glued together and parsed again, so no part can
//! bring a piece of another. What two programs could read differently is refused; what only a careless program reads
//! differently (path parameters, `%23`) is kept and decided in both readings. Source: RFC 3986 sections 3 and 6.

mod host;
mod path;
mod text;

pub use host::{HostError, HostName, host_is_within};

use std::borrow::Cow;

use path::PathError;

/// The longest request target, in bytes: the header budget of the listener is of the same order.
const URI_BYTES_MAX: usize = 32 * 1024;
/// The longest method; the longest registered one has 17 letters.
const METHOD_BYTES_MAX: usize = 32;

/// The schemes a protected site may have. `http` and `ws` are refused: the session cookie is always `Secure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `https`.
    Https,
    /// `wss`.
    Wss,
}

impl Scheme {
    /// The scheme in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Wss => "wss",
        }
    }

    fn parse(text: &[u8]) -> Result<Self, TargetError> {
        if text.eq_ignore_ascii_case(b"https") {
            Ok(Self::Https)
        } else if text.eq_ignore_ascii_case(b"wss") {
            Ok(Self::Wss)
        } else if text.eq_ignore_ascii_case(b"http") || text.eq_ignore_ascii_case(b"ws") {
            Err(TargetError::Insecure)
        } else {
            Err(TargetError::Scheme)
        }
    }
}

/// Why a target is not judged at all. No variant carries the offending text: it may hold a secret of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The scheme is none of `http`, `https`, `ws`, `wss`.
    #[error("the scheme is not https or wss")]
    Scheme,
    /// The scheme is `http` or `ws`.
    #[error("the scheme is http or ws, and only https and wss are protected")]
    Insecure,
    /// The host is not `host[:port]`.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The URL has no `://`.
    #[error("the URL is not absolute")]
    NotAbsolute,
    /// The method is empty, too long, or has a byte outside `A-Z`.
    #[error("the method is not a short word of upper-case letters")]
    Method,
    /// The request target is longer than 32 KiB.
    #[error("the request target is longer than 32 KiB")]
    TooLong,
    /// The request target is neither empty nor begins with `/` or `?`.
    #[error("the path does not begin with a slash")]
    NoSlash,
    /// A raw `#`: some servers cut there and some do not.
    #[error("the request target has a raw number sign")]
    Fragment,
    /// A control byte, raw or percent-encoded in the path.
    #[error("the request target has a control byte")]
    Control,
    /// A backslash, raw or percent-encoded in the path: some servers take it for a slash.
    #[error("the path has a backslash")]
    Backslash,
    /// A percent sign in the path that is not followed by two hexadecimal digits.
    #[error("the path has a bad percent code")]
    PercentCode,
    /// A dot, slash or backslash of the path is encoded more than once.
    #[error("the path has a dot, slash or backslash that is encoded more than once")]
    EncodedTwice,
    /// The request target, or its decoded path, is not UTF-8.
    #[error("the request target is not UTF-8")]
    NotUtf8,
}

impl From<PathError> for TargetError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Control => Self::Control,
            PathError::Backslash => Self::Backslash,
            PathError::PercentCode => Self::PercentCode,
            PathError::EncodedTwice => Self::EncodedTwice,
            PathError::NotUtf8 => Self::NotUtf8,
        }
    }
}

/// One request of a visitor to a protected site, proven well-formed. It borrows the facts it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    scheme: Scheme,
    host: HostName<'a>,
    /// Path and query as sent.
    uri: Cow<'a, str>,
    /// Where in `uri` the path ends.
    path_end: usize,
    method: Cow<'a, str>,
    rule_path: Cow<'a, str>,
    guarded_path: Option<String>,
}

impl<'a> Target<'a> {
    /// Reads a target from the separate facts a proxy states.
    ///
    /// `scheme` in any case; `host` is `host[:port]`; `uri` is the path with its query as on the request line, empty
    /// or beginning with `/` or `?`; `method` is upper-case.
    ///
    /// # Errors
    ///
    /// One [`TargetError`] per kind of refusal; the request must then be refused, whatever the rules say.
    pub fn from_parts(
        scheme: &[u8],
        host: &'a [u8],
        uri: &'a [u8],
        method: &'a [u8],
    ) -> Result<Self, TargetError> {
        let scheme = Scheme::parse(scheme)?;
        let host = HostName::parse(host)?;
        if method.is_empty()
            || method.len() > METHOD_BYTES_MAX
            || !method.iter().all(u8::is_ascii_uppercase)
        {
            return Err(TargetError::Method);
        }
        let (uri, path) = split_uri(uri)?;
        let rule_path = path::for_rules(path)?;
        let guarded_path = path::guarded(path)?.filter(|guarded| *guarded != rule_path);
        Ok(Self {
            scheme,
            host,
            uri: Cow::Borrowed(uri),
            path_end: path.len(),
            method: String::from_utf8_lossy(method),
            rule_path,
            guarded_path,
        })
    }

    /// Reads a target from one absolute URL, as `X-Original-URL` states it.
    ///
    /// The URL is cut at `://` and at the first `/`, `?` or `#`; each piece is then read as by
    /// [`Target::from_parts`], so userinfo, escapes in the host and the like are refused.
    ///
    /// # Errors
    ///
    /// [`TargetError::NotAbsolute`] without `://`, otherwise as [`Target::from_parts`].
    pub fn from_url(url: &'a [u8], method: &'a [u8]) -> Result<Self, TargetError> {
        let colon = url
            .windows(3)
            .position(|part| part == b"://")
            .ok_or(TargetError::NotAbsolute)?;
        let (scheme, rest) = url
            .split_at_checked(colon)
            .ok_or(TargetError::NotAbsolute)?;
        let rest = rest.get(3..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let (host, uri) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        Self::from_parts(scheme, host, uri, method)
    }

    /// The same, holding its own text.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        Target {
            scheme: self.scheme,
            host: self.host.into_owned(),
            uri: Cow::Owned(self.uri.into_owned()),
            path_end: self.path_end,
            method: Cow::Owned(self.method.into_owned()),
            rule_path: Cow::Owned(self.rule_path.into_owned()),
            guarded_path: self.guarded_path,
        }
    }

    /// The scheme, `https` or `wss`.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: as sent, in lower case, and its port.
    #[must_use]
    pub fn host(&self) -> &HostName<'a> {
        &self.host
    }

    /// The path as sent; may be empty.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.get(..self.path_end).unwrap_or_default()
    }

    /// The query as sent, without its `?`; `Some("")` for a lone `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.uri.get(self.path_end + 1..)
    }

    /// The method of the visitor's request, upper-case letters only.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as rules see it: decoded once, dot segments and repeated slashes folded, one final slash kept,
    /// an empty path as `.`.
    #[must_use]
    pub fn rule_path(&self) -> &str {
        &self.rule_path
    }

    /// What `resources` patterns are searched in: the path as rules see it, and the raw query behind a `?` unless it
    /// is empty.
    pub(super) fn rule_resource(&self) -> Cow<'_, str> {
        match self.query().unwrap_or_default() {
            "" => Cow::Borrowed(&self.rule_path),
            _ if self.rule_path == self.path() => Cow::Borrowed(&self.uri),
            query => Cow::Owned(format!("{}?{query}", self.rule_path)),
        }
    }

    /// The same for [`Target::guarded_path`].
    pub(super) fn guarded_resource(&self) -> Option<Cow<'_, str>> {
        let path = self.guarded_path()?;
        Some(match self.query().unwrap_or_default() {
            "" => Cow::Borrowed(path),
            query => Cow::Owned(format!("{path}?{query}")),
        })
    }

    /// The path as a careless server could read it, where that differs from [`Target::rule_path`]: cut at a decoded
    /// `#`, every segment cut at `;`, an empty path as `/`.
    #[must_use]
    pub fn guarded_path(&self) -> Option<&str> {
        self.guarded_path.as_deref()
    }

    /// The path as a URL spells it: as sent, with what a URL may not hold raw percent-encoded.
    #[must_use]
    pub fn path_text(&self) -> String {
        text::path(self)
    }

    /// The URL to come back to, for the `rd` argument of the portal; not yet form-encoded.
    ///
    /// Host and path as sent, nothing normalised. In the path, what a URL may not hold raw is percent-encoded and
    /// escapes stay; the query stays raw.
    #[must_use]
    pub fn url_text(&self) -> String {
        text::url(self)
    }
}

/// A request target and its path, which ends at the first `?`; refuses what no part of it may hold.
fn split_uri(uri: &[u8]) -> Result<(&str, &str), TargetError> {
    if uri.len() > URI_BYTES_MAX {
        return Err(TargetError::TooLong);
    }
    let uri = std::str::from_utf8(uri).map_err(|_| TargetError::NotUtf8)?;
    if uri.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(TargetError::Control);
    }
    if uri.contains('#') {
        return Err(TargetError::Fragment);
    }
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    if !path.is_empty() && !path.starts_with('/') {
        return Err(TargetError::NoSlash);
    }
    Ok((uri, path))
}

#[cfg(test)]
mod tests;
