//! Sessions: opened anywhere, good everywhere, ended for all.

use std::time::{Duration, Instant};

use super::{leader, statuses, verify};
use crate::harness::{Cluster, Request, Settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_one_node_is_good_at_all_at_once() {
    let cluster = Cluster::start(Settings::new()).await;
    for node in 0..3 {
        let mut john = cluster.visitor(node);
        assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
        john.log_in("john", "password").await;
        assert_eq!(
            statuses(&cluster, &john, "one.example.com").await,
            [200; 3],
            "login at node {node}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_reads_ask_the_leader_each_time_and_need_it() {
    let settings = Settings::new().set("cluster.reads", serde_json::json!("strict"));
    let cluster = Cluster::start(settings).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
    let before = john.clone();
    let leads = leader(&cluster).await;
    let stays = (leads + 1) % 3;
    for node in (0..3).filter(|node| *node != stays) {
        cluster.nodes()[node].pause();
    }
    // A lease would still allow it, for three seconds.
    let begun = Instant::now();
    let alone = verify(&cluster, stays, &before, "one.example.com").await;
    assert_eq!(alone.status, 503, "after {:?}", begun.elapsed());
    for node in (0..3).filter(|node| *node != stays) {
        cluster.nodes()[node].resume();
    }
    cluster.wait_until_ready().await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
    john.log_out().await;
    assert_eq!(
        statuses(&cluster, &before, "one.example.com").await,
        [302; 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_request_says_who_it_is() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let mut zoe = cluster.visitor(0);
    zoe.log_in("zoe", "password").await;
    let answer = verify(&cluster, 0, &zoe, "one.example.com").await;
    let remote = [
        "remote-user",
        "remote-groups",
        "remote-name",
        "remote-email",
    ]
    .map(|name| {
        answer
            .headers
            .get(name)
            .map(|value| value.as_bytes().to_vec())
    });
    let expected =
        ["zoe", "", "Zoë Müller", "zoe@example.com"].map(|text| Some(text.as_bytes().to_vec()));
    assert_eq!(remote, expected);
    assert_eq!(answer.text(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_anywhere_is_final_everywhere_when_it_is_answered() {
    let cluster = Cluster::start(Settings::new()).await;
    for node in 0..3 {
        let mut john = cluster.visitor(node);
        john.log_in("john", "password").await;
        let before = john.clone();
        john.log_out().await;
        assert_eq!(
            statuses(&cluster, &before, "one.example.com").await,
            [302; 3],
            "logout at node {node}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_not_noticed_by_who_is_logged_in_and_logins_come_back() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let leads = leader(&cluster).await;
    cluster.nodes()[leads].kill();
    let killed = Instant::now();
    let alive = (0..3).find(|node| *node != leads).expect("another node");
    let mut logged_in_after = None;
    while logged_in_after.is_none() {
        assert_eq!(
            statuses(&cluster, &john, "one.example.com").await,
            [200; 2],
            "{:?} after the kill",
            killed.elapsed()
        );
        let answer = cluster.visitor(alive).try_log_in("harry", "password").await;
        logged_in_after = (answer.status == 200).then(|| killed.elapsed());
        assert!(
            killed.elapsed() < Duration::from_secs(20),
            "no login yet: {answer:?}"
        );
    }
    println!(
        "first login {:?} after the leader was killed",
        logged_in_after.expect("a login")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_comes_back_and_knows_what_it_missed() {
    let cluster = Cluster::start(Settings::new()).await;
    for node in 0..3 {
        cluster.nodes()[node].kill();
        let mut john = cluster.visitor((node + 1) % 3);
        until(
            "a login works without one node",
            Duration::from_secs(20),
            || {
                let mut visitor = john.clone();
                async move { visitor.try_log_in("john", "password").await.status == 200 }
            },
        )
        .await;
        john.log_in("john", "password").await;
        let mut harry = cluster.visitor((node + 2) % 3);
        harry.log_in("harry", "password").await;
        let harry_before = harry.clone();
        harry.log_out().await;
        cluster.nodes()[node].start();
        cluster.nodes()[node].wait_until_ready().await;
        assert_eq!(
            verify(&cluster, node, &john, "one.example.com")
                .await
                .status,
            200
        );
        assert_eq!(
            verify(&cluster, node, &harry_before, "one.example.com")
                .await
                .status,
            302
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_nothing_protected_passes() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    cluster.nodes()[1].kill();
    cluster.nodes()[2].kill();
    until(
        "the last node says that it cannot decide",
        Duration::from_secs(30),
        || async { verify(&cluster, 0, &john, "one.example.com").await.status == 503 },
    )
    .await;
    let answer = verify(&cluster, 0, &john, "one.example.com").await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    assert!(!cluster.nodes()[0].is_ready().await);
    assert_eq!(
        cluster
            .visitor(0)
            .try_log_in("harry", "password")
            .await
            .status,
        503
    );
    let page = cluster.nodes()[0]
        .client()
        .send(Request::get("https://auth.example.com/").for_page())
        .await;
    assert_eq!(
        page.status, 200,
        "who is not logged in still sees the login page"
    );
    cluster.nodes()[1].start();
    cluster.wait_until_ready().await;
    assert_eq!(
        verify(&cluster, 0, &john, "one.example.com").await.status,
        200
    );
}

/// Whoever retries a logout must not be told that it is done while a node that slept through the first could still
/// allow the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_logout_waits_until_the_first_is_final() {
    let cluster = Cluster::start(Settings::new()).await;
    let leads = leader(&cluster).await;
    let (sleeper, other) = ((leads + 1) % 3, (leads + 2) % 3);
    let mut john = cluster.visitor(leads);
    john.log_in("john", "password").await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
    cluster.nodes()[sleeper].pause();
    let paused = Instant::now();
    let (mut first, before) = (john.clone(), john.clone());
    let first = tokio::spawn(async move { first.log_out().await });
    until("the session is gone", Duration::from_secs(2), || async {
        verify(&cluster, other, &before, "one.example.com")
            .await
            .status
            == 302
    })
    .await;
    john.through(cluster.nodes()[other].client())
        .log_out()
        .await;
    let answered = paused.elapsed();
    cluster.nodes()[sleeper].resume();
    let late = verify(&cluster, sleeper, &before, "one.example.com").await;
    assert_ne!(late.status, 200, "allowed after a logout was answered");
    assert!(
        answered > Duration::from_secs(2),
        "answered after {answered:?}"
    );
    first.await.expect("the first logout");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_who_leads_and_who_logs_in_and_holds_no_secret() {
    let cluster = Cluster::start(Settings::new()).await;
    let leads = leader(&cluster).await;
    let other = (leads + 1) % 3;
    let mut john = cluster.visitor(other);
    john.log_in("john", "password").await;
    let cookie = john.cookie_header();
    let mut stranger = cluster.visitor(other);
    for (name, password) in [("john", "a-wrong-secret"), ("not-a-name-but-a-secret", "x")] {
        assert_eq!(stranger.try_log_in(name, password).await.status, 401);
    }
    cluster.nodes()[leads].kill();
    until(
        "a survivor says who leads now",
        Duration::from_secs(10),
        async || {
            let logs = [other, 3 - leads - other].map(|node| cluster.nodes()[node].log());
            logs.iter()
                .any(|log| log.matches("this node leads").count() == 1)
                && logs
                    .iter()
                    .any(|log| log.matches("another node leads").count() == 2)
        },
    )
    .await;
    let log = cluster.nodes()[other].log();
    for line in [
        "logged in user=\"john\"",
        "cause=\"wrong password\" user=\"john\"",
    ] {
        assert!(log.contains(line), "no `{line}` in {log}");
    }
    assert!(
        log.contains("cause=\"unknown or disabled user\" address="),
        "{log}"
    );
    let token = cookie.split_once('=').expect("a cookie").1.to_owned();
    for secret in ["a-wrong-secret", "not-a-name-but-a-secret", token.as_str()] {
        assert!(
            cluster
                .nodes()
                .iter()
                .all(|node| !node.log().contains(secret)),
            "{secret}"
        );
    }
}
