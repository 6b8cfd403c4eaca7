//! What travels in the simulated Raft, and what a node asks of its world.

use std::time::Duration;

use super::super::{Boot, Grant, Stamp};

/// What a log entry does. Indexes are positions in the log; position 0 is a sentinel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Nothing,
    Revoke,
    /// The set of learners, one bit per node.
    Learners(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) term: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum Message {
    Vote {
        last: (u64, usize),
    },
    Voted {
        granted: bool,
    },
    Append {
        prev: usize,
        prev_term: u64,
        entries: Vec<Entry>,
        commit: usize,
        grant: Option<Grant>,
        sent_at: Boot,
    },
    Appended {
        matched: Option<usize>,
        hint: usize,
        sent_at: Boot,
        stamp: Stamp,
    },
    Report {
        stamp: Stamp,
    },
}

#[derive(Debug)]
pub(super) enum Out {
    Send(usize, u64, Message),
    /// A message of a leader, or an own election: wait again before standing.
    Patience,
    /// The commit index moved: apply some time soon.
    Apply,
    Wake(Boot),
    Acknowledged {
        index: usize,
        waited: Duration,
    },
}
