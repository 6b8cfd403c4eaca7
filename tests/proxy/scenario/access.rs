//! Who is let in, who is sent to the portal, and what the application is told about them.

use std::sync::Arc;

use super::super::stage::Stage;
use super::forgery::{FORGED_WHERE, forged};
use super::{passed, refused, scenes, sent_to, who};
use crate::harness::{Request, Seen};
scenes![
    a_public_page_passes_without_an_identity,
    the_portal_is_open_and_the_questions_of_proxies_are_not,
    plain_http_is_sent_to_https,
    a_protected_page_redirects_to_the_portal_with_the_exact_page,
    a_login_passes_with_four_headers,
    a_name_beyond_ascii_arrives_as_it_is,
    a_denied_site_is_refused,
    a_second_factor_is_asked_for_where_the_rule_wants_it,
    a_post_without_a_session_is_sent_to_the_portal_with_get,
    a_script_without_a_session_gets_401,
    wrong_basic_credentials_get_401,
    a_logout_ends_it,
];

async fn a_public_page_passes_without_an_identity(stage: Arc<Stage>) {
    let seen = passed(
        &stage
            .visitor()
            .open(&stage.url("public", "/a/b?x=1&y=%2F"))
            .await,
    );
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/a/b?x=1&y=%2F")
    );
    assert_eq!(seen.one("host"), stage.authority("public"));
    assert_eq!(who(&seen), ["", "", "", ""]);
}

async fn the_portal_is_open_and_the_questions_of_proxies_are_not(stage: Arc<Stage>) {
    let answer = stage.visitor().open(&stage.url("auth", "/")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        Seen::in_answer(&answer).is_none(),
        "the portal is not the application: {answer:?}"
    );
    for path in [
        "/api/authz/forward-auth",
        "/api/authz/auth-request",
        "/api/verify",
    ] {
        let request = forged(Request::get(&stage.url("auth", path)), &FORGED_WHERE);
        let answer = stage.client().send(request).await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
}

async fn plain_http_is_sent_to_https(stage: Arc<Stage>) {
    let answer = stage
        .plain_client()
        .send(Request::get("http://one.example.com/p?x=1").for_page())
        .await;
    assert!([301, 302, 307, 308].contains(&answer.status), "{answer:?}");
    let location = answer.header("location").expect("a location");
    assert!(
        location.starts_with("https://one.example.com") && location.ends_with("/p?x=1"),
        "{location}"
    );
}

async fn a_protected_page_redirects_to_the_portal_with_the_exact_page(stage: Arc<Stage>) {
    for path in [
        "/",
        "/obs/200?x=1",
        "/a%20b/%C3%A9?back=https%3A%2F%2Fone.example.com%2F&t=a+b&t=2",
        "/obs?x=",
    ] {
        let url = stage.url("one", path);
        let answer = stage.visitor().open(&url).await;
        sent_to(&answer, 302, &stage.portal_for(&url, "GET"));
        let answer = stage
            .client()
            .send(Request::new("HEAD", &url).for_page())
            .await;
        sent_to(&answer, 302, &stage.portal_for(&url, "HEAD"));
    }
}

async fn a_login_passes_with_four_headers(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    let seen = passed(&john.open(&stage.url("one", "/welcome?x=1")).await);
    assert_eq!(seen.target, "/welcome?x=1");
    assert_eq!(
        who(&seen),
        ["john", "dev,admins", "John Doe", "john.doe@example.com"]
    );
    let seen = passed(&john.open(&stage.url("public", "/")).await);
    assert_eq!(
        who(&seen),
        ["john", "dev,admins", "John Doe", "john.doe@example.com"]
    );
}

async fn a_name_beyond_ascii_arrives_as_it_is(stage: Arc<Stage>) {
    let mut zoe = stage.logged_in("zoe").await;
    let seen = passed(&zoe.open(&stage.url("one", "/")).await);
    assert_eq!(who(&seen), ["zoe", "", "Zoë Müller", "zoe@example.com"]);
}

async fn a_denied_site_is_refused(stage: Arc<Stage>) {
    for site in ["deny", "unheard-of"] {
        refused(&stage.visitor().open(&stage.url(site, "/")).await, 403);
    }
    let mut harry = stage.logged_in("harry").await;
    refused(&harry.open(&stage.url("deny", "/")).await, 403);
    refused(&harry.open(&stage.url("admins", "/")).await, 403);
    let mut john = stage.logged_in("john").await;
    passed(&john.open(&stage.url("admins", "/")).await);
}

async fn a_second_factor_is_asked_for_where_the_rule_wants_it(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    let url = stage.url("two", "/");
    sent_to(&john.open(&url).await, 302, &stage.portal_for(&url, "GET"));
}

async fn a_post_without_a_session_is_sent_to_the_portal_with_get(stage: Arc<Stage>) {
    let url = stage.url("one", "/form?x=1");
    let request = Request::new("POST", &url).for_page().body("a=b");
    sent_to(
        &stage.client().send(request).await,
        303,
        &stage.portal_for(&url, "POST"),
    );
}

async fn a_script_without_a_session_gets_401(stage: Arc<Stage>) {
    let url = stage.url("one", "/data.json");
    let json = Request::get(&url).header("Accept", "application/json");
    let xhr = Request::get(&url)
        .for_page()
        .header("X-Requested-With", "XMLHttpRequest");
    let bare = Request::get(&url);
    let post =
        Request::post_json(&url, &serde_json::json!({})).header("Accept", "application/json");
    for request in [json, xhr, bare, post] {
        let shown = format!("{request:?}");
        let answer = stage.client().send(request).await;
        assert_eq!(answer.status, 401, "{shown}: {answer:?}");
        refused(&answer, 401);
        let location = answer.header("location").unwrap_or_default();
        assert!(
            location.starts_with(&stage.url("auth", "/?rd=")),
            "{shown}: {answer:?}"
        );
    }
}

async fn wrong_basic_credentials_get_401(stage: Arc<Stage>) {
    let url = stage.url("one", "/");
    let request = Request::get(&url)
        .for_page()
        .header("Authorization", "Basic aGFycnk6d3Jvbmc=");
    let answer = stage.client().send(request).await;
    refused(&answer, 401);
    assert!(
        answer
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.starts_with("Basic ")),
        "{answer:?}"
    );
    assert_eq!(answer.header("location"), None, "{answer:?}");
    let request = Request::get(&url).header("Authorization", "Basic am9objpwYXNzd29yZA==");
    assert_eq!(
        passed(&stage.client().send(request).await).one("remote-user"),
        "john"
    );
}

async fn a_logout_ends_it(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    let url = stage.url("one", "/");
    passed(&john.open(&url).await);
    let before = john.clone();
    john.log_out().await;
    let portal = stage.portal_for(&url, "GET");
    sent_to(&john.open(&url).await, 302, &portal);
    // The old cookie is dead on every node, whichever the proxy asks.
    for _ in 0..6 {
        sent_to(&before.clone().open(&url).await, 302, &portal);
    }
}
