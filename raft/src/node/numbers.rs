//! What one node counts and measures, for whoever draws curves. [`Status`](super::Status) says how things are now.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Inner, Node};
use crate::spread::SpreadNumbers;

/// What one node has counted since its start, and what it has measured last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// How often this node has stood for election.
    pub elections: u64,
    /// How often another node became the leader, this one included, as seen here.
    pub leader_changes: u64,
    /// Commands of this node that were committed.
    pub proposals_committed: u64,
    /// Commands of this node that nothing came of.
    pub proposals_unavailable: u64,
    /// Commands of this node whose outcome is not known.
    pub proposals_unknown: u64,
    /// How long revocations waited, after their commit, for the other members or their leases; counted by the leader.
    pub revocation_wait: SpreadNumbers,
    /// The newest snapshot, if there is one.
    pub snapshot: Option<SnapshotNumbers>,
    /// When this node's certificate for the other members ends, in milliseconds since the Unix epoch.
    pub certificate_ends_at_ms: Option<u64>,
    /// Connections to the node-to-node listener that were refused, because none of a member.
    pub connections_refused: u64,
    /// The other members.
    pub members: Vec<MemberNumbers>,
}

/// A snapshot on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotNumbers {
    /// When it was finished, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// The size of its file.
    pub bytes: u64,
}

/// Another member as this node has measured it. `None` where it has not answered lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberNumbers {
    /// Its name.
    pub name: String,
    /// From a question to its answer, without any disk.
    pub round_trip: Option<Duration>,
    /// Its wall clock minus this node's, in milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// Whether it is configured as this node is.
    pub same_configuration: Option<bool>,
    /// Whether it has the same users.
    pub same_users: Option<bool>,
}

impl Node {
    /// What has been counted and measured. Asks the file system for the newest snapshot.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let node = &self.0;
        let (committed, unavailable, unknown) = node.outcomes.counts();
        let (elections, leader_changes) = node.election.counts();
        Numbers {
            elections,
            leader_changes,
            proposals_committed: committed,
            proposals_unavailable: unavailable,
            proposals_unknown: unknown,
            revocation_wait: node.freshness.revocation_wait(),
            snapshot: node
                .store_metrics
                .newest_snapshot()
                .map(|(taken_at_ms, bytes)| SnapshotNumbers { taken_at_ms, bytes }),
            certificate_ends_at_ms: node
                .peers
                .authority
                .as_ref()
                .map(|authority| authority.leaf_ends_at().0),
            connections_refused: node.peers.connections_refused.load(Ordering::Relaxed),
            members: members(node),
        }
    }

    /// Says what this node is configured with, for the other members to compare: the digests of its configuration and
    /// of its users, both of which may change while it runs. Only the first call counts.
    pub fn describe(
        &self,
        configuration: tokio::sync::watch::Receiver<crate::Digest>,
        users: tokio::sync::watch::Receiver<crate::Digest>,
    ) {
        self.0.census.describe(configuration, users);
    }
}

fn members(node: &Inner) -> Vec<MemberNumbers> {
    let own = node.census.digests();
    let mut members: Vec<MemberNumbers> = node
        .others()
        .into_iter()
        .map(|(id, member)| {
            let seen = node.census.seen(id);
            let both = own.zip(seen.as_ref().and_then(|seen| seen.digests));
            MemberNumbers {
                name: member.name,
                round_trip: seen.as_ref().map(|seen| seen.round_trip),
                clock_offset_ms: seen.map(|seen| seen.clock_offset_ms),
                same_configuration: both.map(|(own, theirs)| own.0 == theirs.0),
                same_users: both.map(|(own, theirs)| own.1 == theirs.1),
            }
        })
        .collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members
}
