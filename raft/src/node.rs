//! One node: everything of this crate put together, and the only door to it.

mod lead;
mod numbers;
mod outcome;
mod propose;
mod settings;
mod start;
mod status;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openraft::ServerState;
use quorate_core::{Budget, Reader, StateView};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::census::Census;
use crate::election::Election;
use crate::formation::Formation;
use crate::freshness::Freshness;
use crate::log::Repeated;
use crate::machine::Views;
use crate::proposer::Proposer;
use crate::read::ReadRounds;
use crate::store::{IdentityHandle, StoreMetrics};
use crate::transport::peers::Peers;
use crate::types::TypeConfig;
use crate::{Member, NodeConfig};

pub use numbers::{MemberNumbers, Numbers, SnapshotNumbers};
pub use start::StartError;
pub use status::{MemberStatus, Role, Status, Suffrage};

/// Why a command or a linearizable read did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Nothing has happened, and nothing will.
    #[error("the cluster cannot decide now: {why}")]
    Unavailable {
        /// What is missing.
        why: String,
    },
    /// Nothing has happened, and nothing will: a member does not know the command yet.
    #[error("not every member can do this yet: {why}")]
    NotKnown {
        /// Which member, and what to do.
        why: String,
    },
    /// It may have happened, and may still happen; the same request id finds out.
    #[error("the cluster did not answer in time, so the outcome is unknown")]
    Unknown,
}

/// A running node. Clones are handles to the same one; it runs until [`Node::shutdown`].
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Inner>);

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.0.peers.member.name)
    }
}

/// What the tasks of a node share.
pub(crate) struct Inner {
    pub(crate) raft: openraft::Raft<TypeConfig>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) proposer: Proposer,
    pub(crate) reads: ReadRounds,
    pub(crate) reader: Reader,
    pub(crate) views: Views,
    pub(crate) budget: Budget,
    pub(crate) identity: IdentityHandle,
    pub(crate) formation: watch::Sender<Formation>,
    pub(crate) election: Election,
    pub(crate) census: Census,
    /// Held by whoever changes the membership.
    pub(crate) membership_turn: tokio::sync::Mutex<()>,
    pub(crate) complaint: Repeated,
    pub(crate) max_staleness: Duration,
    /// The newest index that readers of this node see.
    pub(crate) applied: watch::Receiver<u64>,
    /// What became of this node's commands.
    outcomes: outcome::Outcomes,
    pub(crate) store_metrics: Arc<StoreMetrics>,
    /// Where the node-to-node listener is bound.
    listening: Option<SocketAddr>,
    /// It is about to stop and takes no commands any more.
    is_leaving: AtomicBool,
    /// It leads and is about to let another lead.
    is_handing_over: AtomicBool,
    /// Learners that wait for the vote that the configuration of this leader has for their names.
    pub(crate) vote_wanted: Mutex<BTreeSet<u64>>,
    /// Why it has stopped for good.
    failure: watch::Sender<Option<String>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Node {
    /// Opens the data directory, binds the node-to-node listener and starts Raft. A cluster of one can take commands
    /// when this returns; a member of a larger one forms or finds its cluster in the background.
    ///
    /// # Errors
    /// [`StartError`] says what to change; nothing is left running.
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        start::start(config).await
    }

    /// The state, for reading. Ask [`Node::may_read`] first.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.0.reader
    }

    /// The whole state at one point of the log: the index of the newest entry in it, and the state. Takes microseconds
    /// and does not change afterwards.
    #[must_use]
    pub fn view(&self) -> (u64, StateView) {
        self.0.views.take()
    }

    /// Whether what is read from [`Node::reader`] from now on holds everything that was acknowledged before this call.
    /// One atomic load and one look at the clock. Ask anew after every await; if not, [`Node::read_index`] helps.
    #[must_use]
    pub fn may_read(&self) -> bool {
        self.0.freshness.may_read()
    }

    /// The newest log index whose effect readers of this node see.
    #[must_use]
    pub fn applied(&self) -> u64 {
        *self.0.applied.borrow()
    }

    /// Waits until readers of this node see the effect of the entry at `index`; false if that takes longer than
    /// `at_most`.
    pub async fn wait_applied(&self, index: u64, at_most: Duration) -> bool {
        self.0
            .wait_applied_until(index, Instant::now() + at_most)
            .await
    }

    /// Where the node-to-node listener is bound; `None` in a cluster of one without a listener.
    #[must_use]
    pub fn listening(&self) -> Option<SocketAddr> {
        self.0.listening
    }

    /// What is going on, for people and metrics.
    #[must_use]
    pub fn status(&self) -> Status {
        status::of(&self.0)
    }

    /// Takes a snapshot soon, whatever the number of entries since the last one.
    pub async fn trigger_snapshot(&self) {
        // It fails only when Raft has stopped, which is reported by `stopped`.
        let _ = self.0.raft.trigger().snapshot().await;
    }

    /// Resolves with the reason when this node has failed for good: the process should log it and exit.
    pub async fn stopped(&self) -> String {
        let mut failure = self.0.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(cause) => cause.clone().unwrap_or_default(),
            Err(_) => "the node was dropped".to_owned(),
        }
    }

    /// Hands leadership over if this node leads, gives up its lease and says so, closes its connections and its
    /// listener, and closes the data directory. Commands that are under way have an unknown outcome. Takes about a
    /// second at most.
    pub async fn shutdown(&self) {
        let node = &self.0;
        node.is_leaving.store(true, Ordering::Release);
        if let Err(refusal) = node.hand_over(None).await {
            tracing::debug!(%refusal, "leadership was not handed over");
        }
        node.say_farewell().await;
        // An error is a Raft that has stopped already.
        let _ = node.raft.shutdown().await;
        let tasks = std::mem::take(&mut *node.tasks());
        for task in &tasks {
            task.abort();
        }
        node.peers.close();
        while tasks.iter().any(|task| !task.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
}

impl Inner {
    /// The node that leads, as far as this one knows.
    pub(crate) fn leader(&self) -> Option<u64> {
        let leader = self.raft.server_metrics().borrow().current_leader;
        leader.filter(|id| *id != self.peers.node || self.wants_to_lead())
    }

    /// Whether this node leads and takes commands.
    pub(crate) fn is_leader(&self) -> bool {
        let state = self.raft.server_metrics().borrow().state;
        state == ServerState::Leader && self.wants_to_lead()
    }

    fn wants_to_lead(&self) -> bool {
        !self.is_leaving.load(Ordering::Acquire) && !self.is_handing_over.load(Ordering::Acquire)
    }

    /// Whether this node votes and neither leads nor is about to stop.
    pub(crate) fn may_stand(&self) -> bool {
        let metrics = self.raft.server_metrics().borrow().clone();
        let is_leaving = self.is_leaving.load(Ordering::Acquire);
        let membership = metrics.membership_config.membership();
        let is_voter = membership.voter_ids().any(|id| id == self.peers.node);
        is_voter && metrics.state != ServerState::Leader && !is_leaving
    }

    /// The member with that node id.
    pub(crate) fn member(&self, node: u64) -> Option<Member> {
        let membership = self.membership();
        let mut nodes = membership.nodes();
        nodes
            .find(|(id, _)| **id == node)
            .map(|(_, member)| member.clone())
    }

    /// All members but this one.
    pub(crate) fn others(&self) -> Vec<(u64, Member)> {
        let membership = self.membership();
        let others = membership.nodes().filter(|(id, _)| **id != self.peers.node);
        others.map(|(id, member)| (*id, member.clone())).collect()
    }

    /// Whether this node is in the membership that its log has.
    pub(crate) fn is_member(&self) -> bool {
        self.member(self.peers.node).is_some()
    }

    /// Whether this node is a member without a vote.
    pub(crate) fn is_learner(&self) -> bool {
        let membership = self.membership();
        let mut learners = membership.membership().learner_ids();
        learners.any(|id| id == self.peers.node)
    }

    /// Whether this node has never voted and has no log.
    pub(crate) fn is_blank(&self) -> bool {
        let metrics = self.raft.metrics().borrow().clone();
        metrics.last_log_index.is_none()
            && metrics.vote == openraft::Vote::default()
            && metrics.membership_config.nodes().next().is_none()
    }

    /// Why this node has stopped for good, if it has.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Notes that this node has failed for good. The first reason stays.
    pub(crate) fn fail(&self, cause: String) {
        self.freshness.leave();
        self.failure.send_if_modified(|failure| {
            if failure.is_some() {
                return false;
            }
            tracing::error!(%cause, "this node has failed and must be restarted");
            *failure = Some(cause);
            true
        });
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
