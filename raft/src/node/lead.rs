//! What goes with leading: noticing that one does, keeping members and leases in order, handing over. And what followers
//! owe their leader: reports.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use openraft::ServerState;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Inner;
use crate::Member;
use crate::membership::ChangeRefusal;
use crate::transport::message::Request;
use crate::types::LeaderTerm;

/// How often a leader looks after its members.
const TEND_EVERY: Duration = Duration::from_millis(100);

/// How often a leader sends heartbeats. Three fit into the age that a quorum's round may have for a lease.
const BEAT_EVERY: Duration = Duration::from_millis(90);

/// How long a report may take.
const REPORT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long handing over may take.
const HAND_OVER_TIMEOUT: Duration = Duration::from_millis(1200);

/// How long to wait for the election before the successor is asked again. While it stands, the other voters do not,
/// and the sixth request is the first that comes when they have not heard of this leader for
/// [`LEADER_SILENCE`](crate::election::LEADER_SILENCE).
const ASK_AGAIN: Duration = Duration::from_millis(104);

/// How long telling the leader that this node stops may take, a new leader's election included.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(400);

/// A member that has been silent for longer is no good successor.
const SILENCE: Duration = Duration::from_secs(2);

/// Tells the leases whenever this node has won an election.
pub(super) async fn watch_elections(node: Arc<Inner>) {
    let mut server = node.raft.server_metrics();
    let mut known_leader = None;
    let mut told_leader = None;
    loop {
        let (state, vote, current, term) = {
            let metrics = server.borrow_and_update();
            (
                metrics.state,
                metrics.vote,
                metrics.current_leader,
                metrics.vote.leader_id.term,
            )
        };
        if current != told_leader {
            node.tell_leader(current, term);
            told_leader = current;
        }
        if current.is_some() && current != known_leader {
            known_leader = current;
            node.election.leader_changed();
        }
        let leader = LeaderTerm::of(&vote);
        if state == ServerState::Leader && vote.committed && leader.node == node.peers.node {
            let last = node.raft.data_metrics().borrow().last_log;
            // The first entry of the term is appended in the same step that makes this node the leader; should the
            // news of it come later, so does the news of the next change.
            let own = last.filter(|last| LeaderTerm::of_leader(&last.leader_id) == leader);
            match own {
                Some(own) => node.freshness.elected(leader, own.index),
                None => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                }
            }
        }
        if server.changed().await.is_err() {
            return;
        }
    }
}

impl Inner {
    /// One line for the operator whenever another node leads, or none.
    fn tell_leader(&self, leader: Option<u64>, term: u64) {
        match leader {
            Some(id) if id == self.peers.node => tracing::info!(term, "this node leads"),
            Some(id) => {
                let name = self
                    .member(id)
                    .map_or_else(|| format!("{id:08x}"), |member| member.name);
                tracing::info!(term, leader = name, "another node leads");
            }
            None => tracing::warn!(
                term,
                "no leader is known: an election is under way, or fewer than half of the voters can be reached"
            ),
        }
    }
}

/// While this node leads: promotes learners that have caught up.
pub(super) async fn tend(node: Arc<Inner>) {
    loop {
        tokio::time::sleep(TEND_EVERY).await;
        if node.is_leader() {
            node.tend_membership().await;
        }
    }
}

/// While this node leads: sends heartbeats, and keeps its own right to read going. openraft's own heartbeats come only
/// every one and a half intervals, and the interval is its time limit for answers.
pub(super) async fn beat(node: Arc<Inner>) {
    loop {
        tokio::time::sleep(BEAT_EVERY).await;
        if node.is_leader() {
            node.freshness.tick();
            // An error is a Raft that has stopped, which is noticed elsewhere.
            let _ = node.raft.trigger().heartbeat().await;
        }
    }
}

/// While this node follows: reports to the leader as soon as it has applied a revoking entry, because somebody waits
/// for that. One report is under way at a time; everything else rides on the answers to heartbeats.
pub(super) async fn report(node: Arc<Inner>, mut revoking: watch::Receiver<u64>) {
    let mut applied = node.applied.clone();
    let mut reported = 0;
    loop {
        let Ok(index) = revoking
            .wait_for(|index| *index > reported)
            .await
            .map(|index| *index)
        else {
            return;
        };
        let Ok(seen) = applied
            .wait_for(|applied| *applied >= index)
            .await
            .map(|seen| *seen)
        else {
            return;
        };
        reported = seen;
        let leader = node.leader().filter(|leader| *leader != node.peers.node);
        let Some((leader, member)) = leader.and_then(|id| Some((id, node.member(id)?))) else {
            continue;
        };
        let report = Request::Applied(node.freshness.stamp());
        // If it is lost, the answer to the next heartbeat says the same.
        let _ = node
            .peers
            .call(Some(leader), &member, report, REPORT_TIMEOUT)
            .await;
    }
}

impl Inner {
    /// Makes another voter lead, if this node does: stops sending heartbeats and asks `to`, or the voter with the longest
    /// log, to stand. Says who leads then. openraft 0.9 has no transfer of its own.
    pub(crate) async fn hand_over(&self, to: Option<u64>) -> Result<String, ChangeRefusal> {
        let (successor, member) = self.successor(to).ok_or(ChangeRefusal::NoSuccessor)?;
        tracing::info!(successor = %member.name, "handing leadership over");
        self.is_handing_over.store(true, Ordering::Release);
        self.raft.runtime_config().heartbeat(false);
        let asking = self.ask_to_take_over(successor, &member);
        let is_done = timeout(HAND_OVER_TIMEOUT, asking).await == Ok(true);
        self.raft.runtime_config().heartbeat(true);
        self.is_handing_over.store(false, Ordering::Release);
        if is_done {
            return Ok(member.name);
        }
        tracing::warn!(successor = %member.name, "leadership was not handed over in time");
        Err(ChangeRefusal::NotElected { name: member.name })
    }

    /// Who is to lead instead of this node, if this node does.
    fn successor(&self, to: Option<u64>) -> Option<(u64, Member)> {
        let metrics = self.raft.metrics().borrow().clone();
        if metrics.state != ServerState::Leader {
            return None;
        }
        let membership = metrics.membership_config.membership();
        let replication = metrics.replication.unwrap_or_default();
        let matched = |id: u64| replication.get(&id).copied().flatten();
        let is_alive = |id: u64| self.peers.silence(id).is_some_and(|s| s < SILENCE);
        let others = membership.voter_ids().filter(|id| *id != self.peers.node);
        let longest = || others.max_by_key(|id| (is_alive(*id), matched(*id)));
        let successor = to.or_else(longest)?;
        Some((successor, self.member(successor)?))
    }

    /// Whether this node leads no longer. Others refuse to vote while they have heard of this leader lately; so the
    /// successor is asked until one is elected.
    async fn ask_to_take_over(&self, successor: u64, member: &Member) -> bool {
        let mut metrics = self.raft.server_metrics();
        loop {
            let request = Request::TakeOver;
            let asked = self
                .peers
                .call(Some(successor), member, request, REPORT_TIMEOUT);
            if asked.await.is_err() {
                return false;
            }
            let deposed = metrics.wait_for(|metrics| metrics.state != ServerState::Leader);
            if timeout(ASK_AGAIN, deposed).await.is_ok() {
                return true;
            }
        }
    }

    /// Ends all reads from this node's memory and tells the leader, so that no revocation has to wait for the lease to
    /// run out. Takes [`FAREWELL_TIMEOUT`] at most; if it is not heard, the lease runs out.
    pub(super) async fn say_farewell(&self) {
        self.freshness.leave();
        let me = self.peers.node;
        let telling = async {
            let mut metrics = self.raft.server_metrics();
            // The leadership may just have been handed over.
            let known = metrics.wait_for(|m| m.current_leader.is_some_and(|id| id != me));
            let Some(leader) = known.await.ok().and_then(|m| m.current_leader) else {
                return;
            };
            let Some(member) = self.member(leader) else {
                return;
            };
            let farewell = Request::Farewell(self.freshness.stamp());
            let told = self
                .peers
                .call(Some(leader), &member, farewell, FAREWELL_TIMEOUT);
            if let Err(error) = told.await {
                tracing::debug!(%error, "the leader was not told that this node stops");
            }
        };
        if self.peers.authority.is_some() {
            let _ = timeout(FAREWELL_TIMEOUT, telling).await;
        }
    }
}
