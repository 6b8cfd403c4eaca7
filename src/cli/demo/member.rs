//! What the demo knows of its nodes at a moment: which process runs, and what the node says of
//! itself. Written by the supervisors and the poll, read by the gateway and the screen.

use std::time::Instant;

use serde::Deserialize;
use tokio::sync::watch;

/// All nodes, in the order of their names; every change wakes those who watch.
pub(super) type Members = watch::Sender<Vec<Member>>;

/// What a node answers to `GET /readyz?verbose`; fields that the demo does not show are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// Whether requests should be sent to it.
    pub(super) ready: bool,
    /// Why not, in words.
    pub(super) why: Vec<String>,
    pub(super) role: String,
    pub(super) term: u64,
    /// Index of the last log entry that its readers see.
    pub(super) applied: u64,
    pub(super) sessions: u64,
}

impl Status {
    pub(super) fn is_leader(&self) -> bool {
        self.role == "leader"
    }
}

/// Whether a node's process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// It has this process id.
    Running(u32),
    /// It has ended and is started again at this moment.
    Down(Instant),
}

/// One node as the demo sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) http_port: u16,
    pub(super) process: Process,
    /// Its last answer; none if it did not answer lately.
    pub(super) status: Option<Status>,
}

impl Member {
    pub(super) fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.ready)
    }

    pub(super) fn pid(&self) -> Option<u32> {
        match self.process {
            Process::Running(pid) => Some(pid),
            Process::Down(_) => None,
        }
    }
}

/// Changes the member called `name`; watchers wake only if something is different afterwards.
pub(super) fn change(members: &Members, name: &str, change: impl FnOnce(&mut Member)) {
    members.send_if_modified(|all| {
        let Some(member) = all.iter_mut().find(|member| member.name == name) else {
            return false;
        };
        let before = member.clone();
        change(member);
        *member != before
    });
}

/// The running leader of the highest term. A leader that was cut off or paused may still believe in
/// its own, older term.
pub(super) fn leader(members: &[Member]) -> Option<&Member> {
    let term = |member: &&Member| member.status.as_ref().map_or(0, |status| status.term);
    let leads = |member: &&Member| member.status.as_ref().is_some_and(Status::is_leader);
    members.iter().filter(leads).max_by_key(term)
}

/// The members in the order in which a request should try them: those that are ready, starting at
/// a different one for each `turn`, and then the others, whose last answer may be out of date.
pub(super) fn order(members: &[Member], turn: usize) -> Vec<(&'static str, u16)> {
    let (mut ready, others): (Vec<_>, Vec<_>) =
        members.iter().partition(|member| member.is_ready());
    if !ready.is_empty() {
        let start = turn % ready.len();
        ready.rotate_left(start);
    }
    ready
        .into_iter()
        .chain(others)
        .map(|member| (member.name, member.http_port))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &'static str, role: &str, term: u64, ready: bool) -> Member {
        let status = Status {
            ready,
            role: role.into(),
            term,
            ..Status::default()
        };
        Member {
            name,
            http_port: 1,
            process: Process::Running(1),
            status: Some(status),
        }
    }

    fn names(members: &[Member], turn: usize) -> String {
        order(members, turn)
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn requests_take_turns_over_ready_nodes_and_try_the_others_last() {
        let mut all = [
            member("n1", "follower", 1, true),
            member("n2", "leader", 1, true),
            member("n3", "follower", 1, true),
        ];
        let turns = [0, 1, 2, 3].map(|turn| names(&all, turn));
        assert_eq!(turns, ["n1 n2 n3", "n2 n3 n1", "n3 n1 n2", "n1 n2 n3"]);
        all[1].status = None;
        assert_eq!(
            [0, 1].map(|turn| names(&all, turn)),
            ["n1 n3 n2", "n3 n1 n2"]
        );
        all.iter_mut().for_each(|member| member.status = None);
        assert_eq!(names(&all, 2), "n1 n2 n3");
    }

    #[test]
    fn of_two_that_believe_they_lead_the_higher_term_does() {
        let all = [
            member("n1", "leader", 3, true),
            member("n2", "leader", 4, true),
        ];
        assert_eq!(leader(&all).map(|member| member.name), Some("n2"));
        assert_eq!(leader(&[member("n1", "follower", 9, true)]), None);
    }

    #[test]
    fn the_answer_of_a_node_is_read_with_fields_missing_and_fields_unknown() {
        let text = r#"{"ready":true,"why":[],"name":"n1","role":"leader","term":3,"leader":"n1",
            "applied":123,"committed":123,"sessions":4,"bans":0,"lease_ms":2900,"pid":1234}"#;
        let status: Status = serde_json::from_str(text).expect("read");
        assert!(status.ready && status.is_leader());
        assert_eq!((status.term, status.applied, status.sessions), (3, 123, 4));
        let status: Status = serde_json::from_str(r#"{"why":["no quorum"]}"#).expect("read");
        assert_eq!(
            (status.ready, status.why),
            (false, vec!["no quorum".to_owned()])
        );
    }
}
