//! Targets that are judged, targets that are not, and what is kept of them.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use proptest::prelude::*;

use super::path::{for_rules, guarded, is_plain, normalise};
use super::{HostError, Target, TargetError, host_is_within};

fn parts<'a>(
    scheme: &str,
    host: &'a str,
    uri: &'a str,
    method: &'a str,
) -> Result<Target<'a>, TargetError> {
    Target::from_parts(
        scheme.as_bytes(),
        host.as_bytes(),
        uri.as_bytes(),
        method.as_bytes(),
    )
}

#[test]
fn a_target_keeps_what_was_sent_beside_what_rules_see() {
    let target = parts(
        "HTTPS",
        "One.Example.com:8443",
        "/a/../b%20c//d/?x=%zz",
        "PROPFIND",
    )
    .expect("good");
    assert_eq!(target.scheme().as_str(), "https");
    assert_eq!(target.host().as_sent(), "One.Example.com");
    assert_eq!(target.host().lower(), "one.example.com");
    assert_eq!(target.host().port(), Some(8443));
    assert_eq!(target.path(), "/a/../b%20c//d/");
    assert_eq!(target.query(), Some("x=%zz"));
    assert_eq!(target.method(), "PROPFIND");
    assert_eq!(target.rule_path(), "/b c/d/");
    assert_eq!(target.guarded_path(), None);
    assert_eq!(
        target.url_text(),
        "https://One.Example.com:8443/a/../b%20c//d/?x=%zz"
    );
}

#[test]
fn every_part_holds_only_itself() {
    use HostError::{Character, Empty, EmptyLabel, Port, TooLong};
    assert!(parts("https", "one.example.com", "/", "GET").is_ok());
    for (scheme, expect) in [
        ("http", TargetError::Insecure),
        ("WS", TargetError::Insecure),
        ("ftp", TargetError::Scheme),
        ("", TargetError::Scheme),
        ("https,http", TargetError::Scheme),
        ("https://public.example.com/?x=", TargetError::Scheme),
    ] {
        assert_eq!(
            parts(scheme, "one.example.com", "/", "GET"),
            Err(expect),
            "`{scheme}`"
        );
    }
    let long = "a.".repeat(150) + "example.com";
    let label = "a".repeat(64) + ".example.com";
    for (host, expect) in [
        ("", Empty),
        (":443", Empty),
        ("norm.example.com/public/", Character),
        ("a:b@one.example.com", Port),
        ("a@one.example.com", Character),
        ("evil.com?.example.com", Character),
        ("evil.com#.example.com", Character),
        ("evil.com\\.example.com", Character),
        ("one.example.com evil.com", Character),
        ("one.example.com\t", Character),
        ("evil.com,one.example.com", Character),
        ("one%2eexample.com", Character),
        ("one.example.com%00", Character),
        ("önes.example.com", Character),
        ("[::1]", Port),
        ("::1", Port),
        ("one.example.com.", EmptyLabel),
        (".example.com", EmptyLabel),
        ("one..example.com", EmptyLabel),
        (long.as_str(), TooLong),
        (label.as_str(), TooLong),
        ("one.example.com:", Port),
        ("one.example.com:0", Port),
        ("one.example.com:+1", Port),
        ("one.example.com:65536", Port),
        ("one.example.com:443:443", Port),
    ] {
        let error = parts("https", host, "/", "GET").expect_err(host);
        assert_eq!(error, TargetError::Host(expect), "`{host}`");
    }
    for method in [
        "",
        "get",
        "G ET",
        "M-SEARCH",
        "GET, POST",
        &"A".repeat(1000),
    ] {
        assert_eq!(
            parts("https", "one.example.com", "/", method),
            Err(TargetError::Method),
            "`{method}`"
        );
    }
    for (uri, expect) in [
        ("@public.example.com/", TargetError::NoSlash),
        (":8443/x", TargetError::NoSlash),
        ("*", TargetError::NoSlash),
        ("x", TargetError::NoSlash),
        ("http://public.example.com/", TargetError::NoSlash),
        ("/\u{1}x", TargetError::Control),
        ("/?\r\n", TargetError::Control),
        ("/a#b", TargetError::Fragment),
        ("/?a#b", TargetError::Fragment),
        ("/\\x", TargetError::Backslash),
        (&format!("/{}", "a".repeat(70_000)), TargetError::TooLong),
    ] {
        assert_eq!(
            parts("https", "one.example.com", uri, "GET"),
            Err(expect),
            "`{uri:.40}`"
        );
    }
    assert_eq!(
        Target::from_parts(b"https", b"one.example.com", b"/?\xff", b"GET"),
        Err(TargetError::NotUtf8)
    );
}

#[test]
fn a_url_is_cut_and_not_interpreted() {
    let target = Target::from_url(b"https://one.example.com:8443/p?a=b&c=d", b"GET").expect("good");
    assert_eq!(
        target,
        parts("https", "one.example.com:8443", "/p?a=b&c=d", "GET").expect("good")
    );
    assert!(Target::from_url(b"https://one.example.com", b"GET").is_ok());
    for url in [
        "one.example.com/",
        "https:///one.example.com/",
        "https://user:pw@one.example.com/",
        "https://one.example.com@evil.com/",
        "https://[::1",
        "https://%zz/",
        "javascript:1",
        "//one.example.com/",
        "",
        "https://",
        "https://one.example.com#/x",
        "http://one.example.com/",
    ] {
        assert!(Target::from_url(url.as_bytes(), b"GET").is_err(), "`{url}`");
    }
}

#[test]
fn the_text_to_come_back_to_is_the_one_of_the_contract() {
    for (uri, expect) in [
        ("/p?a=b&c=d", "/p?a=b&c=d"),
        ("/a b?c=d e", "/a%20b?c=d e"),
        ("/a+b?c+d", "/a+b?c+d"),
        ("/%20%2F%41?x=%20%zz", "/%20%2F%41?x=%20%zz"),
        (
            "/\"<>^`{}|?\"<>^`{}|\\",
            "/%22%3C%3E%5E%60%7B%7D%7C?\"<>^`{}|\\",
        ),
        ("/-_.~!$&'()*+,;=:@[]", "/-_.~!$&'()*+,;=:@[]"),
        ("/é?é", "/%C3%A9?é"),
        ("/a/../b/./c//d/", "/a/../b/./c//d/"),
        ("/?", "/?"),
        ("", ""),
        ("?x=1", "?x=1"),
    ] {
        let target = parts("wss", "one.example.com", uri, "GET").expect(uri);
        assert_eq!(target.url_text(), format!("wss://one.example.com{expect}"));
    }
}

#[test]
fn a_host_lies_within_its_domain_only() {
    for (host, domain, expect) in [
        ("example.com", "example.com", true),
        ("a.b.example.com", "Example.com", true),
        ("evilexample.com", "example.com", false),
        ("example.com.evil.test", "example.com", false),
        ("com", "example.com", false),
        ("example.com", "", false),
    ] {
        assert_eq!(host_is_within(host, domain), expect, "{host} in {domain}");
    }
}

/// Pieces that paths of attackers are made of.
fn nasty_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", ".", "..", "%2e", "%2E", "%2f", "%252e", "%25", ";", "#", "%23", "a", "é", "%c3%a9",
        "\\", "%00", " ", "?", "=",
    ]);
    prop::collection::vec(piece, 0..20).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(scheme: Vec<u8>, host: Vec<u8>, uri: Vec<u8>, method: Vec<u8>) {
        let _ = Target::from_parts(&scheme, &host, &uri, &method);
        let _ = Target::from_parts(b"https", b"one.example.com", &uri, b"GET");
        let _ = Target::from_parts(b"https", &host, b"/", b"GET");
        let _ = Target::from_url(&uri, &method);
    }

    /// A visitor comes back from the portal to the page that was judged.
    #[test]
    fn the_url_to_come_back_to_is_the_target(
        host in "[a-zA-Z0-9_.-]{1,12}(:[0-9]{1,5})?",
        path in prop_oneof![nasty_path(), "(/[ -~é]{0,12})?"],
        query in prop::option::of("[!-~]{0,8}"),
    ) {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = path + &query;
        if let Ok(target) = Target::from_parts(b"https", host.as_bytes(), uri.as_bytes(), b"GET") {
            let url = target.url_text();
            let again = Target::from_url(url.as_bytes(), b"GET");
            let again = again.map_err(|error| TestCaseError::fail(format!("{url}: {error}")))?;
            prop_assert_eq!(again.host(), target.host());
            prop_assert_eq!(again.rule_path(), target.rule_path());
            prop_assert_eq!(again.guarded_path(), target.guarded_path());
            prop_assert_eq!(again.query().unwrap_or_default(), target.query().unwrap_or_default());
            prop_assert_eq!(again.url_text(), url);
        }
    }

    #[test]
    fn what_rules_see_is_folded(path in nasty_path()) {
        if let Ok(target) = Target::from_parts(b"https", b"one.example.com", path.as_bytes(), b"GET") {
            for seen in [Some(target.rule_path()), target.guarded_path()].into_iter().flatten() {
                prop_assert!(seen.starts_with('/'));
                prop_assert!(!seen.split('/').any(|segment| segment == ".." || segment == "."));
                prop_assert!(!seen.contains("//") && !seen.contains('\\'));
                prop_assert_eq!(normalise(seen), seen);
            }
        }
    }

    #[test]
    fn a_plain_path_is_one_that_nobody_changes(path in prop_oneof![nasty_path(), "[/.a;#%? é]{0,8}", "/[ -~]{0,12}"]) {
        if is_plain(&path) {
            prop_assert!(!path.contains(['%', '\\', ';', '#', '?']));
            prop_assert_eq!(normalise(&path), path.as_str());
            prop_assert_eq!(for_rules(&path), Ok(path.as_str().into()));
            prop_assert_eq!(guarded(&path), Ok(None));
        }
    }

    #[test]
    fn a_target_with_its_own_text_is_the_same(path in nasty_path(), host in "[a-zA-Z]{1,8}") {
        if let Ok(target) = Target::from_parts(b"https", host.as_bytes(), path.as_bytes(), b"GET") {
            prop_assert_eq!(target.clone().into_owned(), target);
        }
    }
}
