//! Backups of a running cluster, and what is made of them and of a lone survivor.

use std::fs;
use std::path::PathBuf;

use super::statuses;
use crate::harness::{Cluster, Node, Settings};

/// The name of a file beside the nodes.
fn path(cluster: &Cluster, name: &str) -> String {
    cluster.folder().join(name).display().to_string()
}

fn key(cluster: &Cluster, name: &str, content: &str) -> String {
    let file = path(cluster, name);
    fs::write(&file, content).expect("write a key");
    file
}

async fn refused(node: &Node, arguments: &[&str]) -> String {
    let (code, _, error) = node.command(arguments).await;
    assert_eq!(code, Some(1), "{arguments:?}: {error}");
    error
}

fn wipe(node: &Node) {
    fs::remove_dir_all(node.data_dir()).expect("remove");
}

/// Harry is logged in, john was logged out after the backup was taken, zoe is banned.
async fn backed_up(cluster: &Cluster) -> (crate::harness::Visitor, crate::harness::Visitor) {
    let [mut john, mut harry] = [0, 1].map(|node| cluster.visitor(node));
    john.log_in("john", "password").await;
    harry.log_in("harry", "password").await;
    for node in 0..3 {
        let wrong = cluster.visitor(node).try_log_in("zoe", "wrong").await;
        assert_eq!(wrong.status, 401);
    }
    let (file, key) = (
        path(cluster, "monday.qb"),
        key(cluster, "key", &"k".repeat(64)),
    );
    let taken = cluster.nodes()[2]
        .document(&["cluster", "backup", &file, "--key-file", &key])
        .await;
    assert_eq!(taken["content"]["sessions"], 2);
    let before = john.clone();
    john.log_out().await;
    (before, harry)
}

/// Stops all, wipes all, restores at the first and starts all.
async fn restore(cluster: &Cluster, options: &[&str]) -> serde_json::Value {
    for node in cluster.nodes() {
        node.kill();
        wipe(node);
    }
    let (file, key) = (path(cluster, "monday.qb"), path(cluster, "key"));
    let arguments = ["cluster", "restore", &file, "--key-file", &key];
    let n1 = &cluster.nodes()[0];
    let restored = n1.document(&[&arguments, options].concat()).await;
    let again = refused(n1, &arguments).await;
    assert!(again.contains("not empty"), "{again}");
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    restored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_ends_all_sessions_and_keeps_the_rest() {
    let cluster = Cluster::start(Settings::new()).await;
    let (john, harry) = backed_up(&cluster).await;
    let restored = restore(&cluster, &[]).await;
    assert_eq!(restored["sessions_ended"], 2);
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    assert_eq!(
        statuses(&cluster, &harry, "one.example.com").await,
        [302; 3]
    );
    let zoe = cluster.visitor(1).try_log_in("zoe", "password").await;
    assert_eq!(zoe.status, 401, "the ban is there");
    let mut harry = cluster.visitor(2);
    harry.log_in("harry", "password").await;
    assert_eq!(
        statuses(&cluster, &harry, "one.example.com").await,
        [200; 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_kept_if_that_is_asked_for() {
    let cluster = Cluster::start(Settings::new()).await;
    let (john, harry) = backed_up(&cluster).await;
    let restored = restore(&cluster, &["--keep-sessions"]).await;
    assert_eq!(restored["sessions"], 2);
    // As the option's help says, also the one that was logged out afterwards.
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
    assert_eq!(
        statuses(&cluster, &harry, "one.example.com").await,
        [200; 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_sealed_checked_and_never_replaced() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let node = &cluster.nodes()[0];
    let (file, right) = (
        path(&cluster, "b.qb"),
        key(&cluster, "key", &"k".repeat(64)),
    );
    let backup = ["cluster", "backup", &file, "--key-file", &right];
    node.document(&backup).await;
    assert!(refused(node, &backup).await.contains("exists already"));
    let bytes = fs::read(&file).expect("read");
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(!holds(b"john"), "no name can be read");

    let look = |key: &str| -> Vec<String> {
        ["cluster", "backup", "inspect", &file, "--key-file", key]
            .map(str::to_owned)
            .to_vec()
    };
    let arguments = look(&right);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seen = node.document(&arguments).await;
    assert_eq!(seen["content"]["sessions"], 1);
    let blind = node
        .document(&["cluster", "backup", "inspect", &file])
        .await;
    assert_eq!(
        (&blind["index"], &blind["content"]),
        (&seen["index"], &serde_json::Value::Null)
    );

    let wrong = look(&key(&cluster, "wrong", &"w".repeat(64)));
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
    assert!(refused(node, &wrong).await.contains("another key file"));
    fs::write(&file, &bytes[..bytes.len() - 1]).expect("write");
    assert!(refused(node, &arguments).await.contains("cut off"));
    let short = key(&cluster, "short", "short");
    let other = path(&cluster, "c.qb");
    let error = refused(node, &["cluster", "backup", &other, "--key-file", &short]).await;
    assert!(error.contains("at least 32"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_survivor_becomes_a_new_cluster_when_quorum_is_lost_for_good() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let [n1, n2, n3] = cluster.nodes() else {
        panic!("three nodes");
    };
    let recover = ["cluster", "recover", "--keep-sessions"];
    assert!(
        refused(n1, &recover)
            .await
            .contains("in use by another process")
    );
    n1.kill();
    let error = refused(n1, &recover).await;
    assert!(
        error.contains("a quorum of the cluster still answers"),
        "{error}"
    );
    n2.kill();
    let error = refused(n1, &recover).await;
    assert!(error.contains("(n3)"), "with this node it is one: {error}");
    n3.kill();
    let lost: PathBuf = cluster.folder().join("lost");
    fs::rename(n3.data_dir(), &lost).expect("move");
    wipe(n2);

    let recovered = n1.document(&recover).await;
    assert_eq!(recovered["sessions"], 1);
    let replaced = recovered["replaced"].as_str().expect("a path");
    assert!(PathBuf::from(replaced).join("log").exists());
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);

    // Who comes back from the old cluster is refused.
    n3.kill();
    wipe(n3);
    fs::rename(&lost, n3.data_dir()).expect("move back");
    n3.start();
    crate::harness::until("n3 is told", std::time::Duration::from_secs(20), || async {
        n3.log().contains("belongs to cluster")
    })
    .await;
    assert!(!n3.is_ready().await);
}
