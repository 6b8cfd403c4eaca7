//! `server`: where to listen, whom to believe, and which authorization endpoints there are.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::rate_limit;
use crate::config::place::Findings;
use crate::config::types::{
    AuthnStrategy, AuthzEndpoint, Implementation, Listen, Scheme, Server, StrategyKind, Timeouts,
    TlsFiles,
};
use crate::config::value::{self, Address};
use crate::config::view::View;

const PORT: u16 = 9091;
const PORT_GRPC: u16 = 9093;
const PORT_SPOE: u16 = 9094;

/// The least number of bytes for request headers. Proxies send a page's URL up to twice beside all cookies, and the
/// answer to a too long request would be taken for a failure.
const READ_BUFFER_BYTES_MIN: u32 = 16 << 10;

/// The least time a connection may idle. The side that closes first loses requests, and proxies keep theirs for up
/// to 90 s by default.
const IDLE_MIN: Duration = Duration::from_secs(120);

/// Loopback and private networks: where a proxy in front of us usually is.
const TRUSTED_DEFAULT: [&str; 6] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
];

pub(crate) fn server(view: &View<'_>, findings: &mut Findings) -> Server {
    let Address { listen, path } = address(view, findings);
    let trusted_proxies = trusted_proxies(&view.get("trusted_proxies"), findings);
    let proxy_protocol = view.get("proxy_protocol");
    if proxy_protocol.flag() && trusted_proxies.is_empty() {
        let message = "needs `server.trusted_proxies`: from all others no connection is taken";
        proxy_protocol.problem(findings, message, "name the load balancers there");
    }
    Server {
        address: listen,
        proxy_protocol: proxy_protocol.flag(),
        grpc: other(&view.get("grpc.address"), PORT_GRPC, findings),
        spoe: other(&view.get("spoe.address"), PORT_SPOE, findings),
        base_path: base_path(view, path, findings),
        tls: tls(&view.get("tls"), findings),
        endpoints: endpoints(&view.get("endpoints.authz"), findings),
        trusts_by_default: !view.get("trusted_proxies").is_set(),
        trusted_proxies,
        csp_template: csp_template(&view.get("headers.csp_template"), findings),
        read_buffer_bytes: read_buffer_bytes(&view.get("buffers.read"), findings),
        timeouts: timeouts(&view.get("timeouts"), findings),
        rate_limits: rate_limit::rate_limits(&view.get("endpoints.rate_limits"), findings),
    }
}

/// `server.address`, or what the older `server.host`, `server.port` and `server.path` say.
fn address(view: &View<'_>, findings: &mut Findings) -> Address {
    let address = view.get("address");
    if let Some(text) = address.text() {
        let parsed = value::address(text, PORT).ok();
        // What does not parse is reported already, by the kind of the key.
        return parsed.unwrap_or_else(unset);
    }
    let port = view
        .get("port")
        .bounded(u32::from(PORT), 1..=65_535, findings);
    let host = view.get("host");
    let name = host.text().unwrap_or_default();
    let path = view
        .get("path")
        .text()
        .unwrap_or_default()
        .trim_matches('/');
    let name = if name.contains(':') && !name.starts_with('[') {
        format!("[{name}]")
    } else {
        name.to_owned()
    };
    match value::address(&format!("tcp://{name}:{port}/{path}"), PORT) {
        Ok(address) => address,
        Err(expected) => {
            host.problem(findings, format!("must be {expected}, is `{name}`"), "");
            unset()
        }
    }
}

/// The address of a listener beside the main one.
fn other(view: &View<'_>, port: u16, findings: &mut Findings) -> Option<Listen> {
    // What does not parse is reported already, by the kind of the key.
    let Address { listen, path } = value::address(view.text()?, port).ok()?;
    if !path.is_empty() {
        let message = format!("has no path, is `{path}` behind the port");
        view.problem(findings, message, "leave it out");
    }
    Some(listen)
}

fn unset() -> Address {
    Address {
        listen: Listen::Tcp(String::new(), PORT),
        path: String::new(),
    }
}

fn base_path(view: &View<'_>, path: String, findings: &mut Findings) -> String {
    let segment = path.strip_prefix('/').unwrap_or(&path);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if path.is_empty() || segment.bytes().all(plain) {
        return path;
    }
    let message = format!("must have a path of one segment of letters and digits, has `{path}`");
    view.get("address")
        .problem(findings, message, "write for example `tcp://:9091/auth`");
    String::new()
}

fn tls(view: &View<'_>, findings: &mut Findings) -> Option<TlsFiles> {
    let (certificate, key) = (view.get("certificate"), view.get("key"));
    let client_authorities = view.get("client_certificates").texts();
    match (certificate.text(), key.text()) {
        (Some(certificate), Some(key)) => Some(TlsFiles {
            certificate: PathBuf::from(certificate),
            key: PathBuf::from(key),
            client_authorities: client_authorities.iter().map(PathBuf::from).collect(),
        }),
        (None, None) if client_authorities.is_empty() => None,
        (None, None) => {
            certificate.problem(
                findings,
                "is required with `server.tls.client_certificates`",
                "name certificate and key, or remove the authorities",
            );
            None
        }
        (Some(_), None) => {
            key.problem(
                findings,
                "is required with `server.tls.certificate`",
                "name the key's file, or remove both",
            );
            None
        }
        (None, Some(_)) => {
            certificate.problem(
                findings,
                "is required with `server.tls.key`",
                "name the certificate's file, or remove both",
            );
            None
        }
    }
}

fn trusted_proxies(view: &View<'_>, findings: &mut Findings) -> Vec<IpNet> {
    if !view.is_set() {
        return TRUSTED_DEFAULT
            .iter()
            .filter_map(|text| value::network(text))
            .collect();
    }
    if view.text() == Some("none") {
        return Vec::new();
    }
    let mut networks = Vec::new();
    for item in view.items() {
        let Some(text) = item.text() else {
            continue;
        };
        match value::network(text) {
            Some(network) => networks.push(network),
            None => {
                let message = format!("must be an address or network, is `{text}`");
                item.problem(
                    findings,
                    message,
                    "write `192.0.2.7` or `192.0.2.0/24`, or `none` for the whole key",
                );
            }
        }
    }
    networks
}

fn read_buffer_bytes(view: &View<'_>, findings: &mut Findings) -> usize {
    let bytes = view.bounded(READ_BUFFER_BYTES_MIN, 1..=16 << 20, findings);
    usize::try_from(bytes.max(READ_BUFFER_BYTES_MIN)).unwrap_or(usize::MAX)
}

fn csp_template(view: &View<'_>, findings: &mut Findings) -> Option<String> {
    let text = view.text()?;
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Some(text.to_owned());
    }
    view.problem(
        findings,
        "must be one line of ASCII, because it is the value of a header",
        "write it as one line, with `${NONCE}` where the nonce belongs",
    );
    None
}

fn timeouts(view: &View<'_>, findings: &mut Findings) -> Timeouts {
    let given = view.get("idle").duration().filter(|time| !time.is_zero());
    let idle = given.unwrap_or(IDLE_MIN);
    if idle < IDLE_MIN {
        let message = format!(
            "{} s is raised to {} s, so that the proxy closes idle connections first",
            idle.as_secs(),
            IDLE_MIN.as_secs()
        );
        view.get("idle").notice(findings, message);
    }
    Timeouts {
        idle: idle.max(IDLE_MIN),
    }
}

/// The configured endpoints, or the four built-in ones: a configured map replaces all of them.
fn endpoints(view: &View<'_>, findings: &mut Findings) -> Vec<AuthzEndpoint> {
    let configured = view.named();
    if configured.is_empty() {
        return [
            ("forward-auth", Implementation::ForwardAuth),
            ("auth-request", Implementation::AuthRequest),
            ("ext-authz", Implementation::ExtAuthz),
            ("legacy", Implementation::Legacy),
        ]
        .into_iter()
        .map(|(name, implementation)| AuthzEndpoint {
            name: name.to_owned(),
            implementation,
            strategies: default_strategies(implementation),
        })
        .collect();
    }
    configured
        .into_iter()
        .filter_map(|(name, view)| endpoint(name, &view, findings))
        .collect()
}

fn endpoint(name: &str, view: &View<'_>, findings: &mut Findings) -> Option<AuthzEndpoint> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name
        .split('/')
        .all(|part| !part.is_empty() && part.bytes().all(plain))
    {
        let message = "has a name that is not a path of letters, digits and hyphens";
        view.problem(
            findings,
            message,
            "it becomes part of the URL, as in `/api/authz/my-proxy`",
        );
    }
    let key = view.get("implementation");
    let implementation = match key.text() {
        Some("ForwardAuth") => Implementation::ForwardAuth,
        Some("AuthRequest") => Implementation::AuthRequest,
        Some("ExtAuthz") => Implementation::ExtAuthz,
        Some("Legacy") => Implementation::Legacy,
        Some(_) => return None,
        None => {
            key.problem(
                findings,
                "is required",
                "write `ForwardAuth`, `AuthRequest`, `ExtAuthz` or `Legacy`",
            );
            return None;
        }
    };
    if name == "legacy" && implementation != Implementation::Legacy {
        key.problem(
            findings,
            "must be `Legacy` for the endpoint `legacy`",
            "give the endpoint another name",
        );
    }
    let given = view.get("authn_strategies").sections();
    let mut strategies: Vec<AuthnStrategy> = Vec::new();
    for view in &given {
        if let Some(strategy) = strategy(view, findings) {
            if strategies.iter().any(|known| known.kind == strategy.kind) {
                view.get("name").problem(
                    findings,
                    "is there twice in this endpoint",
                    "keep one of the two",
                );
            }
            strategies.push(strategy);
        }
    }
    if given.is_empty() {
        strategies = default_strategies(implementation);
    }
    let name = name.to_owned();
    Some(AuthzEndpoint {
        name,
        implementation,
        strategies,
    })
}

fn strategy(view: &View<'_>, findings: &mut Findings) -> Option<AuthnStrategy> {
    let name = view.get("name");
    let kind = match name.text() {
        Some("HeaderAuthorization") => StrategyKind::HeaderAuthorization,
        Some("HeaderProxyAuthorization") => StrategyKind::HeaderProxyAuthorization,
        Some("HeaderAuthRequestProxyAuthorization") => {
            StrategyKind::HeaderAuthRequestProxyAuthorization
        }
        Some("HeaderLegacy") => StrategyKind::HeaderLegacy,
        Some("CookieSession") => StrategyKind::CookieSession,
        Some(_) => return None,
        None => {
            name.problem(findings, "is required", "write for example `CookieSession`");
            return None;
        }
    };
    let takes_schemes = !matches!(
        kind,
        StrategyKind::HeaderLegacy | StrategyKind::CookieSession
    );
    let given = view.get("schemes");
    if given.is_set() && !takes_schemes {
        given.problem(findings, "has no meaning for this strategy", "remove it");
    }
    let mut schemes = Vec::new();
    for item in given.items() {
        match item.text().map(str::to_lowercase).as_deref() {
            Some("basic") => schemes.push(Scheme::Basic),
            Some("bearer") => {
                item.notice(
                    findings,
                    "accepted; has no effect yet: there are no access tokens",
                );
                schemes.push(Scheme::Bearer);
            }
            Some(other) => {
                item.problem(
                    findings,
                    format!("must be `basic` or `bearer`, is `{other}`"),
                    "",
                );
            }
            None => {}
        }
    }
    if schemes.is_empty() && takes_schemes {
        schemes.push(Scheme::Basic);
    }
    let basic_cache = view
        .get("scheme_basic_cache_lifespan")
        .duration()
        .unwrap_or_default();
    Some(AuthnStrategy {
        kind,
        schemes,
        basic_cache,
    })
}

fn default_strategies(implementation: Implementation) -> Vec<AuthnStrategy> {
    let (header, schemes) = match implementation {
        Implementation::Legacy => (StrategyKind::HeaderLegacy, Vec::new()),
        _ => (StrategyKind::HeaderAuthorization, vec![Scheme::Basic]),
    };
    let of = |kind, schemes| AuthnStrategy {
        kind,
        schemes,
        basic_cache: Duration::ZERO,
    };
    vec![
        of(header, schemes),
        of(StrategyKind::CookieSession, Vec::new()),
    ]
}
