//! Whether this node can decide requests, and if not, why.

use std::sync::atomic::Ordering;

use super::App;

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
