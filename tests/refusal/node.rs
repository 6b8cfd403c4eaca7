//! The replicated part: secret, cluster, data directory, disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::{refused, says};
use crate::harness::{Cluster, Request, Settings, is_root, until};

/// Asks for a page as a proxy would; a node that serves answers 302.
async fn serves(cluster: &Cluster, node: usize) -> bool {
    cluster.nodes()[node].is_ready().await
}

async fn log_says(cluster: &Cluster, node: usize, parts: &[&str]) {
    until(
        &format!("node {node} says {parts:?}"),
        Duration::from_secs(20),
        || async {
            let log = cluster.nodes()[node].log();
            parts.iter().all(|part| log.contains(part))
        },
    )
    .await;
}

/// Changes a text in the configuration of a node.
fn edit(cluster: &Cluster, node: usize, from: &str, to: &str) {
    let path = cluster.nodes()[node].configuration();
    let text = fs::read_to_string(path).expect("read");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("write");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_secret_stays_outside_and_both_sides_say_so() {
    let cluster = Cluster::start(Settings::new()).await;
    cluster.nodes()[2].kill();
    edit(
        &cluster,
        2,
        "a secret of the cluster, 32 characters or more",
        "quite another secret, also 32 characters",
    );
    cluster.nodes()[2].start();
    log_says(&cluster, 2, &["cluster.secret"]).await;
    assert!(!serves(&cluster, 2).await);
    assert!(serves(&cluster, 0).await && serves(&cluster, 1).await);
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    assert_eq!(
        cluster
            .visitor(2)
            .try_log_in("john", "password")
            .await
            .status,
        503
    );
    edit(
        &cluster,
        2,
        "quite another secret, also 32 characters",
        "a secret of the cluster, 32 characters or more",
    );
    cluster.nodes()[2].kill();
    cluster.nodes()[2].start();
    cluster.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_cluster_stays_outside_and_says_so() {
    let here = Cluster::start(Settings::new()).await;
    let there = Cluster::start(Settings::new()).await;
    here.nodes()[2].kill();
    there.nodes()[2].kill();
    fs::rename(here.nodes()[2].data_dir(), here.folder().join("away")).expect("move");
    copy(&there.nodes()[2].data_dir(), &here.nodes()[2].data_dir());
    here.nodes()[2].start();
    log_says(
        &here,
        2,
        &["belongs to cluster", "a data directory of an old cluster"],
    )
    .await;
    assert!(!serves(&here, 2).await);
    assert!(serves(&here, 0).await && serves(&here, 1).await);
    here.nodes()[2].kill();
    fs::remove_dir_all(here.nodes()[2].data_dir()).expect("remove");
    fs::rename(here.folder().join("away"), here.nodes()[2].data_dir()).expect("move back");
    here.nodes()[2].start();
    here.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_directory_of_another_node_is_refused() {
    let cluster = Cluster::start(Settings::new()).await;
    let (first, second) = (&cluster.nodes()[0], &cluster.nodes()[1]);
    first.kill();
    let data = first.data_dir().display().to_string();
    edit(&cluster, 0, &data, &second.data_dir().display().to_string());
    says(&refused(first).await, &["in use by another process"]);
    second.kill();
    says(
        &refused(first).await,
        &[
            "belongs to node `n2`, but this node is `n1`",
            "set `cluster.name` back",
        ],
    );
    edit(&cluster, 0, &second.data_dir().display().to_string(), &data);
    first.start();
    second.start();
    cluster.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_nothing_is_lost() {
    assert!(
        is_root(),
        "this test mounts a small file system; run it as root"
    );
    let cluster = Cluster::prepare(&Settings::with_nodes(1));
    let node = &cluster.nodes()[0];
    let disk = Disk::mount(&node.data_dir(), "48m");
    node.start();
    cluster.wait_until_ready().await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    node.kill();
    let room = disk.fill();
    let full = node.data_dir().join("full");
    fs::rename(&room, &full).expect("rename");
    // The ballast may still let it open; either way it ends or serves, and says why.
    node.start();
    until(
        "the node has ended or serves",
        Duration::from_secs(20),
        || async { node.has_ended() || node.is_ready().await },
    )
    .await;
    if node.has_ended() {
        says(&node.log(), &["the disk is full", "nothing is lost"]);
    }
    node.kill();
    fs::remove_file(&full).expect("remove");
    node.start();
    cluster.wait_until_ready().await;
    let state = Request::get("https://auth.example.com/api/state");
    let answer = node.client().send(john.with_cookies(state)).await;
    assert_eq!(
        answer.json()["data"]["username"],
        json!("john"),
        "the session is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_disk_fills_up_steps_aside_says_why_and_comes_back_when_there_is_space() {
    assert!(
        is_root(),
        "this test mounts a small file system; run it as root"
    );
    let cluster = Cluster::prepare(
        // Long enough to look at the node after its failure.
        &Settings::new().set("cluster.drain_delay", json!("10s")),
    );
    let node = &cluster.nodes()[2];
    let disk = Disk::mount(&node.data_dir(), "48m");
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    let room = disk.fill();
    // What the log has room for in its files is used up by logins through the others, which notice nothing.
    until("the node steps aside", Duration::from_secs(60), || async {
        cluster.visitor(0).log_in("john", "password").await;
        !node.is_ready().await
    })
    .await;
    let verbose = Request::get("https://auth.example.com/readyz?verbose");
    let report = node.client().send(verbose).await;
    assert_eq!(report.status, 503);
    let why = report.json()["why"].to_string();
    assert!(why.contains("No space left"), "{why}");
    let metrics = node.metrics().await;
    let failed = metrics
        .lines()
        .find(|line| line.starts_with("quorate_failed{"));
    let failed = failed.expect("the metric");
    assert!(
        failed.contains("No space left") && failed.ends_with(" 1"),
        "{failed}"
    );
    cluster.visitor(1).log_in("harry", "password").await;
    let (code, output) = node.wait_until_ended().await;
    assert_eq!(code, Some(1));
    says(&output, &["this node has to stop", "No space left"]);
    fs::remove_file(room).expect("remove");
    node.start();
    cluster.wait_until_ready().await;
    cluster.visitor(2).log_in("zoe", "password").await;
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .expect("cp");
    assert!(status.success());
}

/// A small file system in memory; it goes when this is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, size: &str) -> Self {
        fs::create_dir_all(at).expect("a folder");
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(at)
            .status()
            .expect("mount");
        assert!(status.success());
        Self(at.to_owned())
    }

    /// Takes all room that is left; the file that does.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = fs::File::create(&path).expect("create");
        let block = vec![0; 64 * 1024];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
