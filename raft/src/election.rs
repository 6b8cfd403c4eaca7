//! When this node stands for election.
//!
//! openraft 0.9 would wait for an election timeout on top of the time during which voters refuse candidates, and it has
//! no pre-vote: a node that was cut off would depose a sound leader as soon as it is back. So its own timer is off, and a
//! node stands when the leader has been silent for [`LEADER_SILENCE`] *and* a majority says the same and has no longer
//! log. The votes themselves are Raft's.
//!
//! Source: Raft thesis §9.6 (pre-vote).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use openraft::{LogId, ServerState};
use tokio::task::JoinSet;

use crate::clock::boot_time;
use crate::lease::Boot;
use crate::node::Inner;
use crate::random;
use crate::transport::message::{Answer, Request};

/// How long the leader must have been silent before voters elect another. A disk or a scheduler that takes this long
/// costs an election.
pub(crate) const LEADER_SILENCE: Duration = Duration::from_millis(500);

/// How often a follower looks whether the leader is silent.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A node stands this long after it could at most, at random, so that two rarely stand together.
const STAGGER: Duration = Duration::from_millis(80);

/// How long a candidate has to win before another stands.
const CANDIDATE_TIME: Duration = Duration::from_millis(200);

/// How long to wait for the others to say whether they would vote.
const ASK_TIMEOUT: Duration = Duration::from_millis(200);

/// What this node has heard of leaders and candidates.
#[derive(Debug)]
pub(crate) struct Election {
    leader_heard_at: AtomicU64,
    candidate_heard_at: AtomicU64,
    stood: AtomicU64,
    leader_changes: AtomicU64,
}

impl Default for Election {
    /// As if a leader had just been heard: there may well be one.
    fn default() -> Self {
        Self {
            leader_heard_at: AtomicU64::new(boot_time().0),
            candidate_heard_at: AtomicU64::new(0),
            stood: AtomicU64::new(0),
            leader_changes: AtomicU64::new(0),
        }
    }
}

impl Election {
    /// A message of a leader has arrived, whether Raft has dealt with it or not.
    pub(crate) fn heard_leader(&self) {
        self.leader_heard_at.store(boot_time().0, Ordering::Relaxed);
    }

    /// This node stands, or another does.
    pub(crate) fn heard_candidate(&self) {
        self.candidate_heard_at
            .store(boot_time().0, Ordering::Relaxed);
    }

    /// A node has become the leader that was not before.
    pub(crate) fn leader_changed(&self) {
        self.leader_changes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often this node has stood, and how often a leader has changed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (count(&self.stood), count(&self.leader_changes))
    }

    /// Whether the leader has been silent for [`LEADER_SILENCE`] and `patience` more.
    fn lacks_leader(&self, patience: Duration, now: Boot) -> bool {
        since(&self.leader_heard_at, now) > LEADER_SILENCE + patience
    }

    /// Whether neither a leader nor a candidate has been heard after `asked_at`.
    fn is_unchanged(&self, asked_at: Boot) -> bool {
        let is_old = |at: &AtomicU64| at.load(Ordering::Relaxed) <= asked_at.0;
        is_old(&self.leader_heard_at) && is_old(&self.candidate_heard_at)
    }

    /// Whether no candidate is busy any more.
    fn lacks_candidate(&self, patience: Duration, now: Boot) -> bool {
        since(&self.candidate_heard_at, now) > CANDIDATE_TIME + patience
    }
}

/// Stands whenever it is time, as long as the node runs.
pub(crate) async fn run(node: Arc<Inner>) {
    let mut looked_at = boot_time();
    let mut patience = stagger();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = boot_time();
        if now.since(looked_at) > LEADER_SILENCE / 4 {
            // Not the leader was silent but this node deaf. What has arrived meanwhile comes first.
            node.election.heard_leader();
        }
        looked_at = now;
        let election = &node.election;
        let is_time =
            election.lacks_leader(patience, now) && election.lacks_candidate(patience, now);
        if !is_time || !node.may_stand() {
            continue;
        }
        patience = stagger();
        // Another may have stood, or a leader have come back, while the others were asked.
        if node.would_win().await && election.is_unchanged(now) {
            election.heard_candidate();
            election.stood.fetch_add(1, Ordering::Relaxed);
            tracing::debug!("the leader is silent; standing for election");
            // An error is a Raft that has stopped, which is noticed elsewhere.
            let _ = node.raft.trigger().elect().await;
        }
        looked_at = boot_time();
    }
}

fn since(at: &AtomicU64, now: Boot) -> Duration {
    now.since(Boot(at.load(Ordering::Relaxed)))
}

/// A random part of [`STAGGER`].
fn stagger() -> Duration {
    STAGGER * random::thousandths() / 1000
}

impl Inner {
    /// Whether this node would vote for one whose log ends with `last_log`.
    pub(crate) fn would_vote(&self, last_log: Option<LogId<u64>>) -> bool {
        let leads = self.raft.server_metrics().borrow().state == ServerState::Leader;
        let own = self.raft.data_metrics().borrow().last_log;
        !leads && last_log >= own && self.election.lacks_leader(Duration::ZERO, boot_time())
    }

    /// Whether a majority, in both halves of a joint membership, would vote for this node.
    async fn would_win(self: &Arc<Self>) -> bool {
        let membership = self.membership();
        let configs = membership.membership().get_joint_config().clone();
        let last_log = self.raft.data_metrics().borrow().last_log;
        let mut asked = JoinSet::new();
        for id in configs.iter().flatten().collect::<BTreeSet<_>>() {
            let Some(member) = self.member(*id).filter(|_| *id != self.peers.node) else {
                continue;
            };
            let (node, id) = (Arc::clone(self), *id);
            asked.spawn(async move {
                let request = Request::MayStand { last_log };
                let asked = node.peers.call(Some(id), &member, request, ASK_TIMEOUT);
                matches!(asked.await, Ok(Answer::MayStand(true))).then_some(id)
            });
        }
        let mut voters = BTreeSet::from([self.peers.node]);
        loop {
            let is_majority =
                |config: &BTreeSet<u64>| config.intersection(&voters).count() > config.len() / 2;
            if configs.iter().all(is_majority) {
                return true;
            }
            match asked.join_next().await {
                Some(voter) => voters.extend(voter.ok().flatten()),
                None => return false,
            }
        }
    }
}
