//! The checkers: pure functions from what was recorded to what it says about each promise.

pub(crate) mod converge;
pub(crate) mod guess;
pub(crate) mod lease;
pub(crate) mod linear;
pub(crate) mod raft;
pub(crate) mod session;

use serde::Serialize;

use crate::history::Event;

/// What one checker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The promise was put to the test and held.
    Passed,
    /// Too little was seen to tell.
    Inconclusive,
    /// The promise was broken.
    Violated,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Violated => "violated",
        }
    }
}

/// One break of a promise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Violation {
    pub(crate) summary: String,
    /// The fewest events that show it; empty if it was not seen by clients.
    pub(crate) history: Vec<Event>,
}

/// What one checker has looked at, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// The promise, as a sentence.
    pub(crate) promise: &'static str,
    pub(crate) verdict: Verdict,
    /// What it looked at, in words.
    pub(crate) examined: String,
    pub(crate) violations: Vec<Violation>,
}

impl Finding {
    /// Violated if there is a violation, else passed if there was `enough` to look at.
    pub(crate) fn new(
        promise: &'static str,
        examined: String,
        enough: bool,
        violations: Vec<Violation>,
    ) -> Self {
        let verdict = match (violations.is_empty(), enough) {
            (false, _) => Verdict::Violated,
            (true, true) => Verdict::Passed,
            (true, false) => Verdict::Inconclusive,
        };
        Self {
            promise,
            verdict,
            examined,
            violations,
        }
    }
}
