//! What each dialect reads and what it refuses; beside each refusal the nearest request that is taken.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

mod courtesy;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use super::{Dialect, Facts, FactsError, FactsReason, Question};

/// Asks with a request line and header lines; a `Name: value` line repeats a field if written twice.
fn ask(dialect: Dialect, line: &str, fields: &[&str]) -> Result<Facts<'static>, FactsError> {
    let (method, uri) = line.split_once(' ').expect("method and target");
    let method: Method = method.parse().expect("a method");
    let uri: Uri = uri.parse().expect("a target");
    let mut headers = HeaderMap::new();
    for field in fields {
        let (name, value) = field.split_once(':').expect("name and value");
        let name: HeaderName = name.parse().expect("a name");
        headers.append(
            name,
            HeaderValue::from_bytes(value.trim().as_bytes()).expect("a value"),
        );
    }
    let endpoint = "/api/authz/ext-authz";
    let facts = dialect.facts(&Question {
        method: &method,
        uri: &uri,
        headers: &headers,
        connection_scheme: "https",
        endpoint,
    })?;
    Ok(Facts {
        target: facts.target.into_owned(),
        portal_override: facts.portal_override,
        navigation: facts.navigation,
    })
}

#[track_caller]
fn taken(dialect: Dialect, line: &str, fields: &[&str], expect: &str) -> Facts<'static> {
    let facts = ask(dialect, line, fields).expect("taken");
    assert_eq!(
        format!("{} {}", facts.target.method(), facts.target.url_text()),
        expect
    );
    facts
}

#[track_caller]
fn refused(dialect: Dialect, line: &str, fields: &[&str]) -> FactsReason {
    let error = ask(dialect, line, fields).expect_err("refused");
    let status = if dialect == Dialect::Legacy {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    assert_eq!(error.status, status);
    error.reason
}

const METHOD: &str = "X-Forwarded-Method: GET";
const PROTO: &str = "X-Forwarded-Proto: https";
const HOST: &str = "X-Forwarded-Host: one.example.com";
const URI: &str = "X-Forwarded-URI: /x?y=1";
const FORWARD: &str = "GET /api/authz/forward-auth";

#[test]
fn forward_auth_reads_its_four_headers() {
    let dialect = Dialect::ForwardAuth;
    taken(
        dialect,
        FORWARD,
        &[METHOD, PROTO, HOST, URI],
        "GET https://one.example.com/x?y=1",
    );
    taken(
        dialect,
        FORWARD,
        &[METHOD, HOST],
        "GET https://one.example.com",
    );
    taken(
        dialect,
        FORWARD,
        &[METHOD, HOST, "X-Forwarded-Proto:", "X-Forwarded-URI:"],
        "GET https://one.example.com",
    );
    taken(
        dialect,
        FORWARD,
        &[
            METHOD,
            PROTO,
            HOST,
            URI,
            "X-Original-URL: https://deny.example.com/",
            "X-Original-Method: POST",
            "Host: b",
        ],
        "GET https://one.example.com/x?y=1",
    );
}

#[test]
fn forward_auth_refuses_what_is_missing_doubled_or_not_one_fact() {
    let dialect = Dialect::ForwardAuth;
    taken(
        dialect,
        FORWARD,
        &[METHOD, PROTO, HOST, URI],
        "GET https://one.example.com/x?y=1",
    );
    for (missing, fields) in [
        ("x-forwarded-method", [PROTO, HOST]),
        ("x-forwarded-host", [PROTO, METHOD]),
    ] {
        assert_eq!(
            refused(dialect, FORWARD, &fields),
            FactsReason::Missing(missing)
        );
    }
    assert_eq!(
        refused(dialect, FORWARD, &[METHOD, "X-Forwarded-Host:"]),
        FactsReason::Missing("x-forwarded-host")
    );
    for (name, field) in [
        ("x-forwarded-method", METHOD),
        ("x-forwarded-proto", PROTO),
        ("x-forwarded-host", HOST),
        ("x-forwarded-uri", URI),
    ] {
        assert_eq!(
            refused(dialect, FORWARD, &[METHOD, PROTO, HOST, URI, field]),
            FactsReason::Doubled(name)
        );
    }
    for bad in ["X-Forwarded-Proto: http", "X-Forwarded-Proto: https, https"] {
        refused(dialect, FORWARD, &[METHOD, HOST, bad]);
    }
    for bad in [
        "X-Forwarded-URI: x",
        "X-Forwarded-URI: /a#b",
        "X-Forwarded-URI: /%zz",
    ] {
        refused(dialect, FORWARD, &[METHOD, HOST, bad]);
    }
    for bad in [
        "X-Forwarded-Host: public.example.com, one.example.com",
        "X-Forwarded-Host: norm.example.com/public/",
    ] {
        refused(dialect, FORWARD, &[METHOD, URI, bad]);
    }
}

#[test]
fn auth_request_reads_one_url_and_one_method() {
    let dialect = Dialect::AuthRequest;
    let (line, url, method) = (
        "GET /api/authz/auth-request",
        "X-Original-URL: https://one.example.com/x",
        "X-Original-Method: POST",
    );
    taken(
        dialect,
        line,
        &[url, method],
        "POST https://one.example.com/x",
    );
    taken(
        dialect,
        line,
        &[url, method, METHOD, PROTO, HOST, URI],
        "POST https://one.example.com/x",
    );
    assert_eq!(
        refused(dialect, line, &[url, METHOD]),
        FactsReason::Missing("x-original-method")
    );
    assert_eq!(
        refused(dialect, line, &[method, HOST]),
        FactsReason::Missing("x-original-url")
    );
    assert_eq!(
        refused(dialect, line, &[url, url, method]),
        FactsReason::Doubled("x-original-url")
    );
    refused(dialect, line, &["X-Original-URL: one.example.com/", method]);
}

#[test]
fn ext_authz_reads_the_request_behind_its_prefix_and_keeps_the_query() {
    let (dialect, host) = (Dialect::ExtAuthz, "Host: ONE.example.com:8443");
    taken(
        dialect,
        "PUT /api/authz/ext-authz//page?x=1",
        &[host],
        "PUT https://one.example.com:8443/page?x=1",
    );
    taken(
        dialect,
        "GET /api/authz/ext-authz///x//y",
        &[host],
        "GET https://one.example.com:8443//x//y",
    );
    taken(
        dialect,
        "GET /api/authz/ext-authz",
        &[host],
        "GET https://one.example.com:8443",
    );
    taken(
        dialect,
        "GET /api/authz/ext-authz//a%2Fb",
        &[host, HOST, METHOD, URI],
        "GET https://one.example.com:8443/a%2Fb",
    );
    taken(
        dialect,
        "GET https://one.example.com/api/authz/ext-authz//zz",
        &["Host: evil.com"],
        "GET https://one.example.com/zz",
    );
    for line in [
        "GET /api/authz/ext-authz/abc",
        "GET /api/authz/ext-authz/@public.example.com/",
        "GET /api/authz/ext-authzx//",
    ] {
        assert_eq!(
            refused(dialect, line, &[host]),
            FactsReason::Prefix,
            "{line}"
        );
    }
    let line = "GET /api/authz/ext-authz//";
    assert_eq!(refused(dialect, line, &[]), FactsReason::Missing("host"));
    assert_eq!(
        refused(dialect, line, &[host, host]),
        FactsReason::Doubled("host")
    );
    refused(dialect, line, &[host, "X-Forwarded-Proto: http"]);
    refused(dialect, "M-SEARCH /api/authz/ext-authz//", &[host]);
}

#[test]
fn legacy_takes_either_family_and_refuses_contradictions() {
    let (dialect, line, url) = (
        Dialect::Legacy,
        "GET /api/verify",
        "X-Original-URL: https://one.example.com/x?y=1",
    );
    taken(dialect, line, &[url], "GET https://one.example.com/x?y=1");
    taken(
        dialect,
        "PUT /api/verify",
        &[HOST, URI],
        "PUT https://one.example.com/x?y=1",
    );
    taken(
        dialect,
        line,
        &["X-Forwarded-Method: DELETE", HOST],
        "DELETE https://one.example.com",
    );
    taken(
        dialect,
        line,
        &["Host: one.example.com"],
        "GET https://one.example.com",
    );
    taken(
        dialect,
        line,
        &[url, PROTO, HOST, URI],
        "GET https://one.example.com/x?y=1",
    );
    taken(
        dialect,
        line,
        &[url, "X-Forwarded-Host: ONE.example.com:443"],
        "GET https://one.example.com/x?y=1",
    );
    for (name, field) in [
        ("x-forwarded-proto", "X-Forwarded-Proto: http"),
        ("x-forwarded-host", "X-Forwarded-Host: public.example.com"),
        ("x-forwarded-host", "X-Forwarded-Host: one.example.com:8443"),
        ("x-forwarded-uri", "X-Forwarded-URI: /x?y=2"),
        ("x-forwarded-uri", "X-Forwarded-URI: /y?y=1"),
    ] {
        assert_eq!(
            refused(dialect, line, &[url, field]),
            FactsReason::Contradiction(name),
            "{field}"
        );
    }
    assert_eq!(
        refused(dialect, line, &["X-Original-URL:", HOST]),
        FactsReason::Missing("x-original-url")
    );
    assert_eq!(
        refused(dialect, line, &[url, url]),
        FactsReason::Doubled("x-original-url")
    );
    refused(dialect, line, &[HOST, "X-Forwarded-Method: post"]);
}
