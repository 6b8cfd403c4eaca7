//! What a proxy asks and how it is answered, dialect by dialect; everything here is a pure function.
//!
//! A dialect reads its own family of headers into [`Facts`] and looks at no other. It knows no session, no rule and
//! no configuration; a fact that is missing, doubled or contradictory is refused before anything is decided.
//!
//! | | forward-auth | auth-request | ext-authz | legacy |
//! |---|---|---|---|---|
//! | method | X-Forwarded-Method | X-Original-Method | of the request | X-Forwarded-Method, else of the request |
//! | scheme | X-Forwarded-Proto, else connection | X-Original-URL | X-Forwarded-Proto, else connection | X-Original-URL, else X-Forwarded-Proto, else connection |
//! | host | X-Forwarded-Host | X-Original-URL | authority, else Host | X-Original-URL, else X-Forwarded-Host, else Host |
//! | path | X-Forwarded-URI | X-Original-URL | behind the endpoint's path | X-Original-URL, else X-Forwarded-URI |
//! | portal | `authelia_url` | `authelia_url` | X-Authelia-URL | `rd`, else X-Authelia-URL |

pub mod answer;
mod auth_request;
pub mod authorization;
pub mod client;
mod ext_authz;
mod field;
mod forward_auth;
mod legacy;
mod navigation;
pub mod portal;

use http::{HeaderMap, Method, StatusCode, Uri};
use quorate_core::access::{Target, TargetError};

pub use navigation::Navigation;

/// The ways proxies ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Traefik, Caddy, Skipper, HAProxy: `X-Forwarded-*`.
    ForwardAuth,
    /// nginx: `X-Original-*`; the answer is never a redirect.
    AuthRequest,
    /// Envoy: the request itself, below the path of the endpoint.
    ExtAuthz,
    /// `/api/verify` of old, with either family of headers.
    Legacy,
}

/// One authorization request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The method of the authorization request itself.
    pub method: &'a Method,
    /// Its request target.
    pub uri: &'a Uri,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// `https` if the connection is TLS, otherwise `http`.
    pub connection_scheme: &'a str,
    /// The raw path of the endpoint as the request spelt it, without a final slash; what follows it in the request's
    /// path is the target of ext-authz. For example `/auth/api/authz/ext-authz`.
    pub endpoint: &'a str,
}

/// What the proxy says about the visitor's request, borrowed from the authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// What the proxy will forward.
    pub target: Target<'a>,
    /// The portal the proxy names, decoded and unchecked; hand it to [`portal::requested`].
    pub portal_override: Option<String>,
    /// Whether the visitor's program can follow a redirect to a page.
    pub navigation: Navigation,
}

/// A request that is not judged, and the status it is answered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FactsError {
    /// 400, or 401 in the legacy dialect.
    pub status: StatusCode,
    /// What is wrong, for the log.
    pub reason: FactsReason,
}

/// Why a request is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsReason {
    /// A header field that the dialect needs is missing or empty.
    #[error("the header `{0}` is missing or empty")]
    Missing(&'static str),
    /// A header field that may occur once occurs more than once.
    #[error("the header `{0}` occurs more than once")]
    Doubled(&'static str),
    /// Two families of headers name different targets.
    #[error("the header `{0}` contradicts `X-Original-URL`")]
    Contradiction(&'static str),
    /// The path does not follow the endpoint behind two slashes.
    #[error(
        "the path does not begin with a slash of its own; end the proxy's path prefix with a slash"
    )]
    Prefix,
    /// The target is not well-formed, or not https.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The host belongs to no cookie domain.
    #[error("the host is within no configured cookie domain")]
    UnknownDomain,
    /// The portal that the proxy names is none of the configured ones.
    #[error(
        "the requested portal is not the `authelia_url` of a cookie domain that covers the target"
    )]
    UnknownPortal,
}

impl Dialect {
    /// Reads the facts of a request.
    ///
    /// # Errors
    ///
    /// A [`FactsError`] with the status for this dialect. It comes before sessions and rules: answer it even where
    /// everybody may pass.
    pub fn facts<'a>(self, question: &Question<'a>) -> Result<Facts<'a>, FactsError> {
        let facts = match self {
            Self::ForwardAuth => forward_auth::facts(question),
            Self::AuthRequest => auth_request::facts(question),
            Self::ExtAuthz => ext_authz::facts(question),
            Self::Legacy => legacy::facts(question),
        };
        facts.map_err(|reason| self.refusal(reason))
    }

    /// The error for a reason that only the configuration can tell, such as a host that is not ours.
    #[must_use]
    pub fn refusal(self, reason: FactsReason) -> FactsError {
        let status = if self == Self::Legacy {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        FactsError { status, reason }
    }
}

#[cfg(test)]
mod tests;
