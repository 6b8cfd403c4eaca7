//! How long a cluster of three in one process takes, over real sockets and disks: prints, never judges.
//!
//! `cargo bench -p quorate-raft --bench cluster`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot set itself up must stop"
)]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/cluster/stand.rs"]
mod stand;

use std::time::{Duration, Instant};

use quorate_core::Command;

use crate::stand::{Cluster, Running, open_session, request_id, wait_for};

fn main() {
    let cluster = Cluster::formed(3);
    let leader = cluster.node(&cluster.wait_for_leader());
    let follower = cluster.node(&cluster.follower());
    writes("one writer on the leader", leader);
    writes("one writer on a follower", follower);
    revocations(follower);
    for clients in [64, 512] {
        parallel_writes(leader, clients);
    }
    read_index("on the leader", leader);
    read_index("on a follower", follower);
    drop(cluster);
    failover(20);
}

fn writes(what: &str, running: &Running) {
    let times = (0..300).map(|_| timed(|| running.open_session("john")).1);
    print(what, times.collect());
}

fn revocations(running: &Running) {
    let times = (0..300).map(|_| {
        let (key, _) = running.open_session("john");
        timed(|| running.propose(Command::EndSession { key }).unwrap()).1
    });
    print("one logout on a follower", times.collect());
}

fn parallel_writes(running: &Running, clients: usize) {
    const EACH: usize = 50;
    let client = |_| {
        let node = running.node.clone();
        running.handle().spawn(async move {
            for _ in 0..EACH {
                let (_, command) = open_session("john");
                node.propose(request_id(), command).await.unwrap();
            }
        })
    };
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients).map(client).collect();
    running.on(async move {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let per_second = (clients * EACH) as f64 / began.elapsed().as_secs_f64();
    println!("{clients} writers on the leader: {per_second:.0} /s");
}

fn read_index(what: &str, running: &Running) {
    let times = (0..300).map(|_| {
        let node = running.node.clone();
        timed(|| running.on(async move { node.read_index().await.unwrap() })).1
    });
    print(&format!("one read index {what}"), times.collect());
}

/// From the kill of the leader to the next write that a survivor acknowledges.
fn failover(kills: usize) {
    let mut cluster = Cluster::formed(3);
    let mut times = Vec::new();
    let mut reads_went_on = 0;
    for _ in 0..kills {
        cluster.wait_until_all_are_members();
        let leader = cluster.wait_for_leader();
        let (_, index) = cluster.node(&leader).open_session("john");
        cluster.wait_until_applied_everywhere(index);
        wait_for("a lease on every node", || {
            cluster.running().all(|r| r.node.may_read()).then_some(())
        });
        let began = Instant::now();
        cluster.kill(&leader);
        cluster.running().next().unwrap().open_session("john");
        times.push(began.elapsed());
        reads_went_on += usize::from(cluster.running().all(|r| r.node.may_read()));
        cluster.start(&leader);
    }
    print("leader killed until the next write", times);
    println!("  survivors still read from memory after {reads_went_on} of {kills}");
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "{what}: p50 {:?}, p99 {:?}, longest {:?}",
        at(50),
        at(99),
        at(100)
    );
}
