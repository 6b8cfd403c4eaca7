//! The leader is killed, again and again, while visitors are verified on every node and others log in.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Line;
use super::figures::Figures;
use super::stage::{self, Order, Progress};
use crate::choice::Choices;
use crate::cluster::Cluster;

const HEALING: Duration = Duration::from_secs(30);
const NEXT_LOGIN_MAX: Duration = Duration::from_secs(30);
const P50_BAR: Duration = Duration::from_millis(800);
const P99_BAR: Duration = Duration::from_millis(1_500);
/// Users for the load beside the one of each kill; a login that was cut short costs a guess, so none is used twice then.
const SPARE_USERS: u64 = 2_000;

/// What the load does and finds.
struct Load {
    nodes: Vec<SocketAddr>,
    /// Nodes that are up: from when all are ready to the kill.
    is_up: Vec<AtomicBool>,
    stop: AtomicBool,
    verifies: AtomicU64,
    failed: Mutex<Vec<String>>,
    /// Cookies of acknowledged logins.
    acknowledged: Mutex<Vec<String>>,
}

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    let mut cluster = order.cluster(order.count + SPARE_USERS, 0)?;
    let load = Load {
        nodes: cluster.addresses(),
        is_up: (0..order.nodes).map(|_| AtomicBool::new(true)).collect(),
        stop: AtomicBool::new(false),
        verifies: AtomicU64::new(0),
        failed: Mutex::default(),
        acknowledged: Mutex::default(),
    };
    let watched = load
        .nodes
        .first()
        .and_then(|node| stage::session(*node, "u0", &stage::address(0)))
        .ok_or_else(|| io::Error::other("the first login was refused"))?;
    let outcome = thread::scope(|scope| {
        for node in 0..order.nodes {
            let (load, watched) = (&load, &watched);
            scope.spawn(move || load.verify(node, watched));
        }
        scope.spawn(|| load.log_in(order.count + 1));
        let outcome = kills(order.count, &mut cluster, &load);
        load.stop.store(true, Ordering::Relaxed);
        outcome
    });
    let figures = outcome?;
    Ok(load.judge(&figures, order))
}

/// Times from each kill to the next accepted login on a node that lives.
fn kills(count: u64, cluster: &mut Cluster, load: &Load) -> io::Result<Figures> {
    let mut figures = Figures::default();
    let mut choices = Choices::new(1, 0);
    let progress = Progress::new("leader kills", count);
    for trial in 1..=count {
        progress.at(trial - 1);
        if !cluster.wait_until_ready(HEALING) {
            return Err(io::Error::other("the cluster did not heal in 30 s"));
        }
        load.is_up
            .iter()
            .for_each(|up| up.store(true, Ordering::SeqCst));
        thread::sleep(Duration::from_millis(choices.between(300, 900)));
        let Some(leader) = stage::leader(cluster) else {
            return Err(io::Error::other("nobody says that it leads"));
        };
        if let Some(up) = load.is_up.get(leader) {
            up.store(false, Ordering::SeqCst);
        }
        cluster.kill(&[leader])?;
        figures.add(load.next_login(leader, trial));
        cluster.mend()?;
    }
    if cluster.wait_until_ready(HEALING) {
        Ok(figures)
    } else {
        Err(io::Error::other("the cluster did not heal in 30 s"))
    }
}

impl Load {
    /// How long it takes until a user who tries on every other node at once is let in.
    fn next_login(&self, dead: usize, trial: u64) -> Duration {
        let begun = Instant::now();
        let took = Mutex::new(None);
        let is_in = AtomicBool::new(false);
        thread::scope(|scope| {
            for (number, node) in self.nodes.iter().enumerate() {
                let (took, is_in) = (&took, &is_in);
                let (user, address) = (format!("u{trial}"), stage::address(trial));
                if number == dead {
                    continue;
                }
                scope.spawn(move || {
                    while !is_in.load(Ordering::SeqCst) && begun.elapsed() < NEXT_LOGIN_MAX {
                        if let Some(cookie) = stage::session(*node, &user, &address) {
                            is_in.store(true, Ordering::SeqCst);
                            let mut took = took.lock().unwrap_or_else(PoisonError::into_inner);
                            took.get_or_insert(begun.elapsed());
                            self.keep(cookie);
                            return;
                        }
                        thread::sleep(Duration::from_millis(10));
                    }
                });
            }
        });
        let took = took.into_inner().unwrap_or_else(PoisonError::into_inner);
        took.unwrap_or(NEXT_LOGIN_MAX)
    }

    fn keep(&self, cookie: String) {
        let mut kept = self.acknowledged.lock();
        kept.as_mut()
            .unwrap_or_else(|poisoned| poisoned.get_mut())
            .push(cookie);
    }

    /// Looks at one session on one node for as long as the load goes on. Counts while the node is up only.
    fn verify(&self, node: usize, cookie: &str) {
        let (Some(address), Some(up)) = (self.nodes.get(node), self.is_up.get(node)) else {
            return;
        };
        while !self.stop.load(Ordering::Relaxed) {
            let was_up = up.load(Ordering::SeqCst);
            let status = stage::verify(*address, cookie);
            if was_up && up.load(Ordering::SeqCst) {
                self.verifies.fetch_add(1, Ordering::Relaxed);
                if status != 200 {
                    let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.push(format!("n{}: {status}", node + 1));
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Logs in one user after another, with `first` as the first; the next user after a login that was not answered.
    fn log_in(&self, first: u64) {
        let mut user = first;
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            turn += 1;
            let node = self.nodes.iter().cycle().nth(turn % self.nodes.len());
            let name = format!("u{user}");
            match node.and_then(|node| stage::session(*node, &name, &stage::address(user))) {
                Some(cookie) => self.keep(cookie),
                None => user += 1,
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn judge(self, figures: &Figures, order: &Order) -> Vec<Line> {
        let kept = self
            .acknowledged
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let is_there = |cookie: &&String| {
            let mut nodes = self.nodes.iter();
            !nodes.all(|node| stage::verify(*node, cookie) == 200)
        };
        let lost = kept.iter().filter(is_there).count();
        let failed = self
            .failed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let is_quick = figures.percentile(50) <= P50_BAR && figures.percentile(99) <= P99_BAR;
        let (kills, nodes) = (figures.count(), order.nodes);
        let verifies = self.verifies.into_inner();
        vec![
            Line::new(
                is_quick || !order.judges_durations,
                format!("leader kills of {nodes} nodes, time to the next login: {figures}"),
            ),
            Line::new(
                kills == order.count,
                format!("kills that struck a leader: {kills} of {}", order.count),
            ),
            Line::new(
                lost == 0,
                format!(
                    "acknowledged logins lost on any node: {lost} of {}",
                    kept.len()
                ),
            ),
            Line::new(
                failed.is_empty(),
                format!(
                    "failed verifies on live nodes: {} of {verifies} {:?}",
                    failed.len(),
                    failed.iter().take(5).collect::<Vec<_>>()
                ),
            ),
        ]
    }
}
