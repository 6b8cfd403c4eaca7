//! Each answer, whole.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test without its value has failed"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use quorate_core::Level;
use quorate_core::access::{Permit, Policy, Proof, Requirement, Target, Verdict};

use super::{
    HeaderChallenge, RemoteUser, UnsayableUser, allow, challenge, forbidden, refused, to_portal,
    unauthorized,
};
use crate::http::authz::{Dialect, FactsReason, Navigation};

const LOCATION: &str = "https://auth.example.com/?rd=https%3A%2F%2Fone.example.com%2F&rm=GET";

/// A permit the only way there is: from a decision.
fn permit() -> Permit {
    let target = Target::from_parts(b"https", b"one.example.com", b"/", b"GET").expect("a target");
    let policy = Policy::compile(Requirement::OneFactor, &[], &BTreeMap::new()).expect("a policy");
    let decision = policy.decide(None, &target, IpAddr::V4(Ipv4Addr::LOCALHOST));
    match quorate_core::access::answer(&decision, Proof::Level(Level::OneFactor)) {
        Verdict::Allow(permit) => permit,
        Verdict::Challenge | Verdict::Deny => panic!("one factor is enough"),
    }
}

/// The fields of a request, which must not come back in the answer.
fn used() -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("a=b"))])
}

/// Status, header lines in alphabetical order, and body.
fn wire(response: &Response<String>) -> String {
    let mut lines: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    format!(
        "{}\n{}\n\n{}",
        response.status().as_u16(),
        lines.join("\n"),
        response.body()
    )
}

#[test]
fn a_known_visitor_is_told_to_the_site() {
    let groups = [
        "dev".to_owned(),
        "a,b".to_owned(),
        "admins".to_owned(),
        "x\ny".to_owned(),
    ];
    let who = RemoteUser {
        user: "zoë",
        groups: &groups,
        name: "Zoë\r\nX-A: b",
        email: "",
    };
    assert_eq!(
        wire(
            &allow(permit(), Some(who), used())
                .expect("sayable")
                .map(|()| String::new())
        ),
        "200\ncache-control: no-store\nremote-email: \nremote-groups: dev,admins\nremote-name: ZoëX-A: b\nremote-user: zoë\n\n"
    );
    let who = RemoteUser {
        user: "a\nb",
        groups: &[],
        name: "",
        email: "",
    };
    assert_eq!(
        allow(permit(), Some(who), HeaderMap::new()).expect_err("a line break"),
        UnsayableUser
    );
}

#[test]
fn an_anonymous_visitor_is_told_to_be_nobody() {
    assert_eq!(
        wire(
            &allow(permit(), None, used())
                .expect("sayable")
                .map(|()| String::new())
        ),
        "200\ncache-control: no-store\nremote-email: \nremote-groups: \nremote-name: \nremote-user: \n\n"
    );
}

#[test]
fn refusals_are_plain_text_without_a_way_on() {
    let plain = |status: &str| {
        let code = status.split(' ').next().unwrap_or_default();
        format!(
            "{code}\ncache-control: no-store\ncontent-type: text/plain; charset=utf-8\n\n{status}"
        )
    };
    assert_eq!(wire(&forbidden()), plain("403 Forbidden"));
    assert_eq!(wire(&unauthorized()), plain("401 Unauthorized"));
    let reason = FactsReason::UnknownDomain;
    assert_eq!(
        wire(&refused(&Dialect::ForwardAuth.refusal(reason))),
        plain("400 Bad Request")
    );
    assert_eq!(
        wire(&refused(&Dialect::Legacy.refusal(reason))),
        plain("401 Unauthorized")
    );
}

#[test]
fn the_way_to_the_portal_is_a_link_with_the_status_the_proxy_understands() {
    use Dialect::{AuthRequest, ExtAuthz, ForwardAuth, Legacy};
    for (dialect, method, navigation, expect) in [
        (ForwardAuth, "GET", Navigation::Page, 302),
        (ForwardAuth, "OPTIONS", Navigation::Page, 302),
        (ForwardAuth, "POST", Navigation::Page, 303),
        (ForwardAuth, "PROPFIND", Navigation::Page, 303),
        (ForwardAuth, "GET", Navigation::Call, 401),
        (ForwardAuth, "POST", Navigation::Call, 401),
        (ExtAuthz, "GET", Navigation::Page, 302),
        (ExtAuthz, "FOO", Navigation::Page, 303),
        (Legacy, "GET", Navigation::Page, 302),
        (Legacy, "GET", Navigation::Call, 401),
        (AuthRequest, "GET", Navigation::Page, 401),
        (AuthRequest, "POST", Navigation::Call, 401),
    ] {
        let response = to_portal(dialect, method, navigation, LOCATION);
        let status = StatusCode::from_u16(expect).expect("a status");
        let reason = status.canonical_reason().unwrap_or_default();
        assert_eq!(
            wire(&response),
            format!(
                "{expect}\ncache-control: no-store\ncontent-type: text/html; charset=utf-8\nlocation: {LOCATION}\n\n\
                 <a href=\"https://auth.example.com/?rd=https%3A%2F%2Fone.example.com%2F&amp;rm=GET\">{expect} {reason}</a>"
            ),
            "{dialect:?} {method} {navigation:?}"
        );
    }
    let head = to_portal(Dialect::ForwardAuth, "HEAD", Navigation::Page, LOCATION);
    assert_eq!(
        wire(&head),
        format!("302\ncache-control: no-store\nlocation: {LOCATION}\n\n")
    );
}

#[test]
fn a_link_cannot_leave_its_attribute() {
    let response = to_portal(
        Dialect::ForwardAuth,
        "GET",
        Navigation::Page,
        "https://a/?<>\"'&",
    );
    assert_eq!(
        response.body(),
        "<a href=\"https://a/?&lt;&gt;&#34;&#39;&amp;\">302 Found</a>"
    );
}

#[test]
fn a_header_strategy_asks_with_the_status_its_proxy_passes_on() {
    use HeaderChallenge::{Authorization, ProxyAuthorization};
    for (dialect, kind, status, name) in [
        (
            Dialect::ForwardAuth,
            Authorization,
            "401 Unauthorized",
            "www-authenticate",
        ),
        (
            Dialect::ForwardAuth,
            ProxyAuthorization,
            "407 Proxy Authentication Required",
            "proxy-authenticate",
        ),
        (
            Dialect::ExtAuthz,
            ProxyAuthorization,
            "407 Proxy Authentication Required",
            "proxy-authenticate",
        ),
        (
            Dialect::AuthRequest,
            ProxyAuthorization,
            "401 Unauthorized",
            "www-authenticate",
        ),
        (
            Dialect::Legacy,
            Authorization,
            "401 Unauthorized",
            "www-authenticate",
        ),
    ] {
        let response = challenge(dialect, kind);
        assert_eq!(response.body(), status);
        assert_eq!(response.status().as_str(), &status[..3]);
        let value = response.headers().get(name).expect(name);
        assert_eq!(value, "Basic realm=\"Authorization Required\"");
        assert!(!response.headers().contains_key("location"));
    }
}
