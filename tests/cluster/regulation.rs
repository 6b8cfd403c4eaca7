//! Whose guesses count together, and that a count outlives the node that led it.

use serde_json::json;

use super::leader;
use crate::harness::{Cluster, Request, Settings};

/// The status of a login from `address`, as the proxy says it.
async fn login_from(cluster: &Cluster, node: usize, address: &str, login: (&str, &str)) -> u16 {
    let portal = "https://auth.example.com";
    let body = json!({"username": login.0, "password": login.1});
    let request = Request::post_json(&format!("{portal}/api/firstfactor"), &body)
        .header("Origin", portal)
        .header("Accept", "application/json")
        .header("X-Forwarded-For", address);
    cluster.nodes()[node].client().send(request).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn by_address_an_ipv6_network_has_one_budget_and_an_operator_gives_it_back() {
    let settings = Settings::new().set("regulation.modes", json!(["ip"]));
    let cluster = Cluster::start(settings).await;
    for (node, user) in ["john", "harry", "nobody"].into_iter().enumerate() {
        let address = format!("2001:db8:1:2::{node}");
        let status = login_from(&cluster, node, &address, (user, "wrong")).await;
        assert_eq!(status, 401);
    }
    let right = ("john", "password");
    for (address, status) in [
        ("2001:db8:1:2:ffff::9", 401),
        ("2001:db8:1:3::1", 200),
        ("192.0.2.7", 200),
    ] {
        assert_eq!(
            login_from(&cluster, 0, address, right).await,
            status,
            "{address}"
        );
    }
    let n2 = &cluster.nodes()[1];
    let bans = n2.document(&["storage", "bans", "ip", "list"]).await;
    let subject = bans[0]["subject"].as_str().expect("a subject").to_owned();
    assert!(subject.starts_with("2001:db8:1:2::"), "{bans}");
    n2.document(&["storage", "bans", "ip", "revoke", "2001:db8:1:2::5"])
        .await;
    assert_eq!(
        login_from(&cluster, 2, "2001:db8:1:2::1", right).await,
        200,
        "the ban is lifted everywhere"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_not_forgotten_with_the_leader_that_counted_them() {
    let cluster = Cluster::start(Settings::new()).await;
    let old = leader(&cluster).await;
    let next = (old + 1) % 3;
    for node in [old, next] {
        let answer = cluster.visitor(node).try_log_in("john", "wrong").await;
        assert_eq!(answer.status, 401);
    }
    cluster.nodes()[old].kill();
    let last = cluster.visitor(next).try_log_in("john", "wrong").await;
    assert_eq!(last.status, 401, "answered by the next leader");
    for node in (0..3).filter(|node| *node != old) {
        let answer = cluster.visitor(node).try_log_in("john", "password").await;
        assert_eq!(answer.status, 401, "three guesses are three guesses");
    }
    cluster.visitor(next).log_in("harry", "password").await;
}
