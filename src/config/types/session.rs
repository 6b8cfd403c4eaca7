//! `session`: the cookie domains and their portals.

use std::fmt;
use std::time::Duration;

/// `session`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// At least one; a host belongs to the first that covers it. A nested domain comes before the wider one.
    pub cookies: Vec<CookieDomain>,
}

/// One entry of `session.cookies`, with what it inherits from `session`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieDomain {
    /// Lower case, with a dot inside or an IP address; no leading dot, no port.
    pub domain: String,
    /// The cookie's name, a token.
    pub name: String,
    /// The cookie's `SameSite`.
    pub same_site: SameSite,
    /// How long a session lives at most; more than zero.
    pub expiration: Duration,
    /// How long a session lives unused; zero: as long as `expiration` allows.
    pub inactivity: Duration,
    /// How long a remembered session lives; `None`: the tick box is not offered.
    pub remember_me: Option<Duration>,
    /// `authelia_url`, inside `domain`. `None` only where the old `session.domain` names the domain: then a
    /// redirect has no target unless the proxy names one.
    pub portal: Option<PortalUrl>,
    /// Where to go after a login without a target, an absolute URL.
    pub default_redirection_url: Option<String>,
}

impl CookieDomain {
    /// Whether `host` (without port, any case) is this domain or below it.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        covers(&self.domain, &host.to_ascii_lowercase())
    }
}

/// Whether `host` is `domain` or below it; both in lower case.
pub(crate) fn covers(domain: &str, host: &str) -> bool {
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|front| front.ends_with('.'))
}

/// The cookie attribute `SameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// `Lax`.
    Lax,
    /// `Strict`.
    Strict,
    /// `None`.
    None,
}

/// Where the portal is, as browsers reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalUrl {
    /// Always `https`.
    pub scheme: &'static str,
    /// Lower case; an IPv6 address without brackets.
    pub host: String,
    /// Only if the URL names one.
    pub port: Option<u16>,
    /// Begins and ends with a slash.
    pub path: String,
    /// What follows `?`, if anything.
    pub query: Option<String>,
}

impl PortalUrl {
    /// Scheme, host and port, as an `Origin` header has it: `https://auth.example.com`.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(
            self.scheme,
            &self.host,
            self.port.filter(|port| *port != 443),
        )
    }
}

/// The whole URL.
impl fmt::Display for PortalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = origin(self.scheme, &self.host, self.port);
        write!(f, "{origin}{}", self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

fn origin(scheme: &str, host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// An absolute http(s) URL in its parts, as [`super::value::url`] reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebUrl {
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
}
