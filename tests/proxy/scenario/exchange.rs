//! Requests of every kind that a guarded application must still be able to serve.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::stage::Stage;
use super::forgery::{FORGED_WHO, forged};
use super::{passed, refused, scenes, sent_to, who};
use crate::harness::{Request, Site};
scenes![
    a_post_with_a_session_passes_with_its_body,
    a_conditional_request_passes,
    large_cookies_and_long_urls_pass,
    http2_with_a_field_for_each_cookie_passes,
    a_websocket_passes_with_a_session_only,
];

async fn a_post_with_a_session_passes_with_its_body(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    let body = "0123456789".repeat(2_000);
    let request = Request::new("POST", &stage.url("one", "/form"))
        .for_page()
        .body(body.clone());
    let seen = passed(&john.send(request).await);
    assert_eq!(
        (seen.method.as_str(), seen.one("remote-user")),
        ("POST", "john")
    );
    assert!(
        seen.body == body,
        "{} of {} bytes arrived",
        seen.body.len(),
        body.len()
    );
}

async fn a_conditional_request_passes(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    let request = Request::get(&stage.url("one", "/file"))
        .for_page()
        .header("If-None-Match", "\"tag\"")
        .header("If-Modified-Since", "Mon, 23 Nov 2026 10:00:00 GMT")
        .header("Range", "bytes=0-9");
    let seen = passed(&john.send(request).await);
    assert_eq!(seen.one("if-none-match"), "\"tag\"");
    assert_eq!(seen.one("range"), "bytes=0-9");
}

async fn large_cookies_and_long_urls_pass(stage: Arc<Stage>) {
    let john = stage.logged_in("john").await;
    let url = stage.url("one", &format!("/long?x={}", "y".repeat(4_000)));
    let cookies = format!("big={}; {}", "z".repeat(6_000), john.cookie_header());
    let answer = stage
        .client()
        .send(Request::get(&url).for_page().header("Cookie", cookies))
        .await;
    assert_eq!(passed(&answer).one("remote-user"), "john");
    let answer = john.through(stage.client()).open(&url).await;
    assert_eq!(passed(&answer).one("remote-user"), "john");
    sent_to(
        &stage.visitor().open(&url).await,
        302,
        &stage.portal_for(&url, "GET"),
    );
}

async fn http2_with_a_field_for_each_cookie_passes(stage: Arc<Stage>) {
    let john = stage.logged_in("john").await;
    let url = stage.url("one", "/h2?x=1");
    let cookies = format!("first=1; {}; last=2", john.cookie_header());
    let request = forged(Request::get(&url).for_page(), &FORGED_WHO);
    let seen = passed(
        &stage
            .client()
            .send_h2(request.clone().header("Cookie", cookies))
            .await,
    );
    assert_eq!(
        (seen.target.as_str(), who(&seen)[0].as_str()),
        ("/h2?x=1", "john")
    );
    sent_to(
        &stage.client().send_h2(request).await,
        302,
        &stage.portal_for(&url, "GET"),
    );
}

async fn a_websocket_passes_with_a_session_only(stage: Arc<Stage>) {
    let handshake = Request::get(&stage.url("one", "/socket"))
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", Site::WEBSOCKET_KEY)
        .header("Origin", stage.url("one", ""));
    let connection = stage
        .client()
        .connect(&handshake)
        .await
        .expect("a connection");
    let answer = connection
        .upgrade(&handshake)
        .await
        .expect("an answer")
        .expect_err("no upgrade for nobody");
    refused(&answer, 401);

    let john = stage.logged_in("john").await;
    let connection = stage
        .client()
        .connect(&handshake)
        .await
        .expect("a connection");
    let upgraded = connection
        .upgrade(&john.with_cookies(handshake))
        .await
        .expect("an answer");
    let mut socket =
        upgraded.unwrap_or_else(|answer| panic!("no upgrade with a session: {answer:?}"));
    socket.write_all(b"there").await.expect("write");
    let mut back = [0_u8; 5];
    socket.read_exact(&mut back).await.expect("read");
    assert_eq!(&back, b"there");
}
