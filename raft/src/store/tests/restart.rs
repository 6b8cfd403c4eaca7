//! What a stopped node finds when it starts again.

use openraft::RaftSnapshotBuilder;
use openraft::storage::RaftStateMachine;
use tempfile::TempDir;

use super::*;

fn committed(term: u64, node: u64) -> Vote {
    Vote::new_committed(term, node)
}

#[test]
fn a_leader_has_to_be_elected_again_after_a_restart() {
    let dir = TempDir::new().unwrap();
    block_on(async {
        let mut opened = open_n1(dir.path()).unwrap();
        opened.log.save_vote(&committed(3, NODE)).await.unwrap();
        assert_eq!(
            opened.log.read_vote().await.unwrap(),
            Some(committed(3, NODE))
        );
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(
            opened.log.read_vote().await.unwrap(),
            Some(Vote::new(3, NODE))
        );
        assert_eq!(
            opened.log.read_vote().await.unwrap(),
            Some(committed(3, NODE))
        );
    });
}

#[test]
fn the_vote_for_another_leader_is_read_as_it_was_saved() {
    let dir = TempDir::new().unwrap();
    block_on(async {
        let mut opened = open_n1(dir.path()).unwrap();
        opened.log.save_vote(&committed(3, NODE + 1)).await.unwrap();
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(
            opened.log.read_vote().await.unwrap(),
            Some(committed(3, NODE + 1))
        );
    });
}

#[test]
fn what_is_committed_rides_with_the_next_entries() {
    let dir = TempDir::new().unwrap();
    block_on(async {
        let mut opened = open_n1(dir.path()).unwrap();
        fill(&mut opened.log, 0, 3).await;
        opened.log.save_committed(Some(log_id(1, 3))).await.unwrap();
        let flushes = opened.metrics.numbers().flushes;
        opened.log.blocking_append([entry(1, 4, 0)]).await.unwrap();
        assert_eq!(
            opened.metrics.numbers().flushes,
            flushes + 1,
            "no flush of its own"
        );
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(
            opened.log.read_committed().await.unwrap(),
            Some(log_id(1, 3))
        );
    });
}

#[test]
fn entries_of_any_size_come_back_from_parts_of_4_kib() {
    let dir = TempDir::new().unwrap();
    let sizes = [0, 99, 100, 101, 102, 205, 5_000];
    let wanted: Vec<Entry> = (0..)
        .zip(sizes)
        .map(|(index, size)| entry(1, index, size))
        .collect();
    block_on(async {
        let mut opened = open_n1(dir.path()).unwrap();
        opened.log.blocking_append(wanted.clone()).await.unwrap();
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(opened.log.try_get_log_entries(..).await.unwrap(), wanted);
        opened.log.truncate(log_id(1, 6)).await.unwrap();
        opened
            .log
            .blocking_append([entry(2, 6, 150)])
            .await
            .unwrap();
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(
            opened.log.try_get_log_entries(6..).await.unwrap(),
            [entry(2, 6, 150)]
        );
    });
    drop(Lock::take(dir.path()).unwrap());
    let db = behind_the_store(&dir.path().join("log"));
    let log = db.open_tree("log").unwrap();
    assert!(
        log.iter()
            .values()
            .all(|value| value.unwrap().len() <= 4096)
    );
}

#[test]
fn replication_gets_entries_up_to_a_mebibyte_and_one_at_least() {
    let dir = TempDir::new().unwrap();
    block_on(async {
        let mut log = open_n1(dir.path()).unwrap().log;
        log.blocking_append([
            entry(1, 0, 40_000),
            entry(1, 1, 9_000),
            entry(1, 2, 9_000),
            entry(1, 3, 9_000),
        ])
        .await
        .unwrap();
        assert_eq!(log.limited_get_log_entries(0, 4).await.unwrap().len(), 1);
        assert_eq!(log.limited_get_log_entries(1, 4).await.unwrap().len(), 2);
        assert_eq!(log.limited_get_log_entries(2, 2).await.unwrap().len(), 0);
    });
}

#[test]
fn the_log_on_disk_is_purged_no_further_than_a_snapshot_reaches() {
    let dir = TempDir::new().unwrap();
    block_on(async {
        let mut opened = open_n1(dir.path()).unwrap();
        fill(&mut opened.log, 0, 9).await;
        // No snapshot holds these yet, so they may not go.
        opened.log.purge(log_id(1, 4)).await.unwrap();
        opened.log.blocking_append([entry(1, 10, 0)]).await.unwrap();
        assert_eq!(indexes(&mut opened.log).await, (5..=10).collect::<Vec<_>>());
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(indexes(&mut opened.log).await, (0..=10).collect::<Vec<_>>());

        let entries = opened.log.try_get_log_entries(0..=6).await.unwrap();
        opened.machine.apply(entries).await.unwrap();
        let mut builder = opened.machine.get_snapshot_builder().await;
        builder.build_snapshot().await.unwrap();
        drop(builder);
        opened.log.purge(log_id(1, 4)).await.unwrap();
        opened.log.blocking_append([entry(1, 11, 0)]).await.unwrap();
        drop(opened);
        let mut opened = open_n1(dir.path()).unwrap();
        assert_eq!(indexes(&mut opened.log).await, (5..=11).collect::<Vec<_>>());
        assert_eq!(
            opened.log.get_log_state().await.unwrap().last_purged_log_id,
            Some(log_id(1, 4))
        );
    });
}

#[test]
fn entries_after_a_snapshot_wait_until_it_is_installed() {
    let (ahead, behind) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    block_on(async {
        let mut leader = open_n1(ahead.path()).unwrap();
        leader
            .machine
            .apply((0..=100).map(|index| entry(1, index, 1)))
            .await
            .unwrap();
        let mut builder = leader.machine.get_snapshot_builder().await;
        let snapshot = builder.build_snapshot().await.unwrap();

        let mut follower = open_n1(behind.path()).unwrap();
        fill(&mut follower.log, 0, 5).await;
        // openraft purges and appends while its state machine is still at it.
        follower.log.purge(log_id(1, 100)).await.unwrap();
        let (mut log, mut machine) = (follower.log, follower.machine);
        let install = machine.install_snapshot(&snapshot.meta, snapshot.snapshot);
        let mut append = Box::pin(log.blocking_append([entry(1, 101, 0)]));
        let early = tokio::time::timeout(std::time::Duration::from_millis(100), &mut append).await;
        assert!(early.is_err(), "a log with a hole was acknowledged");
        install.await.unwrap();
        append.await.unwrap();
        drop((log, machine));

        let mut follower = open_n1(behind.path()).unwrap();
        assert_eq!(indexes(&mut follower.log).await, [101]);
        assert_eq!(
            follower.machine.applied_state().await.unwrap().0,
            Some(log_id(1, 100))
        );
    });
}

#[test]
fn metrics_tell_what_was_written() {
    let dir = TempDir::new().unwrap();
    let mut opened = open_n1(dir.path()).unwrap();
    block_on(fill(&mut opened.log, 0, 9));
    let numbers = opened.metrics.numbers();
    assert_eq!((numbers.flushes, numbers.log_entries), (2, 10));
    assert_eq!(numbers.written_bytes, numbers.log_bytes);
    assert_eq!(numbers.flush_buckets.iter().sum::<u64>(), 2);
    assert!(numbers.flush_us_max >= numbers.flush_us_last && numbers.flush_us_last > 0);
    assert!(numbers.free_bytes.unwrap() > 0);
}

#[test]
fn an_empty_log_that_continues_a_snapshot_says_so_on_disk() {
    let dir = TempDir::new().unwrap();
    let Opened {
        mut log, machine, ..
    } = open_n1(dir.path()).unwrap();
    block_on(log.save_vote(&Vote::new(1, NODE))).unwrap();
    // Raft purges up to a snapshot that is still on its way to the disk, and goes on after it.
    block_on(log.purge(log_id(1, 3))).unwrap();
    let appending = std::thread::spawn(move || {
        block_on(log.blocking_append((4..=6).map(|index| entry(1, index, 1)))).unwrap();
    });
    machine.pretend_covered();
    appending.join().unwrap();
    drop(machine);
    drop(Lock::take(dir.path()).unwrap());
    // There is no snapshot in this test, and that is what must be missed: not the entries before it.
    let refused = chain(&open_n1(dir.path()).unwrap_err());
    assert!(refused.contains("begins after entry 3"), "{refused}");
}
