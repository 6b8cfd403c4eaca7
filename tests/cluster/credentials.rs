//! Credentials in a header that are remembered: checked once, and forgotten the moment they may not count any more.

use std::fs;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{Cluster, Node, Request, Settings};

/// A cluster that remembers good credentials for an hour.
async fn cluster(nodes: usize) -> Cluster {
    let strategies = json!([
        {"name": "HeaderAuthorization", "schemes": ["Basic"], "scheme_basic_cache_lifespan": "1h"},
        {"name": "CookieSession"},
    ]);
    let endpoint = json!({"implementation": "ForwardAuth", "authn_strategies": strategies});
    let settings = Settings::with_nodes(nodes);
    Cluster::start(settings.set("server.endpoints.authz.remembering", endpoint)).await
}

/// The status of a page for `john` with that password.
async fn status(node: &Node, password: &str) -> u16 {
    let credentials = STANDARD.encode(format!("john:{password}"));
    let request = Request::get("https://auth.example.com/api/authz/remembering")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "one.example.com")
        .header("X-Forwarded-URI", "/")
        .header("Authorization", format!("Basic {credentials}"));
    node.client().send(request).await.status
}

/// How many guesses the node has reserved: each is a replicated write before the password is looked at.
async fn reserved(node: &Node) -> u64 {
    let name = "quorate_guess_reservations_total{result=\"reserved\"} ";
    let page = node.metrics().await;
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.expect("the counter").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn remembered_credentials_cost_no_write_and_a_wrong_password_finds_nothing() {
    let cluster = cluster(3).await;
    let [one, two, _] = cluster.nodes() else {
        unreachable!("three nodes");
    };
    for _ in 0..20 {
        assert_eq!(status(one, "password").await, 200);
    }
    assert_eq!(reserved(one).await, 1);
    assert_eq!(status(one, "passwort").await, 401);
    assert_eq!(reserved(one).await, 2);
    assert_eq!(status(one, "password").await, 200);
    assert_eq!(reserved(one).await, 2);

    assert_eq!(status(two, "password").await, 200);
    assert_eq!(
        reserved(two).await,
        1,
        "another node has to check by itself"
    );

    // A ban on one node is heeded by every node when it is answered.
    let ban = ["storage", "bans", "user", "add", "john"];
    let (code, _, error) = two.command(&ban).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(status(one, "password").await, 401);
    let lift = ["storage", "bans", "user", "revoke", "john"];
    let (code, _, error) = two.command(&lift).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(status(two, "password").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn remembered_credentials_end_with_the_password() {
    let cluster = cluster(1).await;
    let node = &cluster.nodes()[0];
    assert_eq!(status(node, "password").await, 200);
    assert_eq!(status(node, "changed").await, 401);
    let users = fs::read_to_string(cluster.users_file()).expect("users");
    let (before, after) = users.split_once("\n  john:").expect("john");
    let (entry, rest) = after.split_once("\n    password: ").expect("a hash");
    let (_, rest) = rest.split_once('\n').expect("more lines");
    let changed = format!(
        "{before}\n  john:{entry}\n    password: {}\n{rest}",
        hash("changed")
    );
    fs::write(cluster.users_file(), changed).expect("write users");
    let (code, _, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(status(node, "password").await, 401);
    assert_eq!(status(node, "changed").await, 200);

    fs::write(cluster.users_file(), users).expect("write users");
    let (code, _, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(status(node, "changed").await, 401);
}

fn hash(password: &str) -> String {
    let params = Params::new(64, 1, 1, None).expect("parameters of argon2");
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::from_b64("b3RoZXJvdGhlcm90aGVy").expect("a salt");
    let hash = hasher.hash_password(password.as_bytes(), &salt);
    hash.expect("a hash").to_string()
}
