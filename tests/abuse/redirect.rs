//! Where people are sent: to a page of ours, or to the portal, whatever `rd` and `targetURL` say.
//!
//! `tests/data/redirect/foreign.txt` holds the tricks, one per line.

use form_urlencoded::Serializer;
use serde_json::json;

use crate::harness::{Cluster, Request, Visitor};

const PORTAL: &str = "https://auth.example.com";

/// Pages of ours: what is refused below is refused for what it is.
const OURS: [&str; 9] = [
    "https://one.example.com",
    "https://one.example.com/",
    "https://one.example.com:8443/a?b=c#d",
    "HTTPS://One.Example.COM/",
    "wss://one.example.com/socket",
    "https://example.com/",
    "https://a.b.c.example.com/?next=https://evil.test/",
    "https://one.example.com//evil.test/",
    "https://one.example.com/%2f%2fevil.test/",
];

fn tricks() -> Vec<String> {
    let stands_for = [
        ("{TAB}", "\t"),
        ("{LF}", "\n"),
        ("{CR}", "\r"),
        ("{NUL}", "\0"),
        ("{SP}", " "),
        ("{VT}", "\u{b}"),
        ("{FF}", "\u{c}"),
        ("{DEL}", "\u{7f}"),
        ("{NBSP}", "\u{a0}"),
        ("{ZWSP}", "\u{200b}"),
        ("{BOM}", "\u{feff}"),
        ("{RLO}", "\u{202e}"),
    ];
    let read = |line: &str| {
        stands_for
            .iter()
            .fold(line.to_owned(), |text, (name, letter)| {
                text.replace(name, letter)
            })
    };
    let lines = include_str!("../data/redirect/foreign.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("# ") && !line.starts_with("## "))
        .map(read)
        .collect()
}

fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Everything that could lead away, asked with one target; each place where it does.
async fn led_away(
    cluster: &Cluster,
    known: &Visitor,
    target: &str,
    number: usize,
) -> Vec<&'static str> {
    let client = cluster.nodes()[0].client();
    let rd = form(&[("rd", target)]);
    let mut places = Vec::new();
    let page = |path: &str| Request::get(&format!("{PORTAL}{path}?{rd}")).for_page();
    for (place, path) in [("the login page", "/"), ("the logout page", "/logout")] {
        let answer = client.send(page(path)).await;
        if answer.status != 200
            || answer.text().contains("name=\"rd\"")
            || answer.header("location").is_some()
        {
            places.push(place);
        }
    }
    let answer = client.send(known.with_cookies(page("/"))).await;
    if answer.status != 200 || answer.header("location").is_some() {
        places.push("the portal of who is logged in");
    }
    // Addresses of their own, so that nobody has to wait for their turn.
    let from = format!("198.51.{}.{}", number / 250, number % 250 + 1);
    let body = json!({"username": "zoe", "password": "password", "targetURL": target});
    let request = Request::post_json(&format!("{PORTAL}/api/firstfactor"), &body)
        .header("Origin", PORTAL)
        .header("X-Forwarded-For", &from);
    let answer = client.send(request).await;
    let is_refused = answer.status == 400 && answer.header("set-cookie").is_none();
    let stays = answer.status == 200 && answer.json()["data"]["redirect"].is_null();
    if !is_refused && !stays {
        places.push("a login by the API");
    }
    let login = form(&[
        ("username", "zoe"),
        ("password", "password"),
        ("rd", target),
    ]);
    let request = Request::new("POST", &format!("{PORTAL}/login"))
        .header("Origin", PORTAL)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Forwarded-For", &from)
        .body(login);
    let answer = client.send(request).await;
    if (answer.status, answer.header("location")) != (303, Some("/")) {
        places.push("a login by the form");
    }
    let request = Request::post_json(
        &format!("{PORTAL}/api/logout"),
        &json!({"targetURL": target}),
    );
    let answer = client.send(request.header("Origin", PORTAL)).await;
    if answer.status != 200 || answer.json()["data"]["safeTargetURL"] != json!(false) {
        places.push("a logout by the API");
    }
    let request = Request::new("POST", &format!("{PORTAL}/logout"))
        .header("Origin", PORTAL)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(rd.clone());
    let answer = client.send(request).await;
    if answer.status != 200
        || answer.text().contains("evil.test")
        || answer.header("location").is_some()
    {
        places.push("a logout by the form");
    }
    let verify = |endpoint: &str, name: &str| {
        Request::get(&format!(
            "https://quorate.internal/{endpoint}?{}",
            form(&[(name, target)])
        ))
        .for_page()
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "one.example.com")
        .header("X-Forwarded-Uri", "/")
    };
    for (place, endpoint, name, status) in [
        ("verify", "api/authz/forward-auth", "authelia_url", 400),
        ("verify of old", "api/verify", "rd", 401),
    ] {
        let answer = client.send(verify(endpoint, name)).await;
        if answer.status != status || answer.header("location").is_some() {
            places.push(place);
        }
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trick_leads_away_from_our_pages() {
    let cluster = super::node().await;
    let mut known = cluster.visitor(0);
    known.log_in("harry", "password").await;
    let tricks = tricks();
    assert!(tricks.len() >= 150, "{} tricks", tricks.len());
    let mut wrong = Vec::new();
    for (number, target) in tricks.iter().enumerate() {
        let places = led_away(&cluster, &known, target, number).await;
        if !places.is_empty() {
            wrong.push(format!("{target:?}: {places:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let long = format!("https://one.example.com/{}", "a".repeat(16 << 10));
    let body = json!({"uri": long});
    let answer = known
        .post_to_portal("/api/checks/safe-redirection", &body)
        .await;
    assert_ne!(
        answer.json()["data"]["ok"],
        json!(true),
        "a target of 16 KiB"
    );
    for target in OURS {
        let answer = known
            .post_to_portal("/api/checks/safe-redirection", &json!({"uri": target}))
            .await;
        assert_eq!(answer.json()["data"]["ok"], json!(true), "{target}");
    }
}
