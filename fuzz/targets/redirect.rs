//! Where a visitor wants to be sent after login or logout.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use quorate::app::redirect::TargetText;
use quorate::config::{CookieDomain, SameSite};

fuzz_target!(|text: &str| {
    let domain = CookieDomain {
        domain: "example.com".to_owned(),
        name: "session".to_owned(),
        same_site: SameSite::Lax,
        expiration: Duration::from_secs(3600),
        inactivity: Duration::ZERO,
        remember_me: None,
        portal: None,
        default_redirection_url: None,
    };
    let read = TargetText::read(Some(text), std::slice::from_ref(&domain));
    let Some(target) = read.safe() else { return };
    let host = target.host();
    assert!(
        host == "example.com" || host.ends_with(".example.com"),
        "{host}"
    );
    let url = target.as_text();
    assert_eq!(url, text);
    // As a browser reads it: scheme, two slashes, the very host, and then no more authority.
    let (scheme, rest) = url.split_once("://").expect("an absolute URL");
    assert!(
        scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss"),
        "{scheme}"
    );
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let name = authority.split(':').next().unwrap_or_default();
    assert!(name.eq_ignore_ascii_case(&host), "{authority}");
    assert!(
        url.bytes().all(|byte| byte > b' ' && byte != 0x7f),
        "{url:?}"
    );
});
