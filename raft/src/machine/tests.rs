//! Snapshots through files: written, sent, damaged, and read at a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

use std::fs;

use openraft::storage::RaftLogStorageExt;
use openraft::{CommittedLeaderId, Membership, RaftLogReader, storage::RaftLogStorage};
use quorate_core::{
    Budget, Command, Outcome, Proposal, RequestId, ReservationId, Subject, Timestamp, UserName,
};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::*;
use crate::store::{Opened, Options, open};
use crate::types::Member;

const NODE: u64 = 3;
const BUDGET: Budget = Budget {
    guesses_max: 1,
    window_ms: 1_000_000,
    ban_ms: 1_000_000,
    reservation_ms: 1000,
};

fn node(dir: &TempDir) -> Opened {
    try_node(dir).unwrap()
}

fn try_node(dir: &TempDir) -> Result<Opened, OpenError> {
    let options = Options {
        name: "n1".to_owned(),
        node_id_if_new: NODE,
        ballast_bytes: 0,
    };
    open(dir.path(), &options)
}

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(1, NODE), index)
}

fn user(n: u64) -> UserName {
    UserName::parse(&format!("user{n}")).unwrap()
}

/// Entry 0 is the membership; each later one bans the user of its number.
fn entry(index: u64) -> Entry {
    let payload = if index == 0 {
        let members = [(NODE, Member::default())];
        EntryPayload::Membership(Membership::new(
            vec![[NODE].into()],
            std::collections::BTreeMap::from(members),
        ))
    } else {
        let (reservation, subjects) = (
            ReservationId(index.into()),
            vec![Subject::User(user(index))],
        );
        let reserve = Command::Reserve {
            reservation,
            user: Some(user(index)),
            subjects: subjects.clone(),
            budget: BUDGET,
        };
        let resolve = Command::Resolve {
            reservation,
            subjects,
            budget: BUDGET,
            outcome: Outcome::Wrong,
        };
        let proposal = |half: u128, command| Proposal {
            id: RequestId(u128::from(index) * 2 + half),
            at: Timestamp(index),
            command,
        };
        EntryPayload::Normal(Batch(vec![proposal(0, reserve), proposal(1, resolve)]))
    };
    Entry {
        log_id: log_id(index),
        payload,
    }
}

/// How many of the users 1 to 1000 are banned.
fn banned(machine: &Machine) -> u64 {
    let reader = machine.reader();
    let is_banned = |n: &u64| {
        reader
            .ban(&Subject::User(user(*n)), Timestamp(2000))
            .is_some()
    };
    (1..=1000).filter(is_banned).count() as u64
}

async fn apply(machine: &mut Machine, indexes: std::ops::RangeInclusive<u64>) {
    machine.apply(indexes.map(entry)).await.unwrap();
}

async fn build(machine: &mut Machine) -> Snapshot {
    machine
        .get_snapshot_builder()
        .await
        .build_snapshot()
        .await
        .unwrap()
}

async fn bytes_of(snapshot: &mut Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.snapshot.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Sends `bytes` as a leader would and installs them.
async fn receive(
    machine: &mut Machine,
    meta: &SnapshotMeta,
    bytes: &[u8],
) -> Result<(), StorageError<u64>> {
    let mut file = machine.begin_receiving_snapshot().await.unwrap();
    for chunk in bytes.chunks(1000) {
        file.write_all(chunk).await.unwrap();
    }
    machine.install_snapshot(meta, file).await
}

fn files(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path().join("snapshots")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn replies_come_by_position_and_the_index_after_the_change() {
    let dir = TempDir::new().unwrap();
    let mut machine = node(&dir).machine;
    let applied = machine.applied();
    assert_eq!(*applied.borrow(), 0);
    let replies = machine.apply((0..=2).map(entry)).await.unwrap();
    assert_eq!(replies.iter().map(Vec::len).collect::<Vec<_>>(), [0, 2, 2]);
    assert_eq!((*applied.borrow(), banned(&machine)), (2, 2));
}

#[tokio::test]
async fn a_snapshot_installs_elsewhere_to_the_same_bytes() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut machine = node(&here).machine;
    apply(&mut machine, 0..=700).await;
    let mut snapshot = build(&mut machine).await;
    let bytes = bytes_of(&mut snapshot).await;

    let mut other = node(&there).machine;
    // A stream that the leader gave up leaves nothing.
    drop(other.begin_receiving_snapshot().await.unwrap());
    receive(&mut other, &snapshot.meta, &bytes).await.unwrap();
    assert_eq!((banned(&other), *other.applied().borrow()), (700, 700));
    assert_eq!(
        other.applied_state().await.unwrap(),
        machine.applied_state().await.unwrap()
    );
    let mut installed = other.get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(installed.meta, snapshot.meta);
    assert_eq!(bytes_of(&mut installed).await, bytes);
    assert_eq!(
        files(&there),
        ["00000000000000000700-00000000000000000001.snapshot"]
    );
    drop(other);
    assert_eq!(banned(&node(&there).machine), 700);
}

#[tokio::test]
async fn the_newest_snapshot_is_kept_and_loaded_at_a_restart() {
    let dir = TempDir::new().unwrap();
    let mut machine = node(&dir).machine;
    apply(&mut machine, 0..=10).await;
    build(&mut machine).await;
    apply(&mut machine, 11..=30).await;
    // Taken at 30, written while later entries are applied.
    let mut builder = machine.get_snapshot_builder().await;
    apply(&mut machine, 31..=40).await;
    builder.build_snapshot().await.unwrap();
    drop(builder);
    assert_eq!(
        files(&dir),
        ["00000000000000000030-00000000000000000001.snapshot"]
    );
    drop(machine);

    fs::write(dir.path().join("snapshots/5.tmp"), "half").unwrap();
    let mut machine = node(&dir).machine;
    assert_eq!(files(&dir).len(), 1, "what was half written is gone");
    let (last, membership) = machine.applied_state().await.unwrap();
    assert_eq!(
        (last, membership.log_id()),
        (Some(log_id(30)), &Some(log_id(0)))
    );
    assert_eq!((banned(&machine), *machine.applied().borrow()), (30, 30));
}

#[tokio::test]
async fn a_snapshot_that_is_overtaken_by_an_installed_one_is_dropped() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut leader = node(&here).machine;
    apply(&mut leader, 0..=50).await;
    let mut snapshot = build(&mut leader).await;
    let bytes = bytes_of(&mut snapshot).await;

    let mut machine = node(&there).machine;
    apply(&mut machine, 0..=20).await;
    let mut builder = machine.get_snapshot_builder().await;
    receive(&mut machine, &snapshot.meta, &bytes).await.unwrap();
    assert_eq!(builder.build_snapshot().await.unwrap().meta, snapshot.meta);
    assert_eq!(
        files(&there),
        ["00000000000000000050-00000000000000000001.snapshot"]
    );
}

#[tokio::test]
async fn a_damaged_snapshot_is_not_installed_and_changes_nothing() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut leader = node(&here).machine;
    apply(&mut leader, 0..=100).await;
    let mut snapshot = build(&mut leader).await;
    let bytes = bytes_of(&mut snapshot).await;
    for place in [0, 30, bytes.len() / 2, bytes.len() - 1] {
        let mut follower = node(&there);
        apply(&mut follower.machine, 0..=5).await;
        let mut garbled = bytes.clone();
        garbled[place] ^= 1;
        let refused = receive(&mut follower.machine, &snapshot.meta, &garbled).await;
        assert!(refused.is_err(), "byte {place}");
        assert_eq!(
            (
                banned(&follower.machine),
                *follower.machine.applied().borrow()
            ),
            (5, 5)
        );
        let failure = follower.fatal.wait().await;
        assert!(
            matches!(failure, StoreFailure::Snapshot { .. }),
            "{failure}"
        );
    }
    let mut follower = node(&there);
    for short_or_long in [
        &bytes[..bytes.len() - 1],
        &[bytes.as_slice(), &[0]].concat(),
    ] {
        let refused = receive(&mut follower.machine, &snapshot.meta, short_or_long).await;
        assert!(refused.is_err());
    }
    let another = SnapshotMeta {
        last_log_id: Some(log_id(99)),
        ..snapshot.meta
    };
    assert!(
        receive(&mut follower.machine, &another, &bytes)
            .await
            .is_err()
    );
    drop(follower);
    assert_eq!(node(&there).machine.last_applied, None);
    assert_eq!(files(&there), [""; 0]);
}

#[tokio::test]
async fn a_damaged_snapshot_at_a_restart_is_refused_unless_the_log_has_it_all() {
    let dir = TempDir::new().unwrap();
    let Opened {
        mut log,
        mut machine,
        ..
    } = node(&dir);
    log.blocking_append((0..=60).map(entry)).await.unwrap();
    apply(&mut machine, 0..=20).await;
    build(&mut machine).await;
    let older = fs::read(dir.path().join("snapshots").join(&files(&dir)[0])).unwrap();
    let older_name = files(&dir)[0].clone();
    apply(&mut machine, 21..=50).await;
    build(&mut machine).await;
    drop((log, machine));

    let path = dir.path().join("snapshots").join(&files(&dir)[0]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    // The whole log is there, so a state can be built from nothing.
    let Opened {
        mut log,
        mut machine,
        ..
    } = node(&dir);
    assert_eq!(machine.applied_state().await.unwrap().0, None);
    assert!(machine.get_current_snapshot().await.unwrap().is_none());
    let entries = log.try_get_log_entries(0..=60).await.unwrap();
    machine.apply(entries).await.unwrap();
    build(&mut machine).await;
    log.purge(log_id(30)).await.unwrap();
    log.blocking_append([entry(61)]).await.unwrap();
    drop((log, machine));

    // An older sound one is not enough for a log that begins at 31.
    let path = dir.path().join("snapshots").join(&files(&dir)[0]);
    fs::write(path, &bytes).unwrap();
    fs::write(dir.path().join("snapshots").join(older_name), older).unwrap();
    let refused = try_node(&dir).unwrap_err();
    let damage = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        damage,
        "snapshot `00000000000000000060-00000000000000000001.snapshot` is not sound"
    );
    fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
    let refused = try_node(&dir).unwrap_err();
    let damage = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        damage,
        "the log begins after entry 30, and no sound snapshot reaches that far"
    );
}
