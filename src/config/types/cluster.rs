//! `cluster`: the members and how they reach one another.

use std::path::PathBuf;
use std::time::Duration;

use super::server::Listen;
use crate::config::secret::Secret;

/// `cluster`.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// This node's name, unique among the members.
    pub name: String,
    /// The listener for other nodes.
    pub address: Listen,
    /// `host:port` where other nodes reach this one.
    pub advertise: String,
    /// All members, this one included; empty: a single node.
    pub members: Vec<Member>,
    /// What proves membership; there if `members` is not empty.
    pub secret: Option<Secret>,
    /// Where log and snapshots are kept.
    pub data_dir: PathBuf,
    /// The length of a read lease, 1 s to 60 s.
    pub max_staleness: Duration,
    /// How long a stopping node says that it is not ready before it closes its listener, 1 min at most.
    pub drain_delay: Duration,
    /// What a session is read by.
    pub reads: Reads,
}

/// `cluster.reads`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// From this node's memory, under its lease.
    #[default]
    Lease,
    /// Behind one round to the leader, which all requests that wait share. No clock is trusted.
    Strict,
}

/// One entry of `cluster.members`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The node's name.
    pub name: String,
    /// `host:port`.
    pub address: String,
}
