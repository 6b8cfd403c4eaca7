//! What a client may claim, and no proxy may believe.

use std::sync::Arc;

use super::super::stage::Stage;
use super::{passed, refused, scenes, sent_to, spelled, who};
use crate::harness::Request;
scenes![
    the_page_cannot_choose_another_portal,
    a_forged_identity_never_reaches_the_application,
    a_forged_address_of_the_page_decides_nothing,
    a_forged_address_of_the_page_does_not_reach_the_application,
    a_connection_header_cannot_take_the_facts_away,
    an_absolute_request_target_cannot_borrow_a_public_host,
    dots_in_a_path_cannot_reach_around_a_rule,
];

/// What a client may try, and no proxy may believe.
pub(super) const FORGED_WHO: [(&str, &str); 9] = [
    ("Remote-User", "root"),
    ("remote-user", "admin"),
    ("Remote_User", "root"),
    ("Remote.User", "root"),
    ("REMOTE-GROUPS", "admins"),
    ("Remote_Groups", "admins"),
    ("Remote.Name", "Root"),
    ("Remote-Name", "Root"),
    ("Remote-Email", "root@example.com"),
];

pub(super) const FORGED_WHERE: [(&str, &str); 15] = [
    ("X-Forwarded-For", "169.254.1.2"),
    ("X-Forwarded-Host", "public.example.com"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Uri", "/open"),
    ("X-Forwarded-Method", "EVIL"),
    ("X-Forwarded-Port", "1"),
    ("X_Forwarded_Host", "public.example.com"),
    ("X.Forwarded.Host", "public.example.com"),
    ("X-Original-URL", "https://public.example.com/open"),
    ("X_Original_URL", "https://public.example.com/open"),
    ("X-Original-Method", "EVIL"),
    ("X-Original-Host", "public.example.com"),
    ("X-Authelia-URL", "https://evil.example.com/"),
    ("X-Real-IP", "169.254.1.2"),
    (
        "Forwarded",
        "for=169.254.1.2;host=public.example.com;proto=http",
    ),
];

async fn the_page_cannot_choose_another_portal(stage: Arc<Stage>) {
    let query = "authelia_url=https%3A%2F%2Fevil.example.com%2F&rd=https%3A%2F%2Fevil.example.com%2F&auth=basic";
    let url = stage.url("one", &format!("/?{query}"));
    let request = Request::get(&url)
        .for_page()
        .header("X-Authelia-URL", "https://evil.example.com/");
    sent_to(
        &stage.client().send(request).await,
        302,
        &stage.portal_for(&url, "GET"),
    );
}

async fn a_forged_identity_never_reaches_the_application(stage: Arc<Stage>) {
    let public = Request::get(&stage.url("public", "/")).for_page();
    let seen = passed(&stage.client().send(forged(public, &FORGED_WHO)).await);
    assert_eq!(who(&seen), ["", "", "", ""]);

    let mut zoe = stage.logged_in("zoe").await;
    for site in ["one", "public"] {
        let request = forged(Request::get(&stage.url(site, "/")).for_page(), &FORGED_WHO);
        let seen = passed(&zoe.send(request).await);
        assert_eq!(
            who(&seen),
            ["zoe", "", "Zoë Müller", "zoe@example.com"],
            "on {site}"
        );
    }

    let url = stage.url("one", "/");
    let request = forged(Request::get(&url).for_page(), &FORGED_WHO);
    sent_to(
        &stage.client().send(request).await,
        302,
        &stage.portal_for(&url, "GET"),
    );
}

async fn a_forged_address_of_the_page_decides_nothing(stage: Arc<Stage>) {
    let url = stage.url("one", "/secret?x=1");
    let portal = stage.portal_for(&url, "GET");
    let request = forged(Request::get(&url).for_page(), &FORGED_WHERE);
    sent_to(&stage.client().send(request).await, 302, &portal);
    for header in FORGED_WHERE {
        let request = forged(Request::get(&url).for_page(), &[header]);
        sent_to(&stage.client().send(request).await, 302, &portal);
        let request = forged(Request::get(&stage.url("deny", "/")).for_page(), &[header]);
        refused(&stage.client().send(request).await, 403);
    }
}

async fn a_forged_address_of_the_page_does_not_reach_the_application(stage: Arc<Stage>) {
    let request = forged(
        Request::get(&stage.url("public", "/page")).for_page(),
        &FORGED_WHERE,
    );
    let seen = passed(&stage.client().send(request).await);
    for (name, value) in &seen.headers {
        for (_, lie) in FORGED_WHERE {
            // The true host, port and scheme are no lies, wherever a proxy writes them.
            let is_true = value == &stage.authority("public") || name == "host";
            assert!(
                is_true || value != lie,
                "`{name}: {value}` reached the application: {seen:?}"
            );
        }
    }
    assert_eq!(spelled(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(spelled(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(
        spelled(&seen, "x-forwarded-host"),
        [stage.authority("public")]
    );
}

async fn a_connection_header_cannot_take_the_facts_away(stage: Arc<Stage>) {
    let named = "close, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-For, \
                 X-Original-URL, X-Original-Method, Remote-User";
    let url = stage.url("one", "/secret");
    let request = Request::get(&url).for_page().header("Connection", named);
    let answer = stage.client().send(request).await;
    if answer.status == 400 {
        // Envoy takes no such request at all.
        return refused(&answer, 400);
    }
    sent_to(&answer, 302, &stage.portal_for(&url, "GET"));

    let mut zoe = stage.logged_in("zoe").await;
    let request = Request::get(&url)
        .for_page()
        .header("Connection", named)
        .header("Remote-User", "root");
    let seen = passed(&zoe.send(request).await);
    assert_eq!(who(&seen)[0], "zoe");
}

async fn an_absolute_request_target_cannot_borrow_a_public_host(stage: Arc<Stage>) {
    let (one, public) = (stage.authority("one"), stage.authority("public"));
    for (target, host) in [(&one, &public), (&public, &one)] {
        let request = format!(
            "GET https://{target}/secret HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        let got = stage
            .client()
            .raw("one.example.com", request.as_bytes(), |_| false)
            .await
            .expect("an answer");
        let text = String::from_utf8_lossy(&got).to_ascii_lowercase();
        if text.starts_with("http/1.1 200") {
            // A proxy may believe either name, but the application must be told the one that was decided about.
            let (_, body) = text.split_once("\r\n\r\n").expect("a body");
            assert!(
                body.contains(&format!("[\"host\",\"{public}\"]")),
                "{target} {host}: {text}"
            );
        } else {
            let is_closed = ["http/1.1 3", "http/1.1 4"]
                .iter()
                .any(|status| text.starts_with(status));
            assert!(
                is_closed && !text.contains("x-echo-site"),
                "{target} {host}: {text}"
            );
        }
    }
}

async fn dots_in_a_path_cannot_reach_around_a_rule(stage: Arc<Stage>) {
    passed(
        &stage
            .visitor()
            .open(&stage.url("mixed", "/open/page"))
            .await,
    );
    for path in [
        "/open/../secret",
        "/open/%2e%2e/secret",
        "/open/..%2Fsecret",
        "/open/%2E%2E%2fsecret",
        "/open/./../secret",
    ] {
        let host = stage.authority("mixed");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        let got = stage
            .client()
            .raw("mixed.example.com", request.as_bytes(), |_| false)
            .await
            .expect("an answer");
        let text = String::from_utf8_lossy(&got).to_ascii_lowercase();
        let is_closed = ["http/1.1 3", "http/1.1 4", "http/1.1 5"]
            .iter()
            .any(|status| text.starts_with(status));
        assert!(is_closed && !text.contains("x-echo-site"), "{path}: {text}");
    }
}

/// Adds forged headers to a request.
pub(super) fn forged(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}
