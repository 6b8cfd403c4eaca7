//! What was acknowledged outlives `kill -9` of every process at once.

use super::statuses;
use crate::harness::{Cluster, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn kill_of_all_nodes_at_once_loses_no_session_no_logout_and_no_lockout() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let mut harry = cluster.visitor(1);
    harry.log_in("harry", "password").await;
    let harry_before = harry.clone();
    harry.log_out().await;
    for node in 0..3 {
        let refused = cluster.visitor(node).try_log_in("zoe", "wrong").await;
        assert_eq!(refused.status, 401);
    }

    for node in cluster.nodes() {
        node.kill();
    }
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;

    assert_eq!(
        statuses(&cluster, &john, "one.example.com").await,
        [200; 3],
        "the session is there"
    );
    assert_eq!(
        statuses(&cluster, &harry_before, "one.example.com").await,
        [302; 3],
        "the logout holds"
    );
    for node in 0..3 {
        let answer = cluster.visitor(node).try_log_in("zoe", "password").await;
        assert_eq!(answer.status, 401, "the lockout holds at node {node}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_told_to_stop_drains_and_ends_with_success() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    for node in 0..3 {
        let exit = cluster.nodes()[node].terminate().await;
        assert!(exit.success(), "{exit:?}\n{}", cluster.nodes()[node].log());
        assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 2]);
        cluster.nodes()[node].start();
        cluster.wait_until_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_node_without_a_cluster_section_keeps_what_it_acknowledged() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    cluster.nodes()[0].kill();
    cluster.nodes()[0].start();
    cluster.wait_until_ready().await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200]);
}
