//! What a node has to be told. Knows nothing of configuration files.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use quorate_core::Budget;
use zeroize::Zeroizing;

use crate::Member;

/// What [`Node::start`](crate::Node::start) needs.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The name of this node: 1 to 63 letters, digits, `-`, `_` or `.`; unique among the members, whatever the case.
    pub name: String,
    /// Where the log, the vote and the snapshots are. No other process may use it.
    pub data_dir: PathBuf,
    /// The other members; `None` is a cluster of one, which opens no port.
    pub cluster: Option<ClusterConfig>,
    /// The length of a read lease (`cluster.max_staleness`): how long a cut-off node answers from its memory, and how
    /// long a revocation may have to wait for it. It should exceed the time an election takes, about a second.
    pub max_staleness: Duration,
    /// What a guess record is judged by when the leader looks for outdated ones.
    pub budget: Budget,
    /// A snapshot is taken after this many log entries; at least 1.
    pub snapshot_after: u64,
    /// One is taken before that, and the log shortened, when the log takes more than this many bytes encoded; in memory
    /// they are about twice as many.
    pub log_bytes_max: u64,
    /// The newest set of commands that this node says it knows: [`Command::SET`](quorate_core::Command::SET). Less makes
    /// it behave like an older version, which is for tests.
    pub command_set: u32,
}

/// The part of a [`NodeConfig`] that is about other nodes.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Where the node-to-node listener binds; the address may be unspecified (`0.0.0.0`, `[::]`), the port 0.
    pub listen: SocketAddr,
    /// `host:port` that the other members reach this node by.
    pub advertise: String,
    /// The members that form the cluster, this node among them or not. Empty is a cluster of one.
    pub members: Vec<Member>,
    /// The secret that all members share.
    pub secret: Secret,
}

/// The secret that makes a cluster: whoever has it can be a member. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The fewest bytes a secret must have.
    pub const BYTES_MIN: usize = 16;

    /// Takes over `bytes`. That they are at least [`Secret::BYTES_MIN`] is checked when the node starts.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether `name` can be a member's name; the rule is at [`NodeConfig::name`].
pub(crate) fn is_member_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=63).contains(&name.len()) && name.chars().all(allowed)
}
