//! A logout is final for a node that hears nothing of it, too: one that is cut off, and one that is stopped and woken up.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::Line;
use super::figures::Figures;
use super::stage::{self, Order, Progress};
use crate::cluster::Cluster;

/// Logouts in a round.
const SESSIONS: u64 = 8;
const HEALING: Duration = Duration::from_secs(30);
/// How long requests gather at a node that is stopped before it is woken up.
const GATHERING: Duration = Duration::from_millis(30);

/// What keeps a node from hearing of a logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    /// No other node hears it, and it hears none.
    CutOff,
    /// It hears no other node.
    Deaf,
    /// No other node hears it.
    Mute,
    /// SIGSTOP.
    Stopped,
}

const OUTAGES: [Outage; 4] = [Outage::CutOff, Outage::Stopped, Outage::Deaf, Outage::Mute];

/// What is found.
#[derive(Default)]
struct Found {
    figures: Figures,
    /// Sessions that the node allowed before.
    known: u64,
    unanswered: u64,
    looks: u64,
    stale: Vec<String>,
}

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    let mut cluster = order.cluster(SESSIONS, 0)?;
    let mut found = Found::default();
    let progress = Progress::new("rounds with a node away", order.count);
    for round in 0..order.count {
        progress.at(round);
        let number = usize::try_from(round).unwrap_or(0);
        let away = number % order.nodes;
        let outage = OUTAGES.iter().cycle().nth(number);
        found.round(
            &mut cluster,
            round,
            away,
            *outage.unwrap_or(&Outage::CutOff),
        )?;
    }
    Ok(found.judge(order))
}

impl Found {
    fn round(
        &mut self,
        cluster: &mut Cluster,
        round: u64,
        away: usize,
        outage: Outage,
    ) -> io::Result<()> {
        let nodes = cluster.addresses();
        let others: Vec<SocketAddr> = others(&nodes, away);
        let Some(there) = nodes.get(away).copied() else {
            return Ok(());
        };
        let mut sessions = Vec::new();
        for (user, node) in (0..SESSIONS).zip(others.iter().cycle()) {
            let address = stage::address(round * SESSIONS + user);
            match stage::session(*node, &format!("u{user}"), &address) {
                Some(cookie) if stage::verify(there, &cookie) == 200 => sessions.push(cookie),
                _ => self.unanswered += 1,
            }
        }
        self.known += sessions.len() as u64;
        strike(cluster, away, outage)?;
        let mut ended = Vec::new();
        for (cookie, node) in sessions.into_iter().zip(others.iter().cycle()) {
            let begun = Instant::now();
            if !stage::log_out(*node, &cookie) {
                self.unanswered += 1;
                continue;
            }
            self.figures.add(begun.elapsed());
            if outage != Outage::Stopped {
                self.look(outage, away, stage::verify(there, &cookie));
            }
            ended.push(cookie);
        }
        for status in wake(cluster, there, &ended)? {
            self.look(outage, away, status);
        }
        if !cluster.wait_until_ready(HEALING) {
            return Err(io::Error::other("the cluster did not heal in 30 s"));
        }
        for (node, address) in nodes.iter().enumerate() {
            for cookie in &ended {
                self.look(outage, node, stage::verify(*address, cookie));
            }
        }
        Ok(())
    }

    fn look(&mut self, outage: Outage, node: usize, status: u16) {
        self.looks += 1;
        if status == 200 {
            self.stale.push(format!("{outage:?} n{}", node + 1));
        }
    }

    fn judge(self, order: &Order) -> Vec<Line> {
        let asked = order.count * SESSIONS;
        let stale = self.stale.iter().take(5).collect::<Vec<_>>();
        vec![
            Line::new(
                self.stale.is_empty(),
                format!(
                    "sessions allowed by any node after the answer to their logout, one node cut off, deaf, mute, or \
                     stopped and woken up: {} of {} looks {stale:?}",
                    self.stale.len(),
                    self.looks
                ),
            ),
            Line::new(
                self.known * 10 >= asked * 9 && self.figures.count() * 10 >= asked * 9,
                format!(
                    "sessions that the node knew before: {} of {asked}; logouts answered meanwhile: {}; without an \
                     answer: {}",
                    self.known,
                    self.figures.count(),
                    self.unanswered
                ),
            ),
            Line::new(true, format!("logout with a node away: {}", self.figures)),
        ]
    }
}

fn others(nodes: &[SocketAddr], away: usize) -> Vec<SocketAddr> {
    let others = nodes.iter().enumerate().filter(|(node, _)| *node != away);
    others.map(|(_, address)| *address).collect()
}

fn strike(cluster: &mut Cluster, away: usize, outage: Outage) -> io::Result<()> {
    if outage == Outage::Stopped {
        return cluster.pause(away);
    }
    for other in (0..cluster.count()).filter(|other| *other != away) {
        if outage != Outage::Deaf {
            cluster.links().cut(away, other);
        }
        if outage != Outage::Mute {
            cluster.links().cut(other, away);
        }
    }
    Ok(())
}

/// Ends the outage while every ended session is being looked at; the statuses.
fn wake(cluster: &mut Cluster, there: SocketAddr, ended: &[String]) -> io::Result<Vec<u16>> {
    thread::scope(|scope| {
        let looks: Vec<_> = ended
            .iter()
            .map(|cookie| scope.spawn(move || stage::verify(there, cookie)))
            .collect();
        thread::sleep(GATHERING);
        cluster.links().heal();
        cluster.mend()?;
        Ok(looks
            .into_iter()
            .filter_map(|look| look.join().ok())
            .collect())
    })
}
