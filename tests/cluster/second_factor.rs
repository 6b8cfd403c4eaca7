//! One-time passwords: accepted once in the whole cluster, counted apart, and never readable on disk.

use serde_json::json;

use super::{statuses, verify};
use crate::harness::{Answer, Cluster, Request, Settings, Visitor};
use quorate::authn::totp;
use quorate_core::{NewTotp, TotpAlgorithm};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Three nodes; `two.example.com` asks for two factors, `one.example.com` for one.
async fn cluster() -> Cluster {
    Cluster::start(Settings::new()).await
}

async fn set_up(cluster: &Cluster, node: usize, user: &str) {
    let arguments = [
        "storage", "user", "totp", "generate", user, "--secret", SECRET,
    ];
    let (code, text, error) = cluster.nodes()[node].command(&arguments).await;
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("otpauth://totp/Authelia:"), "{text}");
}

/// The right code of the period that is `periods` after the current one.
fn code(periods: i64) -> String {
    let secret = totp::from_base32(SECRET).expect("base 32");
    let device = NewTotp {
        sealed_secret: Vec::new(),
        algorithm: TotpAlgorithm::Sha1,
        digits: 6,
        period_s: 30,
        issuer: String::new(),
    };
    let now_s = quorate::clock::now().0 / 1000;
    let at_s = now_s.saturating_add_signed(periods * 30);
    totp::password(&device, &secret, at_s).to_string()
}

async fn give(visitor: &mut Visitor, code: &str) -> Answer {
    let body = json!({"token": code});
    visitor
        .post_to_portal("/api/secondfactor/totp", &body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_what_asks_for_two_factors_on_all_nodes_and_ends_the_old_session() {
    let cluster = cluster().await;
    set_up(&cluster, 0, "john").await;
    let mut john = cluster.visitor(1);
    john.log_in("john", "password").await;
    assert_eq!(statuses(&cluster, &john, "two.example.com").await, [302; 3]);
    let before = john.clone();
    let answer = give(&mut john.through(cluster.nodes()[2].client()), &code(0)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    john = before.clone();
    let answer = give(&mut john, &code(0)).await;
    assert_eq!(answer.status, 403, "the old session has ended: {answer:?}");
    assert_eq!(
        statuses(&cluster, &before, "one.example.com").await,
        [302; 3]
    );

    john.log_in("john", "password").await;
    let answer = give(&mut john, &code(1)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(statuses(&cluster, &john, "two.example.com").await, [200; 3]);
    let state = john
        .send(Request::get("https://auth.example.com/api/state"))
        .await;
    assert_eq!(state.json()["data"]["authentication_level"], 2);
    let info = john
        .send(Request::get("https://auth.example.com/api/user/info"))
        .await;
    assert_eq!(info.json()["data"]["has_totp"], true);
    let device = john
        .send(Request::get(
            "https://auth.example.com/api/secondfactor/totp",
        ))
        .await
        .json();
    assert_eq!(device["data"]["algorithm"], "SHA1");
    assert!(device["data"]["last_used_at"].is_string(), "{device}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_given_to_all_nodes_at_once_is_accepted_once() {
    let cluster = cluster().await;
    set_up(&cluster, 1, "john").await;
    // The next period's code is the same for all, also when a period ends meanwhile.
    let code = code(1);
    let mut visitors = Vec::new();
    for index in 0..6 {
        let mut john = cluster.visitor(index % 3);
        john.log_in("john", "password").await;
        visitors.push(john);
    }
    let mut tries = tokio::task::JoinSet::new();
    for mut john in visitors {
        let code = code.clone();
        tries.spawn(async move { give(&mut john, &code).await.status });
    }
    let mut answers = tries.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 403, 403, 403, 403, 403]);
    // A used code is no guess: the next right one is taken. (The current period's, as the next one's is used.)
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    assert_eq!(give(&mut john, &self::code(0)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_use_up_a_budget_that_no_login_renews() {
    let cluster = cluster().await;
    set_up(&cluster, 2, "john").await;
    for round in 0..3 {
        let mut john = cluster.visitor(round);
        john.log_in("john", "password").await;
        let wrong = if code(0) == "000000" {
            "000001"
        } else {
            "000000"
        };
        assert_eq!(give(&mut john, wrong).await.status, 403);
    }
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    assert_eq!(give(&mut john, &code(0)).await.status, 403, "banned");
    let node = &cluster.nodes()[1];
    let bans = node.document(&["storage", "bans", "user", "list"]).await;
    assert_eq!(bans[0]["subject"], "john");
    assert_eq!(bans[0]["second_factor_only"], true);
    let (code_of, _, error) = node
        .command(&["storage", "bans", "user", "revoke", "john"])
        .await;
    assert_eq!(code_of, Some(0), "{error}");
    assert_eq!(give(&mut john, &code(0)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_limited_from_every_address_and_does_not_share_the_limit_with_strangers() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let john = john;
    let limit = async |visitor: &Visitor, address: &str| {
        let request = Request::new("POST", "https://auth.example.com/api/secondfactor/totp")
            .header("X-Forwarded-For", address)
            .header("Content-Type", "application/json")
            .body(json!({"token": "123456"}).to_string());
        visitor.clone().send(request).await
    };
    let stranger = cluster.visitor(0);
    for _ in 0..30 {
        assert_eq!(limit(&stranger, "203.0.113.1").await.status, 403);
    }
    assert_eq!(limit(&stranger, "203.0.113.1").await.status, 429);
    for _ in 0..30 {
        assert_eq!(limit(&john, "203.0.113.1").await.status, 403);
    }
    for address in ["203.0.113.1", "203.0.113.2"] {
        let refused = limit(&john, address).await;
        assert_eq!(refused.status, 429);
        assert!(
            refused
                .header("retry-after")
                .is_some_and(|at| at.ends_with(" GMT"))
        );
        assert_eq!(refused.json()["message"], "Too Many Requests");
    }
    assert_eq!(limit(&stranger, "203.0.113.2").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_by_the_operator_ends_sessions_everywhere_and_refuses_logins() {
    let cluster = cluster().await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let node = &cluster.nodes()[2];
    let banned = node
        .document(&["storage", "bans", "user", "add", "john", "--permanent"])
        .await;
    assert_eq!(banned["ended"], 1);
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    assert_eq!(
        cluster
            .visitor(1)
            .try_log_in("john", "password")
            .await
            .status,
        401
    );
    let bans = cluster.nodes()[0]
        .document(&["storage", "bans", "user", "list"])
        .await;
    assert_eq!(bans[0]["until_ms"], json!(null));
    node.command(&["storage", "bans", "user", "revoke", "john"])
        .await;
    cluster.visitor(1).log_in("john", "password").await;
    let (code, _, error) = node
        .command(&["storage", "bans", "ip", "add", "no address"])
        .await;
    assert_eq!(code, Some(1));
    assert!(error.contains("`no address` is no IP address"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_exported_replaced_and_removed_and_their_secrets_are_on_no_disk() {
    let cluster = cluster().await;
    set_up(&cluster, 0, "john").await;
    let node = &cluster.nodes()[1];
    let again = ["storage", "user", "totp", "generate", "john"];
    let (code, _, error) = node.command(&again).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("--force"), "{error}");
    let (code, _, error) = node
        .command(&["storage", "user", "totp", "generate", "nobody"])
        .await;
    assert_eq!(code, Some(1));
    assert!(error.contains("there is no user `nobody`"), "{error}");

    let (_, table, _) = node
        .command(&["storage", "user", "totp", "export", "csv"])
        .await;
    let line = format!("Authelia,john,SHA1,6,30,{SECRET}");
    assert_eq!(
        table,
        format!("issuer,username,algorithm,digits,period,secret\n{line}\n")
    );
    let codes = node.folder().join("codes");
    let codes = codes.to_str().expect("text");
    let png = [
        "storage",
        "user",
        "totp",
        "export",
        "png",
        "--directory",
        codes,
    ];
    let (code, _, error) = node.command(&png).await;
    assert_eq!(code, Some(0), "{error}");
    let picture = std::fs::read(format!("{codes}/john.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));

    for node in cluster.nodes() {
        let raw = totp::from_base32(SECRET).expect("base 32");
        for file in files(&node.data_dir()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            for secret in [SECRET.as_bytes(), raw.as_slice()] {
                let is_there = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!is_there, "{} holds the secret", file.display());
            }
        }
    }

    node.command(&["storage", "user", "totp", "delete", "john"])
        .await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    assert_eq!(give(&mut john, &self::code(0)).await.status, 403);
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_asks_for_the_code_and_leads_on() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    set_up(&cluster, 0, "john").await;
    let mut john = cluster.visitor(0);
    let portal = "https://auth.example.com";
    let way = "rd=https%3A%2F%2Ftwo.example.com%2Fp%3Fx%3D1&rm=GET";
    let form = |path: &str, form: String| {
        Request::new("POST", &format!("{portal}{path}"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", portal)
            .body(form)
    };
    let answer = john
        .send(form(
            "/login",
            format!("username=john&password=password&{way}"),
        ))
        .await;
    let next = answer.header("location").expect("a way on").to_owned();
    let page = john.open(&format!("{portal}{next}")).await;
    assert!(
        page.text().contains("action=\"/second-factor\""),
        "{}",
        page.text()
    );
    assert!(page.text().contains("two.example.com"));

    let wrong = john
        .send(form("/second-factor", format!("code=12345&{way}")))
        .await;
    assert!(
        wrong.text().contains("That did not work."),
        "{}",
        wrong.text()
    );
    let right = code(0);
    let (front, back) = right.split_at(3);
    let answer = john
        .send(form("/second-factor", format!("code={front}+{back}&{way}")))
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("https://two.example.com/p?x=1"))
    );
    assert_eq!(
        verify(&cluster, 0, &john, "two.example.com").await.status,
        200
    );
    let foreign = Request::new("POST", &format!("{portal}/second-factor"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", "https://evil.test")
        .body(format!("code={right}"));
    assert_eq!(john.send(foreign).await.status, 403);
}
