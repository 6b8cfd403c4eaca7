//! A damaged data directory is named and refused, and one command heals it from the others.

use std::fs;
use std::path::{Path, PathBuf};

use super::{statuses, until_three_vote};
use crate::harness::{Cluster, Node, Settings, Visitor};

/// Starts a node that must end by itself with exit code 1; what it said last.
async fn refused_to_start(node: &Node) -> String {
    node.start();
    let (code, output) = node.wait_until_ended().await;
    assert_eq!(code, Some(1), "{output}");
    output.lines().last().unwrap_or_default().to_owned()
}

async fn refused(node: &Node) -> String {
    let (code, _, error) = node.command(&["cluster", "heal"]).await;
    assert_eq!(code, Some(1), "{error}");
    error
}

/// Damages the data directory of a node that does not run.
type Damaging = fn(&Path);

/// The one file of this kind.
fn only_file(folder: &Path, ending: &str) -> PathBuf {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .find(|path| path.to_string_lossy().ends_with(ending))
        .unwrap_or_else(|| panic!("no {ending} in {}", folder.display()))
}

/// Flips one bit in every place where the log holds the name of the user.
fn flip_in_log(data: &Path) {
    let path = data.join("log/db");
    let mut bytes = fs::read(&path).expect("read");
    let places: Vec<usize> = (0..bytes.len() - 4)
        .filter(|place| bytes[*place..].starts_with(b"john"))
        .collect();
    assert!(!places.is_empty(), "the log knows john");
    for place in places {
        bytes[place] ^= 1;
    }
    fs::write(path, bytes).expect("write");
}

fn flip_in_snapshot(data: &Path) {
    let path = only_file(&data.join("snapshots"), ".snapshot");
    let mut bytes = fs::read(&path).expect("read");
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    fs::write(path, bytes).expect("write");
}

/// Leaves half of what the log has in its file.
fn cut_log(data: &Path) {
    let path = data.join("log/db");
    let bytes = fs::read(&path).expect("read");
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("a log");
    fs::write(path, &bytes[..used / 2]).expect("write");
}

fn cut_identity(data: &Path) {
    fs::write(data.join("identity"), "QRT").expect("write");
}

/// A cluster whose logs do not reach back to the beginning, so that its snapshots count, and who is logged in.
async fn with_snapshots() -> (Cluster, Visitor) {
    let cluster = Cluster::start(Settings::new()).await;
    cluster.visitor(0).log_in("harry", "password").await;
    let [n1, others @ ..] = cluster.nodes() else {
        panic!("three nodes");
    };
    for node in cluster.nodes() {
        node.kill();
    }
    for node in others {
        fs::remove_dir_all(node.data_dir()).expect("remove");
    }
    n1.document(&["cluster", "recover"]).await;
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    (cluster, john)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_damage_is_named_refused_and_healed_by_one_command() {
    let (cluster, john) = with_snapshots().await;
    let n3 = &cluster.nodes()[2];
    let kinds: [(Damaging, &str); 4] = [
        (flip_in_log, "damaged"),
        (flip_in_snapshot, "is not sound"),
        (cut_log, "damaged"),
        (cut_identity, "`identity` does not hold what it should"),
    ];
    for (damage, named) in kinds {
        let id = n3.document(&["cluster", "status"]).await["node"].clone();
        n3.kill();
        damage(&n3.data_dir());
        let output = refused_to_start(n3).await;
        assert!(
            output.contains(named) && output.contains("quorate cluster heal"),
            "{output}"
        );
        let healed = n3.document(&["cluster", "heal"]).await;
        let moved_to = PathBuf::from(healed["moved_to"].as_str().expect("a path"));
        assert!(
            moved_to.starts_with(n3.data_dir()) && moved_to.join("log/db").exists(),
            "{healed}: nothing is thrown away"
        );
        n3.start();
        cluster.wait_until_ready().await;
        assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
        let new_id = n3.document(&["cluster", "status"]).await["node"].clone();
        assert_ne!(new_id, id, "it never votes under its old identity");
        fs::remove_dir_all(moved_to).expect("remove");
    }
    until_three_vote(n3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_the_last_copy_or_needs_no_healing_stays() {
    let cluster = Cluster::start(Settings::new()).await;
    cluster.visitor(0).log_in("john", "password").await;
    let [n1, n2, n3] = cluster.nodes() else {
        panic!("three nodes");
    };
    assert!(refused(n3).await.contains("in use by another process"));
    n3.kill();
    assert!(refused(n3).await.contains("nothing to heal"));
    cut_log(&n3.data_dir());
    n2.kill();
    let error = refused(n3).await;
    assert!(
        error.contains("may be the last copy") && error.contains("n1"),
        "{error}"
    );
    n1.kill();
    assert!(refused(n3).await.contains("no other member answers"));
    assert!(n3.data_dir().join("log/db").exists(), "nothing was moved");
    n1.start();
    n2.start();
    cluster.wait_until_ready().await;
    n3.document(&["cluster", "heal"]).await;
    assert!(refused(n3).await.contains("holds no member's data"));
    n3.start();
    cluster.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_one_is_sent_to_its_backup() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let n1 = &cluster.nodes()[0];
    cluster.visitor(0).log_in("john", "password").await;
    n1.kill();
    cut_log(&n1.data_dir());
    let error = refused(n1).await;
    assert!(
        error.contains("restore a backup") && n1.data_dir().join("log/db").exists(),
        "{error}"
    );
}
