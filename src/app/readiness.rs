//! Whether this node can decide requests, and if not, why; and what it sees.

use std::sync::atomic::Ordering;

use quorate_raft::{MemberNumbers, Status};
use serde::{Deserialize, Serialize};

use super::App;

/// What one node sees: `/readyz?verbose`, and `quorate cluster status`.
#[derive(Debug, Serialize, Deserialize)]
pub struct NodeReport {
    /// Whether proxies should send it requests.
    pub ready: bool,
    /// What keeps it from being ready, in words.
    pub why: Vec<String>,
    /// What an operator should look at although the node is ready, in words.
    #[serde(default)]
    pub warnings: Vec<String>,
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

/// Wall clocks further apart than this are told. A time zone or a lost NTP server is; a leap second is not.
const CLOCKS_APART_MS: u64 = 2_000;

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
            warnings: warnings(&self.node.numbers().members),
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
        if let Some(cause) = self.node.status().failure {
            complaints.push(format!("this node has failed and ends: {cause}"));
        } else if !self.node.may_read() {
            let status = self.node.status();
            complaints.push(match status.leader {
                None => "no leader is known: fewer than half of the voters can be reached, or an election is under way".to_owned(),
                Some(leader) => format!("no read lease: leader `{leader}` has not confirmed lately that this node is up to date"),
            });
        }
        complaints
    }
}

/// What this node finds odd about the other members, as far as they have answered lately.
fn warnings(members: &[MemberNumbers]) -> Vec<String> {
    let mut warnings = Vec::new();
    for member in members {
        let name = &member.name;
        if member.same_configuration == Some(false) {
            warnings.push(format!(
                "`{name}` is configured otherwise than this node: compare the files, then `quorate config reload` on each, or restart"
            ));
        }
        if member.same_users == Some(false) {
            warnings.push(format!(
                "`{name}` has other users than this node: copy the users file to every member"
            ));
        }
        if let Some(offset_ms) = member.clock_offset_ms
            && offset_ms.unsigned_abs() > CLOCKS_APART_MS
        {
            let way = if offset_ms > 0 { "ahead of" } else { "behind" };
            warnings.push(format!(
                "the clock of `{name}` is {} s {way} this node's: see to NTP on both",
                offset_ms.unsigned_abs() / 1_000
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_differ_are_named_and_those_that_do_not_answer_are_not() {
        let member = |name: &str, same, clock_offset_ms| MemberNumbers {
            name: name.to_owned(),
            round_trip: None,
            clock_offset_ms,
            same_configuration: same,
            same_users: same,
        };
        let said = |member: MemberNumbers| warnings(&[member]).join("; ");
        assert_eq!(said(member("n2", None, None)), "");
        assert_eq!(said(member("n2", Some(true), Some(-2_000))), "");
        let differs = said(member("n2", Some(false), None));
        assert!(
            differs.contains("configured otherwise") && differs.contains("other users"),
            "{differs}"
        );
        assert!(said(member("n2", None, Some(7_200_000))).contains("7200 s ahead of"));
        assert!(said(member("n2", None, Some(-3_100))).contains("3 s behind"));
    }
}
