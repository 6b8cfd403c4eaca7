//! N guesses are N guesses, however parallel and wherever (promise P3).

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Request, Settings, until};

/// Password hashes that have been begun, on all nodes together.
async fn checks_begun(cluster: &Cluster) -> u64 {
    let mut sum = 0;
    for node in cluster.nodes() {
        let page = node.metrics().await;
        let line = page
            .lines()
            .find(|line| line.starts_with("quorate_password_checks_total "));
        sum += line
            .and_then(|line| line.split(' ').nth(1)?.parse::<u64>().ok())
            .expect("the metric");
    }
    sum
}

/// Sends `count` logins of `username` at once, spread over the nodes; how many got each status.
async fn logins(
    cluster: &Cluster,
    username: &'static str,
    password: &'static str,
    count: usize,
) -> Vec<u16> {
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..count {
        let mut visitor = cluster.visitor(number % 3);
        tries.spawn(async move { visitor.try_log_in(username, password).await.status });
    }
    tries.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_wrong_passwords_at_once_over_three_nodes_cost_three_hashes() {
    let cluster = Cluster::start(Settings::new()).await;
    let statuses = logins(&cluster, "john", "wrong", 60).await;
    assert_eq!(statuses, vec![401; 60]);
    assert_eq!(checks_begun(&cluster).await, 3);
    for node in 0..3 {
        let answer = cluster.visitor(node).try_log_in("john", "password").await;
        assert_eq!(
            answer.status, 401,
            "banned at node {node}, also with the right password"
        );
    }
    assert_eq!(
        checks_begun(&cluster).await,
        3,
        "a banned name costs no hash"
    );
    cluster.visitor(0).log_in("harry", "password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_right_logins_all_succeed() {
    let cluster = Cluster::start(Settings::new()).await;
    let statuses = logins(&cluster, "john", "password", 50).await;
    assert_eq!(statuses, vec![200; 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_ends_and_a_right_login_forgives() {
    let short = json!({"max_retries": 3, "find_time": "2s", "ban_time": "2s"});
    let cluster = Cluster::start(Settings::new().set("regulation", short)).await;
    for node in 0..3 {
        assert_eq!(
            cluster
                .visitor(node)
                .try_log_in("john", "wrong")
                .await
                .status,
            401
        );
    }
    assert_eq!(
        cluster
            .visitor(0)
            .try_log_in("john", "password")
            .await
            .status,
        401
    );
    until("the ban has ended", Duration::from_secs(10), || async {
        cluster
            .visitor(1)
            .try_log_in("john", "password")
            .await
            .status
            == 200
    })
    .await;
    for _ in 0..2 {
        for _ in 0..2 {
            assert_eq!(
                cluster.visitor(0).try_log_in("john", "wrong").await.status,
                401
            );
        }
        cluster.visitor(2).log_in("john", "password").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_get_the_same_answer_and_leave_nothing_behind() {
    let cluster = Cluster::start(Settings::new()).await;
    let wrong = cluster.visitor(0).try_log_in("john", "wrong").await;
    let unknown = cluster.visitor(0).try_log_in("nobody", "wrong").await;
    let disabled = cluster.visitor(0).try_log_in("gone", "password").await;
    for answer in [&unknown, &disabled] {
        assert_eq!((answer.status, answer.text()), (wrong.status, wrong.text()));
    }
    for number in 0..5 {
        assert_eq!(
            cluster
                .visitor(number % 3)
                .try_log_in("nobody", "wrong")
                .await
                .status,
            401
        );
    }
    let request = Request::get("https://auth.example.com/readyz?verbose");
    let report = cluster.nodes()[0].client().send(request).await.json();
    assert_eq!(
        (&report["bans"], &report["sessions"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_during_a_login_with_the_right_password_costs_no_guess() {
    let cluster = Cluster::start(Settings::new()).await;
    for patience in (1..=60).step_by(3).map(Duration::from_millis) {
        let mut visitor = cluster.visitor(0);
        // Whether the answer comes sooner does not matter: some of these hang up in the middle.
        let _ = tokio::time::timeout(patience, visitor.try_log_in("john", "password")).await;
    }
    cluster.visitor(1).log_in("john", "password").await;
}
