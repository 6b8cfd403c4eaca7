//! What a running node takes over from its files, and what it does not.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::verify;
use crate::harness::{Cluster, NODES_NAME, Node, Request, Settings, until};

/// Replaces text in the node's configuration, which must be there.
fn rewrite(node: &Node, from: &str, to: &str) {
    let text = fs::read_to_string(node.configuration()).expect("a configuration");
    assert!(text.contains(from), "{from} in\n{text}");
    fs::write(node.configuration(), text.replacen(from, to, 1)).expect("write it");
}

const ONE: &str = "- domain: one.example.com\n    policy: one_factor";
const ONE_DENIED: &str = "- domain: one.example.com\n    policy: deny";
const ONE_WRONG: &str = "- domain: one.example.com\n    policy: two_factors";

#[tokio::test(flavor = "multi_thread")]
async fn rules_count_on_the_node_whose_command_is_done_and_status_names_it_elsewhere() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let [n1, n2, _] = cluster.nodes() else {
        unreachable!("three nodes");
    };
    rewrite(n1, ONE, ONE_DENIED);
    let (code, text, error) = n1.command(&["config", "reload"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("This node goes on with"), "{text}");
    let status = |node| verify(&cluster, node, &john, "one.example.com");
    assert_eq!((status(0).await.status, status(1).await.status), (403, 200));
    until(
        "n2 says that n1 is configured otherwise",
        Duration::from_secs(20),
        async || {
            let report = n2.document(&["cluster", "status"]).await;
            report["ready"] == true
                && report["warnings"]
                    .to_string()
                    .contains("`n1` is configured otherwise")
        },
    )
    .await;
    assert!(
        n2.metrics()
            .await
            .contains("quorate_configuration_agrees{member=\"n1\"} 0")
    );

    rewrite(n2, ONE, ONE_DENIED);
    n2.signal(Signal::HUP);
    until(
        "the signal is heeded",
        Duration::from_secs(10),
        async || status(1).await.status == 403,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_any_file_is_told_with_its_line_and_changes_nothing() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let node = &cluster.nodes()[0];
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;

    // The rules would lock john out, but the users file of the same reload has a mistake.
    let users = fs::read_to_string(cluster.users_file()).expect("users");
    rewrite(node, ONE, ONE_DENIED);
    fs::write(cluster.users_file(), format!("{users}  jane: 12\n")).expect("write users");
    let line = users.lines().count() + 1;
    let (code, _, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(1), "{error}");
    let place = format!("users.yml:{line}:");
    assert!(
        error.contains(&place) && error.contains("everything stays"),
        "{error}"
    );
    assert_eq!(
        verify(&cluster, 0, &john, "one.example.com").await.status,
        200
    );

    fs::write(cluster.users_file(), users).expect("write users");
    rewrite(node, ONE_DENIED, ONE_WRONG);
    let socket = node.data_dir().join("admin.sock").display().to_string();
    let (code, _, error) = node
        .command(&["config", "reload", "--socket", &socket])
        .await;
    assert_eq!(code, Some(1), "{error}");
    assert!(
        error.contains("access_control.rules[") && error.contains("two_factors"),
        "{error}"
    );
    assert_eq!(
        verify(&cluster, 0, &john, "one.example.com").await.status,
        200
    );
    assert!(node.log().contains("everything stays as it was"));
    let metrics = node.metrics().await;
    assert!(
        metrics.contains("quorate_reloads_total{result=\"refused\"} 2"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_to_the_next_connection_and_other_keys_wait() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let node = &cluster.nodes()[0];
    let pair = cluster
        .authority()
        .sign("nodes", &["elsewhere.example.com"]);
    rewrite(node, "access_control:", "theme: dark\naccess_control:");
    let (code, text, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("count after a restart"), "{text}");
    let request = Request::get(&format!("https://{NODES_NAME}/livez"));
    let refused = node.client().try_send(&request).await;
    assert!(refused.is_err(), "the certificate is for another name");

    // A key of another certificate is refused, and the one before stays.
    let other = cluster.authority().sign("other", &[NODES_NAME]);
    let good = fs::read(&pair.key).expect("a key");
    fs::copy(&other.key, &pair.key).expect("copy");
    let (code, _, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("does not fit the certificate"), "{error}");
    fs::write(&pair.key, good).expect("write");
    cluster.authority().sign("nodes", &[NODES_NAME]);
    let (code, _, error) = node.command(&["config", "reload"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(node.client().send(request).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_told_to_stop_is_gone_in_five_seconds_whoever_is_connected() {
    let cluster = Cluster::start(Settings::new()).await;
    for node in cluster.nodes() {
        let request = Request::get(&format!("https://{NODES_NAME}/livez"));
        let mut connection = node.client().connect(&request).await.expect("connected");
        assert_eq!(
            connection.try_send(&request).await.expect("alive").status,
            200
        );
        let began = Instant::now();
        let exit = node.terminate().await;
        assert!(exit.success(), "{exit}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
    }
}
