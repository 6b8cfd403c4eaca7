//! All nodes are killed at once and started again: they serve soon, and know all that was acknowledged.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Line;
use super::figures::Figures;
use super::stage::{self, Order, Progress};
use crate::choice::Choices;
use crate::cluster::Cluster;

const SERVING_BAR: Duration = Duration::from_secs(2);
const SERVING_MAX: Duration = Duration::from_secs(30);
/// How many of the newest sessions are looked at after each start; all are at the end.
const LOOKED_AT: usize = 10;

/// Sessions by what was acknowledged last.
#[derive(Default)]
struct Acknowledged {
    open: Vec<String>,
    ended: Vec<String>,
}

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    // Each round has a user of its own: a login that is cut short costs a guess.
    let mut cluster = order.cluster(order.count * order.nodes as u64, 0)?;
    let nodes = cluster.addresses();
    let mut figures = Figures::default();
    let mut choices = Choices::new(1, 0);
    let mut known = Acknowledged::default();
    let mut wrong = 0;
    let progress = Progress::new("restarts", order.count);
    for round in 0..order.count {
        progress.at(round);
        let new = write_until_killed(&mut cluster, round, choices.between(50, 400))?;
        known.open.extend(new.open);
        known.ended.extend(new.ended);
        let begun = Instant::now();
        cluster.mend()?;
        if !cluster.wait_until_ready(SERVING_MAX) {
            return Err(io::Error::other("a node did not serve within 30 s"));
        }
        figures.add(begun.elapsed());
        wrong += wrongs(&nodes, &known, LOOKED_AT);
    }
    wrong += wrongs(&nodes, &known, usize::MAX);
    Ok(vec![
        Line::new(
            figures.percentile(100) <= SERVING_BAR || !order.judges_durations,
            format!("kill -9 of all nodes, time from the start until all serve: {figures}"),
        ),
        Line::new(
            wrong == 0,
            format!(
                "acknowledged logins lost or logouts undone: {wrong} of {} and {}",
                known.open.len(),
                known.ended.len()
            ),
        ),
    ])
}

/// Logs in and out on every node until all are killed, `after_ms` later.
fn write_until_killed(
    cluster: &mut Cluster,
    round: u64,
    after_ms: u64,
) -> io::Result<Acknowledged> {
    let known = Mutex::new(Acknowledged::default());
    let stop = AtomicBool::new(false);
    let nodes = cluster.addresses();
    thread::scope(|scope| {
        for (number, node) in nodes.iter().enumerate() {
            let (known, stop) = (&known, &stop);
            let user = round * nodes.len() as u64 + number as u64;
            scope.spawn(move || write(*node, user, known, stop));
        }
        thread::sleep(Duration::from_millis(after_ms));
        let all: Vec<usize> = (0..nodes.len()).collect();
        let killed = cluster.kill(&all);
        stop.store(true, Ordering::SeqCst);
        killed
    })?;
    Ok(known.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn write(node: SocketAddr, user: u64, known: &Mutex<Acknowledged>, stop: &AtomicBool) {
    let name = format!("u{user}");
    let mut turn = 0_u32;
    while !stop.load(Ordering::SeqCst) {
        let Some(cookie) = stage::session(node, &name, &stage::address(user)) else {
            return;
        };
        turn += 1;
        let is_to_end = turn.is_multiple_of(2);
        let is_ended = is_to_end && stage::log_out(node, &cookie);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        match (is_to_end, is_ended) {
            (false, _) => known.open.push(cookie),
            (true, true) => known.ended.push(cookie),
            // Nobody knows whether it has ended.
            (true, false) => return,
        }
    }
}

/// How many of the newest `count` of each kind some node has wrong.
fn wrongs(nodes: &[SocketAddr], known: &Acknowledged, count: usize) -> usize {
    let lost = |cookie: &&String| nodes.iter().any(|node| stage::verify(*node, cookie) != 200);
    let undone = |cookie: &&String| nodes.iter().any(|node| stage::verify(*node, cookie) == 200);
    let open = known.open.iter().rev().take(count);
    let ended = known.ended.iter().rev().take(count);
    open.filter(lost).count() + ended.filter(undone).count()
}
