//! Authorization requests: header fields of every dialect, credentials, the visitor's address, the portal that is asked
//! for.

#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use quorate::http::authz::authorization::{HeaderStrategy, Schemes};
use quorate::http::authz::portal::{PortalUrl, requested};
use quorate::http::authz::{Dialect, Question, client};

const DIALECTS: [Dialect; 4] = [
    Dialect::ForwardAuth,
    Dialect::AuthRequest,
    Dialect::ExtAuthz,
    Dialect::Legacy,
];
const STRATEGIES: [HeaderStrategy; 4] = [
    HeaderStrategy::Authorization,
    HeaderStrategy::ProxyAuthorization,
    HeaderStrategy::AuthRequestProxyAuthorization,
    HeaderStrategy::Legacy,
];
/// A letter at the start of a line stands for a name that matters.
const NAMES: [(u8, &str); 12] = [
    (b'm', "x-forwarded-method"),
    (b'p', "x-forwarded-proto"),
    (b'h', "x-forwarded-host"),
    (b'u', "x-forwarded-uri"),
    (b'f', "x-forwarded-for"),
    (b'M', "x-original-method"),
    (b'U', "x-original-url"),
    (b'A', "authorization"),
    (b'P', "proxy-authorization"),
    (b'H', "host"),
    (b'l', "x-authelia-url"),
    (b'a', "accept"),
];

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let method = Method::from_bytes(lines.next().unwrap_or_default()).unwrap_or(Method::GET);
    let Ok(uri) = Uri::try_from(lines.next().unwrap_or_default()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((first, value)) = line.split_first() else {
            continue;
        };
        let name = NAMES
            .iter()
            .find(|(letter, _)| letter == first)
            .map_or("cookie", |(_, name)| name);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let question = Question {
        method: &method,
        uri: &uri,
        headers: &headers,
        connection_scheme: "https",
        endpoint: "/api/authz/ext-authz",
    };
    let portal = PortalUrl::parse("https://auth.example.com/sso/?theme=dark").expect("a portal");
    for dialect in DIALECTS {
        let Ok(facts) = dialect.facts(&question) else {
            continue;
        };
        let login = portal.login_url(&facts.target);
        assert!(
            login.starts_with("https://auth.example.com/sso/?"),
            "{login}"
        );
        assert!(HeaderValue::from_str(&login).is_ok(), "{login}");
        if let Some(named) = facts.portal_override {
            let chosen = requested(&named, "example.com", std::slice::from_ref(&portal));
            let login = chosen.map(|portal| portal.login_url(&facts.target));
            assert!(login.is_none_or(|login| login.starts_with("https://auth.example.com/sso/?")));
        }
    }
    for strategy in STRATEGIES {
        let _ = strategy.credentials(&question, Schemes { basic: true });
    }
    let trusted: [IpNet; 2] = [
        "10.0.0.0/8".parse().expect("a prefix"),
        "fd00::/8".parse().expect("a prefix"),
    ];
    let _ = client::client_address([10, 0, 0, 1].into(), &headers, &trusted);
});
