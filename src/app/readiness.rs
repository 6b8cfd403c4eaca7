//! Whether this node can decide requests, and if not, why; and what it sees.

use std::sync::atomic::Ordering;

use quorate_raft::Status;
use serde::{Deserialize, Serialize};

use super::App;

/// What one node sees: `/readyz?verbose`, and `quorate cluster status`.
#[derive(Debug, Serialize, Deserialize)]
pub struct NodeReport {
    /// Whether proxies should send it requests.
    pub ready: bool,
    /// What keeps it from being ready, in words.
    pub why: Vec<String>,
    /// Its process id.
    pub pid: u32,
    /// The version of its binary.
    pub version: String,
    /// Sessions in its memory, expired ones that have not been removed yet included.
    pub sessions: usize,
    /// Subjects that are banned now.
    pub bans: usize,
    /// Its part in the cluster.
    #[serde(flatten)]
    pub node: Status,
}

impl App {
    /// Whether proxies should send requests here: the node answers from memory under a lease, and is not stopping.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.is_draining.load(Ordering::Relaxed) && self.node.may_read()
    }

    /// From now on the node says that it is not ready, and goes on answering.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// What this node sees; nobody else is asked.
    #[must_use]
    pub fn report(&self) -> NodeReport {
        let reader = self.node.reader();
        NodeReport {
            ready: self.is_ready(),
            why: self.complaints(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sessions: reader.session_count(),
            bans: reader.ban_count(self.now()),
            node: self.node.status(),
        }
    }

    /// What keeps this node from being ready, in words; empty if nothing does.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.is_draining.load(Ordering::Relaxed) {
            complaints.push("this node is stopping".to_owned());
        }
        if !self.node.may_read() {
            let status = self.node.status();
            complaints.push(match status.leader {
                None => "no leader is known: fewer than half of the voters can be reached, or an election is under way".to_owned(),
                Some(leader) => format!("no read lease: leader `{leader}` has not confirmed lately that this node is up to date"),
            });
        }
        complaints
    }
}
