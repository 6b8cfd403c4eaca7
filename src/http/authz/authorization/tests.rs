//! Credentials in headers: the values that are taken and the ones that are not.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, Uri};
use zeroize::Zeroizing;

use super::{Credentials, HeaderStrategy, Schemes};
use crate::http::authz::Question;

fn read(strategy: HeaderStrategy, uri: &str, fields: &[(&'static str, &str)]) -> Credentials {
    let uri: Uri = uri.parse().expect("a target");
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().expect("a value"));
    }
    let question = Question {
        method: &Method::GET,
        uri: &uri,
        headers: &headers,
        connection_scheme: "https",
        endpoint: "/v",
    };
    strategy.credentials(&question, Schemes { basic: true })
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn good(user: &str, password: &str) -> Credentials {
    Credentials::Basic {
        user: user.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    }
}

#[test]
fn basic_is_one_blank_and_padded_base64() {
    let john = STANDARD.encode("john:password");
    for (value, expect) in [
        (basic("john:password"), good("john", "password")),
        (format!("BASIC {john}"), good("john", "password")),
        (basic("anna:pass:wörd"), good("anna", "pass:wörd")),
        (String::new(), Credentials::Absent),
        ("Bearer abc".to_owned(), Credentials::NotEnabled),
        (format!("Basic  {john}"), Credentials::Malformed),
        (
            format!("Basic {}", john.trim_end_matches('=')),
            Credentials::Malformed,
        ),
        ("Basic".to_owned(), Credentials::Malformed),
        ("Basic ".to_owned(), Credentials::Malformed),
        ("Basic !!!!".to_owned(), Credentials::Malformed),
        (basic("john"), Credentials::Malformed),
        (basic(":password"), Credentials::Malformed),
        (basic("john:"), Credentials::Malformed),
        (basic("jo\nhn:password"), Credentials::Malformed),
        (
            format!("Basic {}", STANDARD.encode(b"john:\xff")),
            Credentials::Malformed,
        ),
        ("Digest username=\"x\"".to_owned(), Credentials::Malformed),
        (john.clone(), Credentials::Malformed),
    ] {
        assert_eq!(
            read(
                HeaderStrategy::Authorization,
                "/",
                &[("authorization", &value)]
            ),
            expect,
            "{value}"
        );
    }
    assert!(
        john.ends_with('='),
        "the case without padding tests something"
    );
}

#[test]
fn two_fields_are_malformed_and_none_is_absent() {
    let (john, harry) = (basic("john:password"), basic("harry:password"));
    let strategy = HeaderStrategy::Authorization;
    assert_eq!(
        read(
            strategy,
            "/",
            &[("authorization", &john), ("authorization", &harry)]
        ),
        Credentials::Malformed
    );
    assert_eq!(
        read(
            strategy,
            "/",
            &[("authorization", ""), ("authorization", &harry)]
        ),
        Credentials::Malformed
    );
    assert_eq!(
        read(strategy, "/", &[("authorization", &john)]),
        good("john", "password")
    );
    assert_eq!(read(strategy, "/", &[]), Credentials::Absent);
}

#[test]
fn each_strategy_reads_its_own_field() {
    let (john, harry) = (basic("john:password"), basic("harry:password"));
    let both = [
        ("authorization", john.as_str()),
        ("proxy-authorization", harry.as_str()),
    ];
    for (strategy, uri, fields, expect) in [
        (
            HeaderStrategy::Authorization,
            "/",
            &both[..],
            good("john", "password"),
        ),
        (
            HeaderStrategy::ProxyAuthorization,
            "/",
            &both,
            good("harry", "password"),
        ),
        (
            HeaderStrategy::AuthRequestProxyAuthorization,
            "/",
            &both,
            good("harry", "password"),
        ),
        (
            HeaderStrategy::Legacy,
            "/",
            &both,
            good("harry", "password"),
        ),
        (
            HeaderStrategy::Legacy,
            "/?auth=basic",
            &both,
            good("john", "password"),
        ),
        (
            HeaderStrategy::Legacy,
            "/?auth=Basic",
            &both[..1],
            Credentials::Absent,
        ),
        (
            HeaderStrategy::Legacy,
            "/?auth=basic",
            &both[1..],
            Credentials::Malformed,
        ),
        (
            HeaderStrategy::Legacy,
            "/",
            &[("proxy-authorization", "Bearer abc")],
            Credentials::Malformed,
        ),
        (
            HeaderStrategy::ProxyAuthorization,
            "/",
            &[("proxy-authorization", "Bearer abc")],
            Credentials::NotEnabled,
        ),
    ] {
        assert_eq!(read(strategy, uri, fields), expect, "{strategy:?} {uri}");
    }
}

#[test]
fn a_password_is_not_shown() {
    assert_eq!(format!("{:?}", good("john", "password")), "Basic(redacted)");
}
