//! What a request to the portal or its API is about: which cookie domain, which client, which session.

use std::net::IpAddr;

use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use quorate_core::access::{HostName, Target, host_is_within};
use quorate_raft::ProposeError;

use super::authz::client::{client_address, is_trusted};
use super::listen::Peer;
use super::seldom::Seldom;
use super::{cookie, reply};
use crate::app::App;
use crate::app::session::Authenticated;
use crate::config::{CookieDomain, PortalUrl};

/// The facts of one request to the portal.
pub(super) struct Visit<'a> {
    /// The cookie domain that covers the host.
    pub(super) domain: &'a CookieDomain,
    /// Whether the host is the portal's own, where people log in; any host is where no portal is configured.
    pub(super) on_portal_host: bool,
    /// The origin of the portal's pages.
    pub(super) origin: String,
    /// Whether the visitor's connection is encrypted, as far as it is known.
    pub(super) is_secure: bool,
    /// The visitor's address.
    pub(super) client: IpAddr,
}

impl Visit<'_> {
    /// Tells the operator of a login that came from elsewhere than the portal: a proxy or `authelia_url` that is not set
    /// up rightly looks the same as an attack, and the visitor is not told.
    pub(super) fn say_foreign(&self, app: &App, headers: &HeaderMap) {
        static SAID: Seldom = Seldom::new();
        if SAID.is_due(app.now()) {
            tracing::warn!(
                origin = ?headers.get(header::ORIGIN),
                portal = %self.origin,
                "403 for a login from elsewhere than the portal; is a port missing in authelia_url? (said once a minute)"
            );
        }
    }
}

/// Reads the facts. Forwarded headers count from trusted proxies only.
///
/// # Errors
/// 403 as plain text where no cookie domain covers the host, or where the headers cannot be read.
#[expect(clippy::result_large_err, reason = "the refusal is the response")]
pub(super) fn visit<'a>(app: &'a App, parts: &Parts) -> Result<Visit<'a>, Response> {
    let peer = peer(parts);
    let trusted = &app.config.server.trusted_proxies;
    let forwarded = is_trusted(peer.address, trusted);
    let host = host(parts, forwarded).ok_or_else(forbidden)?;
    if forwarded && !are_forwarded_urls_readable(&parts.headers) {
        return Err(forbidden());
    }
    let cookies = app.config.session.cookies.iter();
    let mut covering = cookies.filter(|cookie| host_is_within(host.lower(), &cookie.domain));
    let domain = covering.next().ok_or_else(forbidden)?;
    let proto = parts.headers.get("x-forwarded-proto").filter(|_| forwarded);
    Ok(Visit {
        domain,
        on_portal_host: domain
            .portal
            .as_ref()
            .is_none_or(|portal| portal.host == host.lower()),
        origin: domain
            .portal
            .as_ref()
            .map_or_else(|| own_origin(&host), PortalUrl::origin),
        is_secure: proto.map_or(peer.over_tls, |proto| {
            proto.as_bytes().eq_ignore_ascii_case(b"https")
        }),
        client: client_address(peer.address, &parts.headers, trusted),
    })
}

impl Visit<'_> {
    /// Whoever stands behind the session cookie.
    pub(super) async fn session(
        &self,
        app: &App,
        headers: &HeaderMap,
    ) -> Result<Option<Authenticated>, ProposeError> {
        app.authenticate(cookie::values(headers, &self.domain.name), self.domain)
            .await
    }
}

/// The other end of the connection; the listener has put it there.
pub(super) fn peer(parts: &Parts) -> Peer {
    let unknown = Peer {
        address: IpAddr::from([0, 0, 0, 0]),
        over_tls: false,
    };
    parts.extensions.get().copied().unwrap_or(unknown)
}

fn own_origin(host: &HostName<'_>) -> String {
    match host.port().filter(|port| *port != 443) {
        Some(port) => format!("https://{}:{port}", host.lower()),
        None => format!("https://{}", host.lower()),
    }
}

fn forbidden() -> Response {
    reply::plain(StatusCode::FORBIDDEN)
}

/// The host the visitor typed: of the proxy's header if the proxy is trusted, else of the request line or `Host`.
fn host(parts: &Parts, forwarded: bool) -> Option<HostName<'_>> {
    let of_header = parts.headers.get("x-forwarded-host").filter(|_| forwarded);
    let of_line = parts.uri.authority().map(http::uri::Authority::as_str);
    let of_host = || {
        parts
            .headers
            .get(header::HOST)
            .map(http::HeaderValue::as_bytes)
    };
    let text = of_header
        .map(http::HeaderValue::as_bytes)
        .or(of_line.map(str::as_bytes))
        .or_else(of_host)?;
    HostName::parse(text).ok()
}

/// What a proxy says of the page must be readable, even here where it decides nothing: a request that can be read in
/// two ways is refused.
fn are_forwarded_urls_readable(headers: &HeaderMap) -> bool {
    let url = headers
        .get("x-original-url")
        .is_none_or(|url| Target::from_url(url.as_bytes(), b"GET").is_ok());
    let uri = headers.get("x-forwarded-uri").is_none_or(|uri| {
        uri.is_empty()
            || Target::from_parts(b"https", b"example.com", uri.as_bytes(), b"GET").is_ok()
    });
    url && uri
}
