//! `server`: where it listens, whom it believes, which authorization endpoints it has.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// Host and port. The host is a name, an IP address without brackets, or empty for every address.
    Tcp(String, u16),
    /// A unix socket.
    Unix {
        /// Absolute path of the socket.
        socket: PathBuf,
        /// The file mode creation mask to bind with, at most `0o777`.
        umask: Option<u32>,
    },
}

/// As `host:port` or the socket's path.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix { socket, .. } => write!(f, "{}", socket.display()),
        }
    }
}

/// `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where the portal and the authorization endpoints listen.
    pub address: Listen,
    /// `""`, or `/` and one segment: everything is served both at `/` and below this.
    pub base_path: String,
    /// Certificate and key, if the listener itself speaks TLS. Without, a proxy must.
    pub tls: Option<TlsFiles>,
    /// The authorization endpoints, the four built-in ones unless configured.
    pub endpoints: Vec<AuthzEndpoint>,
    /// Whose forwarded headers count. Empty: nobody's.
    pub trusted_proxies: Vec<IpNet>,
    /// The content security policy of pages, with `${NONCE}` where a nonce belongs; `None`: the built-in one.
    pub csp_template: Option<String>,
    /// Whether `trusted_proxies` is the default: loopback and private networks.
    pub trusts_by_default: bool,
    /// Whether every connection to `address` begins with a PROXY protocol header of one of `trusted_proxies`.
    pub proxy_protocol: bool,
    /// Where Envoy's checks over gRPC are answered, if anywhere.
    pub grpc: Option<Listen>,
    /// Where HAProxy finds an agent, if anywhere.
    pub spoe: Option<Listen>,
    /// How many bytes of request headers are read, 16 KiB or more.
    pub read_buffer_bytes: usize,
    /// How long a connection may take.
    pub timeouts: Timeouts,
    /// How often one visitor may ask for what is easily abused.
    pub rate_limits: RateLimits,
}

/// `server.endpoints.rate_limits`: for each endpoint all limits that hold at once; none if it is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// One-time passwords given as second factor.
    pub second_factor_totp: Vec<RateLimit>,
}

/// One of `buckets`: so many requests at once, then one more after each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many at once; at least one.
    pub requests: u32,
    /// After how long one more; never zero.
    pub period: Duration,
}

/// `server.tls`: files in PEM. Their content is not looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Authorities of which a client needs a certificate, to be answered at all. None: clients need none.
    pub client_authorities: Vec<PathBuf>,
}

/// `server.timeouts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection without a request; two minutes or more, so that the proxy is the one that closes.
    pub idle: Duration,
}

/// One entry of `server.endpoints.authz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthzEndpoint {
    /// What follows `/api/authz/`; `legacy` is served at `/api/verify` instead. May contain slashes.
    pub name: String,
    /// The dialect it speaks.
    pub implementation: Implementation,
    /// In the order they are tried; never empty.
    pub strategies: Vec<AuthnStrategy>,
}

/// The dialect of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    /// Traefik, Caddy, HAProxy.
    ForwardAuth,
    /// nginx.
    AuthRequest,
    /// Envoy.
    ExtAuthz,
    /// `/api/verify`.
    Legacy,
}

/// One way to learn who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthnStrategy {
    /// Where to look.
    pub kind: StrategyKind,
    /// Which schemes count; empty for [`StrategyKind::CookieSession`] and [`StrategyKind::HeaderLegacy`].
    pub schemes: Vec<Scheme>,
    /// How long good credentials of the scheme `basic` are remembered; zero: not at all.
    pub basic_cache: Duration,
}

/// `authn_strategies[].name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrategyKind {
    /// `Authorization`; refusal is 401.
    HeaderAuthorization,
    /// `Proxy-Authorization`; refusal is 407.
    HeaderProxyAuthorization,
    /// `Proxy-Authorization`; refusal is 401, for nginx.
    HeaderAuthRequestProxyAuthorization,
    /// Basic credentials as `/api/verify` takes them.
    HeaderLegacy,
    /// The session cookie.
    CookieSession,
}

/// A scheme of HTTP authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 6750; nobody passes by it while there are no access tokens.
    Bearer,
}
