//! The gateway between a client and nodes that are played by this test.

mod stage;

use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::stage::{Played, Stage, header, text};

#[tokio::test]
async fn strangers_go_to_the_portal_and_those_with_a_session_see_the_site() {
    let stage = Stage::with([Played::Deciding; 3]).await;
    let answer = stage.get("one", "/a?b=c", &[]).await;
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(
        header(&answer, "location"),
        "https://auth.quorate.localhost/?rd=one"
    );
    let answer = stage.get("one", "/", &[("cookie", "session=john")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(
        text(&answer).contains("You are <b>john &lt;b&gt;</b>."),
        "{}",
        text(&answer)
    );
    assert_eq!(header(&answer, "set-cookie"), "seen=1");
    let answer = stage.get("admin", "/", &[("cookie", "session=john")]).await;
    assert_eq!(
        (answer.status(), text(&answer)),
        (StatusCode::FORBIDDEN, "no".into())
    );
    let answer = stage.get("public", "/", &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(text(&answer).contains("You are a stranger here"));
}

#[tokio::test]
async fn the_start_page_is_open_and_unknown_hosts_are_refused() {
    let stage = Stage::with([Played::Absent; 3]).await;
    assert_eq!(stage.get("", "/", &[]).await.status(), StatusCode::OK);
    assert_eq!(
        stage.get("three", "/", &[]).await.status(),
        StatusCode::MISDIRECTED_REQUEST
    );
}

/// Everything by which a visitor could try to pass for somebody or something else.
const FORGED: [(&str, &str); 9] = [
    ("remote-user", "mallory"),
    ("Remote-Groups", "forgers"),
    ("x-forwarded-host", "public.quorate.localhost"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x-forwarded-uri", "/forged"),
    ("x-forwarded-method", "FORGED"),
    ("x-original-url", "https://public.quorate.localhost/"),
    ("x-authelia-url", "https://forged.quorate.localhost/"),
    ("forwarded", "for=192.0.2.1;host=public.quorate.localhost"),
];

#[tokio::test]
async fn no_forged_header_reaches_a_node() {
    for host in ["one", "auth"] {
        let stage = Stage::with([Played::Deciding; 3]).await;
        stage.get(host, "/path?q=1", &FORGED).await;
        let seen = stage.seen();
        assert_eq!(seen.len(), 1);
        let told = |name: &str| {
            let all: Vec<_> = seen[0].headers().get_all(name).iter().collect();
            all.iter()
                .map(|value| value.to_str().expect("text"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(
            told("x-forwarded-host"),
            format!("{host}.quorate.localhost")
        );
        assert_eq!(told("x-forwarded-for"), "127.0.0.1");
        assert_eq!(told("x-forwarded-uri"), "/path?q=1");
        assert_eq!(told("x-forwarded-method"), "GET");
        assert_eq!(told("x-forwarded-proto"), "https");
        for absent in [
            "remote-user",
            "remote-groups",
            "x-original-url",
            "x-authelia-url",
            "forwarded",
        ] {
            assert_eq!(told(absent), "", "{host}: {absent}");
        }
    }
}

#[tokio::test]
async fn the_site_shows_the_identity_of_the_node_and_not_the_visitors_claim() {
    let stage = Stage::with([Played::Deciding; 3]).await;
    let answer = stage.get("public", "/", &FORGED).await;
    let page = text(&answer);
    assert!(
        !page.contains("mallory") && !page.contains("forgers"),
        "{page}"
    );
}

#[tokio::test]
async fn a_node_that_fails_is_passed_over_within_a_bound() {
    for failing in [
        Played::Absent,
        Played::Saying(503),
        Played::Saying(500),
        Played::Silent,
    ] {
        let stage = Stage::with([failing, failing, Played::Deciding]).await;
        let started = Instant::now();
        for host in ["public", "auth"] {
            let answer = stage.get(host, "/", &[]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{failing:?} {host}");
            assert_eq!(header(&answer, "x-demo-node"), "n3", "{failing:?} {host}");
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{failing:?}");
    }
}

#[tokio::test]
async fn without_any_node_nobody_gets_in() {
    for failing in [Played::Absent, Played::Saying(503), Played::Saying(204)] {
        let stage = Stage::with([failing; 3]).await;
        let answer = stage.get("public", "/", &[]).await;
        assert_eq!(
            answer.status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "{failing:?}"
        );
        assert_eq!(header(&answer, "retry-after"), "1");
    }
}

#[tokio::test]
async fn nodes_take_turns() {
    let stage = Stage::with([Played::Deciding; 3]).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(header(&stage.get("public", "/", &[]).await, "x-demo-node"));
    }
    assert_eq!(nodes, ["n1", "n2", "n3", "n1"]);
}

#[tokio::test]
async fn a_login_is_tried_again_only_if_no_node_has_seen_it() {
    let stage = Stage::with([Played::Absent, Played::Deciding, Played::Deciding]).await;
    let answer = stage.post("/api/firstfactor", "{}").await;
    assert_eq!((answer.status(), stage.seen().len()), (StatusCode::OK, 1));
    assert_eq!(header(&answer, "set-cookie"), "session=john");

    let stage = Stage::with([Played::Dying, Played::Deciding, Played::Deciding]).await;
    let answer = stage.post("/api/firstfactor", "{}").await;
    assert_eq!(
        (answer.status(), stage.seen().len()),
        (StatusCode::BAD_GATEWAY, 1)
    );

    let stage = Stage::with([Played::Saying(503), Played::Deciding, Played::Deciding]).await;
    let answer = stage.post("/api/firstfactor", "{}").await;
    assert_eq!(
        (answer.status(), stage.seen().len()),
        (StatusCode::SERVICE_UNAVAILABLE, 1)
    );
}

#[tokio::test]
async fn bodies_pass_and_large_ones_do_not() {
    let stage = Stage::with([Played::Deciding; 3]).await;
    stage
        .post("/api/firstfactor", "{\"username\":\"john\"}")
        .await;
    assert_eq!(stage.seen()[0].body(), "{\"username\":\"john\"}");
    let answer = stage
        .post("/api/firstfactor", &"x".repeat((64 << 10) + 1))
        .await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(stage.seen().len(), 1);
}

#[tokio::test]
async fn cookies_in_several_fields_become_one_and_transport_security_stays_behind() {
    let stage = Stage::with([Played::Deciding; 3]).await;
    let answer = stage
        .get(
            "auth",
            "/",
            &[("cookie", "a=1"), ("cookie", "session=john")],
        )
        .await;
    let seen = stage.seen();
    let cookies: Vec<_> = seen[0].headers().get_all("cookie").iter().collect();
    assert_eq!(cookies, ["a=1; session=john"]);
    assert_eq!(header(&answer, "strict-transport-security"), "");
    assert_eq!(header(&answer, "x-frame-options"), "DENY");
}

#[tokio::test]
async fn plain_http_is_sent_to_the_start_page() {
    let stage = Stage::with([Played::Absent; 3]).await;
    let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", stage.port))
        .await
        .expect("connected");
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: one.quorate.localhost\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.expect("read");
    let home = format!("Location: https://quorate.localhost:{}\r\n", stage.port);
    assert!(
        answer.starts_with("HTTP/1.1 302 Found\r\n") && answer.contains(&home),
        "{answer}"
    );
}
