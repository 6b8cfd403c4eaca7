//! Whose directory it is.

use quorate_core::codec::{self, Kind};
use tempfile::TempDir;

use super::child::Writing;
use super::*;

#[test]
fn a_new_directory_keeps_its_node_id() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("deep/er");
    assert_eq!(open_n1(&path).unwrap().identity.node_id(), NODE);
    let later = Options {
        node_id_if_new: 8,
        ..options("n1")
    };
    let opened = open(&path, &later).unwrap();
    assert_eq!(
        (opened.identity.node_id(), opened.identity.name()),
        (NODE, "n1".to_owned())
    );
}

#[test]
fn the_cluster_id_is_set_once_and_stays() {
    let dir = TempDir::new().unwrap();
    let opened = open_n1(dir.path()).unwrap();
    assert_eq!(opened.identity.cluster_id(), None);
    opened.identity.set_cluster_id(5).unwrap();
    drop(opened);
    let opened = open_n1(dir.path()).unwrap();
    assert_eq!(opened.identity.cluster_id(), Some(5));
    opened.identity.set_cluster_id(5).unwrap();
    let refused = opened.identity.set_cluster_id(6).unwrap_err();
    assert!(matches!(
        refused,
        ClusterIdError::OtherCluster {
            stored: 5,
            offered: 6
        }
    ));
    assert_eq!(opened.identity.cluster_id(), Some(5));
}

#[test]
fn the_directory_of_another_node_is_refused() {
    let dir = TempDir::new().unwrap();
    drop(open_n1(dir.path()).unwrap());
    let refused = open(dir.path(), &options("n2")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "data directory `{}`: belongs to node `n1`, but this node is `n2`; set `cluster.name` back or give this \
             node a directory of its own",
            dir.path().display()
        )
    );
}

#[test]
fn a_newer_format_is_refused() {
    let dir = TempDir::new().unwrap();
    drop(open_n1(dir.path()).unwrap());
    let newer = codec::encode(Kind::Identity, &(2u32, b"what only they know".to_vec())).unwrap();
    std::fs::write(dir.path().join("identity"), newer).unwrap();
    let refused = open_n1(dir.path()).unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::NewerFormat {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn a_directory_in_use_is_refused_and_free_once_its_process_is_killed() {
    let dir = TempDir::new().unwrap();
    let mut child = Writing::start(dir.path(), 1, super::child::Syncing::Full);
    child.wait_until_ready();
    let refused = open_n1(dir.path()).unwrap_err();
    let holder = format!("in use by another process (pid {})", child.id());
    assert!(refused.to_string().contains(&holder), "{refused}");
    child.kill();
    open_n1(dir.path()).unwrap();
}

#[test]
fn a_file_in_the_way_is_named_as_such() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "").unwrap();
    for path in [path.clone(), path.join("below")] {
        let refused = open_n1(&path).unwrap_err();
        assert!(
            matches!(refused, OpenError::NotADirectory { .. }),
            "{refused:?}"
        );
    }
}

#[test]
fn errors_of_the_system_get_the_operators_words() {
    let named = |kind: std::io::ErrorKind| {
        OpenError::io(Path::new("/data"), "read it", kind.into()).to_string()
    };
    assert_eq!(
        named(std::io::ErrorKind::PermissionDenied),
        "data directory `/data`: permission denied; it must belong to the user that runs Quorate"
    );
    assert_eq!(
        named(std::io::ErrorKind::QuotaExceeded),
        "data directory `/data`: the disk is full; free some space and start again, nothing is lost"
    );
    assert_eq!(
        named(std::io::ErrorKind::TimedOut),
        "data directory `/data`: cannot read it"
    );
}
