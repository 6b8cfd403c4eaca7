//! What clients saw, and whether it breaks a promise. Pure: times are arguments.
//!
//! A session is one login's token. Between the answer to its login and the beginning of its logout every verify must
//! allow it (or fail openly); a verify that begins after the logout was answered must not.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What one request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    LogIn,
    Verify,
    LogOut,
}

/// How it ended. `Unknown` is no answer, or one that says that the cluster cannot tell: it may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Yes,
    No,
    Unknown,
}

/// One request of one client, with times since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) session: u64,
    pub(crate) operation: Operation,
    pub(crate) node: usize,
    pub(crate) called: Duration,
    pub(crate) returned: Duration,
    pub(crate) outcome: Outcome,
}

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Kept,
    Broken,
    /// Too few answers under too few faults.
    Unknown,
}

/// The verdict with what it rests on.
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    violations: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
    kills: usize,
}

/// Fewer logouts or kills than this say nothing.
const LOGOUTS_MIN: usize = 5;
const KILLS_MIN: usize = 1;

/// Judges a whole history.
pub(crate) fn judge(events: &[Event], kills: usize) -> Report {
    let mut sessions: BTreeMap<u64, Vec<&Event>> = BTreeMap::new();
    for event in events {
        sessions.entry(event.session).or_default().push(event);
    }
    let violations: Vec<String> = sessions
        .values()
        .flat_map(|events| violations(events))
        .collect();
    let count = |operation, outcome| {
        let is = |event: &&Event| event.operation == operation && event.outcome == outcome;
        events.iter().filter(is).count()
    };
    let counts = BTreeMap::from([
        ("logins", count(Operation::LogIn, Outcome::Yes)),
        ("allowed", count(Operation::Verify, Outcome::Yes)),
        ("refused", count(Operation::Verify, Outcome::No)),
        ("logouts", count(Operation::LogOut, Outcome::Yes)),
        (
            "unknown",
            events
                .iter()
                .filter(|event| event.outcome == Outcome::Unknown)
                .count(),
        ),
    ]);
    let enough = counts
        .get("logouts")
        .is_some_and(|count| *count >= LOGOUTS_MIN)
        && kills >= KILLS_MIN;
    let verdict = match (violations.is_empty(), enough) {
        (false, _) => Verdict::Broken,
        (true, true) => Verdict::Kept,
        (true, false) => Verdict::Unknown,
    };
    Report {
        verdict,
        violations,
        counts,
        kills,
    }
}

fn violations(events: &[&Event]) -> Vec<String> {
    let of = |operation| {
        events
            .iter()
            .filter(move |event| event.operation == operation)
    };
    let opened = of(Operation::LogIn)
        .find(|event| event.outcome == Outcome::Yes)
        .map(|event| event.returned);
    let ending = of(Operation::LogOut).map(|event| event.called).min();
    let ended = of(Operation::LogOut)
        .filter(|event| event.outcome == Outcome::Yes)
        .map(|event| event.returned)
        .min();
    let verifies = of(Operation::Verify);
    verifies
        .filter_map(|event| {
            let after_end = ended.is_some_and(|ended| ended <= event.called);
            let within = opened.is_some_and(|opened| opened <= event.called)
                && ending.is_none_or(|ending| event.returned <= ending);
            match event.outcome {
                Outcome::Yes if after_end => {
                    Some(format!("allowed after its logout was answered: {event:?}"))
                }
                Outcome::No if within => Some(format!("refused while logged in: {event:?}")),
                _ => None,
            }
        })
        .collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "VIOLATION: {violation}")?;
        }
        for (what, count) in &self.counts {
            write!(f, "{what} {count} · ")?;
        }
        write!(f, "kills {} · {:?}", self.kills, self.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(operation: Operation, called: u64, returned: u64, outcome: Outcome) -> Event {
        let (called, returned) = (
            Duration::from_millis(called),
            Duration::from_millis(returned),
        );
        Event {
            session: 1,
            operation,
            node: 0,
            called,
            returned,
            outcome,
        }
    }

    fn broken(events: &[Event]) -> bool {
        judge(events, 1).verdict == Verdict::Broken
    }

    #[test]
    fn an_allow_that_began_after_the_answer_to_the_logout_is_found() {
        use Operation::{LogIn, LogOut, Verify};
        let login = event(LogIn, 0, 10, Outcome::Yes);
        let logout = event(LogOut, 20, 30, Outcome::Yes);
        assert!(broken(&[
            login,
            logout,
            event(Verify, 30, 40, Outcome::Yes)
        ]));
        assert!(
            !broken(&[login, logout, event(Verify, 29, 40, Outcome::Yes)]),
            "they overlap"
        );
        assert!(!broken(&[
            login,
            logout,
            event(Verify, 30, 40, Outcome::No)
        ]));
        let unknown = event(LogOut, 20, 30, Outcome::Unknown);
        assert!(!broken(&[
            login,
            unknown,
            event(Verify, 30, 40, Outcome::Yes)
        ]));
        assert!(!broken(&[
            login,
            unknown,
            event(Verify, 30, 40, Outcome::No)
        ]));
    }

    #[test]
    fn a_refusal_of_who_is_logged_in_is_found() {
        use Operation::{LogIn, LogOut, Verify};
        let login = event(LogIn, 0, 10, Outcome::Yes);
        assert!(broken(&[login, event(Verify, 10, 15, Outcome::No)]));
        assert!(!broken(&[login, event(Verify, 10, 15, Outcome::Unknown)]));
        assert!(
            !broken(&[login, event(Verify, 5, 15, Outcome::No)]),
            "they overlap"
        );
        let logout = event(LogOut, 14, 30, Outcome::Unknown);
        assert!(
            !broken(&[login, event(Verify, 10, 15, Outcome::No), logout]),
            "the logout had begun"
        );
    }

    #[test]
    fn a_history_without_faults_or_logouts_says_nothing() {
        let login = event(Operation::LogIn, 0, 10, Outcome::Yes);
        assert_eq!(judge(&[login], 5).verdict, Verdict::Unknown);
        let logouts: Vec<Event> = (0..9)
            .map(|_| event(Operation::LogOut, 20, 30, Outcome::Yes))
            .collect();
        assert_eq!(judge(&logouts, 0).verdict, Verdict::Unknown);
        assert_eq!(judge(&logouts, 1).verdict, Verdict::Kept);
    }
}
