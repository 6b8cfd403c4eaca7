//! The one place where openraft's type parameters are bound.

use quorate_core::{Proposal, Reply};
use serde::{Deserialize, Serialize};

openraft::declare_raft_types!(
    /// What openraft is told about Quorate.
    pub(crate) TypeConfig:
        D = Batch,
        R = Vec<Reply>,
        NodeId = u64,
        Node = Member,
        Entry = openraft::Entry<TypeConfig>,
        SnapshotData = tokio::fs::File,
);

/// The proposals of one log entry, applied in order; each is answered by position.
///
/// openraft 0.9 flushes once per entry, so many proposals travel in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch(pub(crate) Vec<Proposal>);

/// The newest set of commands in an entry, at least 1.
pub(crate) fn newest_set(entry: &openraft::Entry<TypeConfig>) -> u32 {
    let openraft::EntryPayload::Normal(Batch(proposals)) = &entry.payload else {
        return 1;
    };
    let sets = proposals.iter().map(|proposal| proposal.command.set());
    sets.max().unwrap_or(1)
}

/// One leadership. openraft may elect two leaders in one term, one after the other, so the term alone does not name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LeaderTerm {
    /// Raft's term.
    pub(crate) term: u64,
    /// The leader's node id; below 2³².
    pub(crate) node: u64,
}

impl LeaderTerm {
    /// The leadership that `vote` is for.
    pub(crate) fn of(vote: &openraft::Vote<u64>) -> Self {
        Self::of_leader(vote.leader_id())
    }

    /// The leadership that openraft calls `leader`.
    pub(crate) fn of_leader(leader: &openraft::LeaderId<u64>) -> Self {
        Self {
            term: leader.term,
            node: leader.node_id,
        }
    }

    /// The leadership as one number, in the order of openraft's votes. The leases take it for the term.
    ///
    /// Node ids have 32 bits for its sake. A term beyond 2³² would take an election every second for 136 years.
    pub(crate) fn number(self) -> u64 {
        (self.term << 32) | (self.node & u64::from(u32::MAX))
    }
}

/// A member of the cluster, as the membership in the log names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The configured name, unique among the members.
    pub name: String,
    /// `host:port` of its node-to-node listener.
    pub address: String,
}
