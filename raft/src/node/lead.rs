//! What goes with leading: noticing that one does, keeping members and leases in order, handing over. And what followers
//! owe their leader: reports.

use std::sync::Arc;
use std::time::Duration;

use openraft::ServerState;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Inner;
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

/// Tells the leases whenever this node has won an election.
pub(super) async fn watch_elections(node: Arc<Inner>) {
    let mut server = node.raft.server_metrics();
    loop {
        let (state, vote) = {
            let metrics = server.borrow_and_update();
            (metrics.state, metrics.vote)
        };
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
    /// Makes another voter lead, if this node does and there is one that can: stops sending heartbeats and asks the
    /// voter with the longest log to stand. openraft 0.9 has no transfer of its own.
    pub(super) async fn hand_over(&self) {
        let metrics = self.raft.metrics().borrow().clone();
        let me = self.peers.node;
        if metrics.state != ServerState::Leader {
            return;
        }
        let voters = metrics.membership_config.membership().voter_ids();
        let replication = metrics.replication.unwrap_or_default();
        let matched = |id: u64| replication.get(&id).copied().flatten();
        let Some(successor) = voters.filter(|id| *id != me).max_by_key(|id| matched(*id)) else {
            return;
        };
        let Some(member) = self.member(successor) else {
            return;
        };
        tracing::info!(successor = %member.name, "handing leadership over");
        self.raft.runtime_config().heartbeat(false);
        let asking = async {
            loop {
                // Others refuse to vote while they have heard of this leader lately; so ask until one is elected.
                let asked =
                    self.peers
                        .call(Some(successor), &member, Request::TakeOver, REPORT_TIMEOUT);
                if asked.await.is_err() {
                    return;
                }
                let mut metrics = self.raft.server_metrics();
                let deposed = metrics.wait_for(|metrics| metrics.state != ServerState::Leader);
                if timeout(Duration::from_millis(300), deposed).await.is_ok() {
                    return;
                }
            }
        };
        if timeout(HAND_OVER_TIMEOUT, asking).await.is_err() {
            tracing::warn!(successor = %member.name, "leadership was not handed over in time; the others elect by themselves");
        }
    }
}
