//! The configured authorization endpoints: their paths, and what they are made of.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use super::authz::Dialect;
use super::authz::authorization::{HeaderStrategy, Schemes};
use super::authz::portal::PortalUrl;
use crate::config::{AuthzEndpoint, Config, CookieDomain, Implementation, Scheme, StrategyKind};

/// The portal of each cookie domain, in the order of the configuration.
pub(super) type Portals = Arc<[Option<PortalUrl>]>;

/// The portals of a configuration, ready to send people to.
fn portals(domains: &[CookieDomain]) -> Portals {
    let portal =
        |domain: &CookieDomain| PortalUrl::parse(&domain.portal.as_ref()?.to_string()).ok();
    domains.iter().map(portal).collect()
}

/// One way to know who asks.
#[derive(Clone, Copy)]
pub(super) enum Strategy {
    Cookie,
    /// The last is how long good credentials are remembered.
    Header(HeaderStrategy, Schemes, Duration),
}

/// One configured endpoint, ready to answer.
pub(super) struct Endpoint {
    pub(super) dialect: Dialect,
    pub(super) strategies: Vec<Strategy>,
    /// The endpoint's path, without a final slash.
    pub(super) path: String,
    pub(super) portals: Portals,
}

/// What a request to an endpoint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// May a visitor's request pass?
    Verify,
    /// Which methods there are: with 200 because it asks, with 405 because it should have asked.
    Methods(StatusCode),
    /// The path has a slash too many.
    Slash,
}

/// Every endpoint at every path that it is served at, for [`find`].
pub(super) fn all(
    entries: &[AuthzEndpoint],
    base_path: &str,
    domains: &[CookieDomain],
) -> Vec<Arc<Endpoint>> {
    let portals = portals(domains);
    let mut bases = vec![""];
    bases.extend(Some(base_path).filter(|base| !base.is_empty()));
    bases
        .into_iter()
        .flat_map(|base| entries.iter().map(move |entry| (base, entry)))
        .map(|(base, entry)| Arc::new(Endpoint::new(entry, base, Arc::clone(&portals))))
        .collect()
}

/// What answers Envoy's checks over gRPC: the first configured endpoint of its dialect, or else one that looks at
/// `Authorization` and then at the cookie, as the built-in one does.
pub(super) fn ext_authz(config: &Config) -> Endpoint {
    let portals = portals(&config.session.cookies);
    let mut entries = config.server.endpoints.iter();
    match entries.find(|entry| entry.implementation == Implementation::ExtAuthz) {
        Some(entry) => Endpoint::new(entry, "", portals),
        None => Endpoint {
            dialect: Dialect::ExtAuthz,
            strategies: vec![
                Strategy::Header(
                    HeaderStrategy::Authorization,
                    Schemes { basic: true },
                    Duration::ZERO,
                ),
                Strategy::Cookie,
            ],
            path: "/api/authz/ext-authz".to_owned(),
            portals,
        },
    }
}

/// The endpoint that owns `path`, as the request spells it, and what the request is about.
pub(super) fn find<'a>(
    endpoints: &'a [Arc<Endpoint>],
    method: &Method,
    path: &str,
) -> Option<(&'a Arc<Endpoint>, Errand)> {
    endpoints.iter().find_map(|endpoint| {
        let rest = path.strip_prefix(endpoint.path.as_str())?;
        Some((endpoint, endpoint.dialect.errand(method, rest)?))
    })
}

impl Endpoint {
    fn new(entry: &AuthzEndpoint, base: &str, portals: Portals) -> Self {
        let dialect = match entry.implementation {
            Implementation::ForwardAuth => Dialect::ForwardAuth,
            Implementation::AuthRequest => Dialect::AuthRequest,
            Implementation::ExtAuthz => Dialect::ExtAuthz,
            Implementation::Legacy => Dialect::Legacy,
        };
        let path = match (entry.name.as_str(), entry.implementation) {
            ("legacy", Implementation::Legacy) => format!("{base}/api/verify"),
            (name, _) => format!("{base}/api/authz/{name}"),
        };
        let strategies = entry.strategies.iter().map(|configured| {
            let header = match configured.kind {
                StrategyKind::CookieSession => return Strategy::Cookie,
                StrategyKind::HeaderAuthorization => HeaderStrategy::Authorization,
                StrategyKind::HeaderProxyAuthorization => HeaderStrategy::ProxyAuthorization,
                StrategyKind::HeaderAuthRequestProxyAuthorization => {
                    HeaderStrategy::AuthRequestProxyAuthorization
                }
                StrategyKind::HeaderLegacy => HeaderStrategy::Legacy,
            };
            let basic = configured.kind == StrategyKind::HeaderLegacy
                || configured.schemes.contains(&Scheme::Basic);
            Strategy::Header(header, Schemes { basic }, configured.basic_cache)
        });
        Self {
            dialect,
            strategies: strategies.collect(),
            path,
            portals,
        }
    }
}

impl Dialect {
    /// The dialect's name, as metrics and the log have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward-auth",
            Self::AuthRequest => "auth-request",
            Self::ExtAuthz => "ext-authz",
            Self::Legacy => "legacy",
        }
    }

    /// What a request is about whose path goes on with `rest` behind the endpoint's own; `None` if the path is another
    /// one. Two of the dialects own everything below their path as well, and every method.
    fn errand(self, method: &Method, rest: &str) -> Option<Errand> {
        match (self, rest) {
            (Self::ExtAuthz | Self::Legacy, _) => {
                (rest.is_empty() || rest.starts_with('/')).then_some(Errand::Verify)
            }
            (Self::ForwardAuth | Self::AuthRequest, "") => Some(match *method {
                Method::GET | Method::HEAD => Errand::Verify,
                Method::OPTIONS => Errand::Methods(StatusCode::OK),
                _ => Errand::Methods(StatusCode::METHOD_NOT_ALLOWED),
            }),
            (Self::ForwardAuth | Self::AuthRequest, "/") => Some(Errand::Slash),
            (Self::ForwardAuth | Self::AuthRequest, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_endpoints_or_it_is_not() {
        use Dialect::{AuthRequest, ExtAuthz, ForwardAuth, Legacy};
        const REFUSED: Errand = Errand::Methods(StatusCode::METHOD_NOT_ALLOWED);
        let (get, post) = (Method::GET, Method::POST);
        for (dialect, method, rest, expect) in [
            (ForwardAuth, &get, "", Some(Errand::Verify)),
            (ForwardAuth, &Method::HEAD, "", Some(Errand::Verify)),
            (
                AuthRequest,
                &Method::OPTIONS,
                "",
                Some(Errand::Methods(StatusCode::OK)),
            ),
            (AuthRequest, &post, "", Some(REFUSED)),
            (ForwardAuth, &post, "/", Some(Errand::Slash)),
            (ForwardAuth, &get, "x", None),
            (ForwardAuth, &get, "//", None),
            (AuthRequest, &get, "/x", None),
            (ExtAuthz, &post, "", Some(Errand::Verify)),
            (ExtAuthz, &get, "/", Some(Errand::Verify)),
            (ExtAuthz, &get, "//page", Some(Errand::Verify)),
            (Legacy, &Method::OPTIONS, "/x", Some(Errand::Verify)),
            (Legacy, &get, "2", None),
        ] {
            assert_eq!(
                dialect.errand(method, rest),
                expect,
                "{dialect:?} {method} {rest}"
            );
        }
    }
}
