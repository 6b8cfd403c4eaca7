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
