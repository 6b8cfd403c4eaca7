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

/// A member of the cluster, as the membership in the log names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The configured name, unique among the members.
    pub name: String,
    /// `host:port` of its node-to-node listener.
    pub address: String,
}
