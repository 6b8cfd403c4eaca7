//! The portal from outside: forms without a script, whose posts count, where people are sent, what every reply says.

use serde_json::json;

use crate::harness::{Answer, Cluster, Request, Settings, Visitor};

const PORTAL: &str = "https://auth.example.com";
const RIGHT: &str = "username=john&password=password";

async fn one() -> Cluster {
    Cluster::start(Settings::with_nodes(1)).await
}

/// Posts a form to a path of the portal, with the header lines given.
async fn post(visitor: &mut Visitor, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::new("POST", &format!("{PORTAL}{path}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    visitor.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_logs_in_and_leads_back_to_the_page() {
    let cluster = one().await;
    let mut john = cluster.visitor(0);
    let page = john
        .open(&format!(
            "{PORTAL}/?rd=https%3A%2F%2Fone.example.com%2Fp%3Fx%3D1&rm=GET"
        ))
        .await;
    let text = page.text();
    assert!(
        text.contains("action=\"/login\"") && text.contains("one.example.com"),
        "{text}"
    );
    let form = format!("{RIGHT}&rd=https%3A%2F%2Fone.example.com%2Fp%3Fx%3D1&rm=GET");
    let answer = post(&mut john, "/login", &form, &[("Origin", PORTAL)]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("https://one.example.com/p?x=1"))
    );
    let page = john.open(&format!("{PORTAL}/")).await;
    assert!(page.text().contains("John Doe"), "{}", page.text());
    let answer = post(&mut john, "/logout", "", &[("Origin", PORTAL)]).await;
    assert_eq!(answer.status, 200);
    assert!(
        john.cookie_header().is_empty(),
        "the browser has forgotten the cookie"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_pages_may_post() {
    let cluster = one().await;
    let foreign: [&[(&str, &str)]; 5] = [
        &[],
        &[("Origin", "https://evil.test")],
        &[("Origin", "https://one.example.com")],
        &[("Origin", "null")],
        &[("Sec-Fetch-Site", "same-site")],
    ];
    for headers in foreign {
        let mut visitor = cluster.visitor(0);
        let answer = post(&mut visitor, "/login", RIGHT, headers).await;
        assert_eq!(
            (answer.status, visitor.cookie_header()),
            (403, String::new()),
            "{headers:?}"
        );
        let mut john = cluster.visitor(0);
        john.log_in("john", "password").await;
        assert_eq!(
            post(&mut john, "/logout", "", headers).await.status,
            403,
            "{headers:?}"
        );
        assert!(
            john.open(&format!("{PORTAL}/"))
                .await
                .text()
                .contains("John Doe"),
            "{headers:?}"
        );
    }
    for (content_type, status) in [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let request = Request::new("POST", &format!("{PORTAL}/api/firstfactor"))
            .header("Content-Type", content_type)
            .body(json!({"username": "john", "password": "password"}).to_string());
        assert_eq!(
            cluster.visitor(0).send(request).await.status,
            status,
            "{content_type}"
        );
    }
    let mut reader = cluster.visitor(0);
    assert_eq!(
        reader.open(&format!("{PORTAL}/login?{RIGHT}")).await.status,
        200
    );
    assert!(reader.cookie_header().is_empty(), "a link logs nobody in");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_outside() {
    let cluster = one().await;
    let outside = [
        "https://evil.test/",
        "https://evilexample.com/",
        "https://one.example.com.evil.test/",
        "https://one.example.com@evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "http://one.example.com/",
        "javascript:alert(1)",
        "https://evil.test\\.example.com/",
        "https://evil.test#.example.com/",
        "https://one.example.com./",
        "https:evil.test",
        "https://one.example.com\t.evil.test/",
    ];
    for target in outside {
        let mut john = cluster.visitor(0);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", target)
            .finish();
        let page = john.open(&format!("{PORTAL}/?{query}")).await;
        assert!(!page.text().contains("evil"), "{target}: {}", page.text());
        let answer = post(
            &mut john,
            "/login",
            &format!("{RIGHT}&{query}"),
            &[("Origin", PORTAL)],
        )
        .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/")),
            "{target}"
        );
        let again = john.open(&format!("{PORTAL}/?{query}")).await;
        assert_eq!(again.status, 200, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_carries_the_security_headers() {
    let cluster = one().await;
    let mut visitor = cluster.visitor(0);
    for (path, status) in [
        ("/", 200),
        ("/api/nope", 404),
        ("/api/state", 200),
        ("/static/none.css", 404),
        ("/api/configuration", 403),
    ] {
        let answer = visitor.open(&format!("{PORTAL}{path}")).await;
        assert_eq!(answer.status, status, "{path}");
        for name in [
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "permissions-policy",
            "strict-transport-security",
            "cache-control",
        ] {
            assert!(answer.header(name).is_some(), "{path}: {name}");
        }
    }
    let page = visitor.open(&format!("{PORTAL}/")).await.text();
    let style = page
        .split("href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a style sheet");
    let answer = visitor.open(&format!("{PORTAL}{style}")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reauthentication_gives_a_new_cookie_and_ends_the_old_one() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let before = john.clone();
    let path = "/api/firstfactor/reauthenticate";
    let wrong = john
        .post_to_portal(path, &json!({"password": "wrong"}))
        .await;
    assert_eq!(
        (wrong.status, john.cookie_header()),
        (401, before.cookie_header())
    );
    let right = john
        .post_to_portal(path, &json!({"password": "password"}))
        .await;
    assert_eq!(right.status, 200, "{right:?}");
    assert_ne!(john.cookie_header(), before.cookie_header());
    for node in cluster.nodes() {
        let state = Request::get(&format!("{PORTAL}/api/state"));
        let old = node
            .client()
            .send(before.with_cookies(state.clone()))
            .await
            .json();
        let new = node.client().send(john.with_cookies(state)).await.json();
        assert_eq!(
            (&old["data"]["username"], &new["data"]["username"]),
            (&json!(""), &json!("john"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_headers_count_from_trusted_proxies_only() {
    let untrusting = Settings::with_nodes(1).set("server.trusted_proxies", json!(["192.0.2.1/32"]));
    let cluster = Cluster::start(untrusting).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let request = Request::get("https://quorate.internal/api/authz/forward-auth")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "one.example.com")
        .header("X-Forwarded-Uri", "/");
    assert_eq!(john.send(request).await.status, 403);
    let foreign =
        Request::get(&format!("{PORTAL}/api/state")).header("X-Forwarded-Host", "evil.test");
    assert_eq!(
        john.send(foreign).await.status,
        200,
        "a stranger's X-Forwarded-Host says nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_beyond_ascii_is_reached() {
    let cluster = one().await;
    let mut john = cluster.visitor(0);
    let form = format!("{RIGHT}&rd=https%3A%2F%2Fone.example.com%2Fp%3Fx%3D%C3%A9");
    let answer = post(&mut john, "/login", &form, &[("Origin", PORTAL)]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("https://one.example.com/p?x=%C3%A9"))
    );
}
