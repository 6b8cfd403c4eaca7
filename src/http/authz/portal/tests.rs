//! The URL of the portal, byte for byte, and which portals a request may name.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use quorate_core::access::Target;

use super::{PortalUrl, requested};

fn login_url(portal: &str, uri: &str, method: &str) -> String {
    let target = Target::from_parts(
        b"https",
        b"one.example.com",
        uri.as_bytes(),
        method.as_bytes(),
    )
    .expect("a target");
    PortalUrl::parse(portal)
        .expect("a portal")
        .login_url(&target)
}

#[test]
fn the_target_is_encoded_as_text_and_then_as_an_argument() {
    for (uri, rd) in [
        ("/", "%2F"),
        ("", ""),
        ("?x=1", "%3Fx%3D1"),
        ("/p?a=b&c=d", "%2Fp%3Fa%3Db%26c%3Dd"),
        ("/a b?c=d+e f", "%2Fa%2520b%3Fc%3Dd%2Be+f"),
        ("/%20%2F%41?x=%20%zz", "%2F%2520%252F%2541%3Fx%3D%2520%25zz"),
        (
            "/-_.~!$&'()*+,;=:@",
            "%2F-_.~%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40",
        ),
        ("/\"<>^`{}|", "%2F%2522%253C%253E%255E%2560%257B%257D%257C"),
        ("/?\"<>^`{}|\\", "%2F%3F%22%3C%3E%5E%60%7B%7D%7C%5C"),
        ("/é?é", "%2F%25C3%25A9%3F%C3%A9"),
        ("/a/../b/./c//d", "%2Fa%2F..%2Fb%2F.%2Fc%2F%2Fd"),
        ("//evil.com/x", "%2F%2Fevil.com%2Fx"),
        ("/p?", "%2Fp%3F"),
    ] {
        let expect =
            format!("https://auth.example.com/?rd=https%3A%2F%2Fone.example.com{rd}&rm=GET");
        assert_eq!(
            login_url("https://auth.example.com", uri, "GET"),
            expect,
            "{uri}"
        );
    }
}

#[test]
fn the_portal_keeps_its_place_and_its_arguments() {
    let rd = "rd=https%3A%2F%2Fone.example.com%2F";
    for (portal, expect) in [
        (
            "https://auth.example.com",
            format!("https://auth.example.com/?{rd}&rm=PUT"),
        ),
        (
            "https://AUTH.example.com:8443/",
            format!("https://auth.example.com:8443/?{rd}&rm=PUT"),
        ),
        (
            "https://login.example.com/sso",
            format!("https://login.example.com/sso/?{rd}&rm=PUT"),
        ),
        (
            "https://www.example.com/auth/?theme=dark&a=2&rd=x&rm=y&b+c=%26",
            format!("https://www.example.com/auth/?a=2&b+c=%26&{rd}&rm=PUT&theme=dark"),
        ),
    ] {
        assert_eq!(login_url(portal, "/", "PUT"), expect);
    }
    for bad in [
        "http://auth.example.com",
        "wss://auth.example.com",
        "auth.example.com",
        "https://a@auth.example.com",
        "",
    ] {
        assert!(PortalUrl::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_request_names_a_configured_portal_of_its_own_domain_or_none() {
    let configured = [
        "https://auth.example.com",
        "https://www.example.com/auth/?theme=dark",
        "https://login.example.net/sso",
    ]
    .map(|url| PortalUrl::parse(url).expect("a portal"));
    let target = Target::from_parts(b"https", b"one.example.com", b"/", b"GET").expect("a target");
    let rd = "rd=https%3A%2F%2Fone.example.com%2F&rm=GET";
    for (text, expect) in [
        (
            "https://auth.example.com/",
            Some("https://auth.example.com/"),
        ),
        (
            "https://auth.example.com",
            Some("https://auth.example.com/"),
        ),
        (
            "https://AUTH.Example.com:443/",
            Some("https://auth.example.com/"),
        ),
        (
            "https://auth.example.com/#/",
            Some("https://auth.example.com/"),
        ),
        (
            "https://auth.example.com/?a=b&rd=x",
            Some("https://auth.example.com/"),
        ),
        (
            "https://www.example.com/auth/",
            Some("https://www.example.com/auth/"),
        ),
        (
            "https://www.example.com/auth",
            Some("https://www.example.com/auth/"),
        ),
        (
            "https://www.example.com/x/../auth/",
            Some("https://www.example.com/auth/"),
        ),
        ("https://www.example.com/", None),
        ("https://auth.example.com/x", None),
        ("https://auth.example.com:8443/", None),
        ("http://auth.example.com/", None),
        ("https://login.example.com/", None),
        ("https://login.example.net/sso/", None),
        ("https://evil.com/", None),
        ("https://auth.example.com@evil.com/", None),
        ("https://evil@auth.example.com/", None),
        ("javascript://auth.example.com/%0aalert(1)", None),
        ("//auth.example.com/", None),
        ("/login", None),
        ("", None),
        ("https://auth.example.com/\r\nX-A: b", None),
        ("https://auth.example.com\\@evil.com/", None),
    ] {
        let portal = requested(text, "example.com", &configured);
        let got = portal.map(|portal| portal.login_url(&target));
        assert_eq!(got, expect.map(|place| format!("{place}?{rd}")), "{text}");
    }
}
