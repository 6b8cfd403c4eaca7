//! Sessions: what was acknowledged is there, what was ended is nowhere.
//!
//! A session is a register with three values: not opened, open, ended. Nodes answer verifies from their own memory, so
//! while a logout is *not answered yet* one node may refuse what another still allows; that is what a lease is. So each
//! node's answers, together with all changes, must have an order: on every node, whatever was acknowledged before a
//! verify began is seen by it, and what was seen to have ended stays so.

use std::collections::{BTreeMap, BTreeSet};

use super::linear::{Call, Found, Model, broken_at, search};
use super::{Finding, Violation};
use crate::history::{Action, Event, Outcome};

const PROMISE: &str = "Nothing acknowledged is lost, logged out is logged out: each node's verifies are linearizable with all logins and logouts";

/// Fewer logouts than this say nothing.
const LOGOUTS_MIN: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Absent,
    Open,
    Ended,
}

struct Session;

impl Model for Session {
    type State = State;
    type Operation = (Action, Outcome);

    fn start() -> State {
        State::Absent
    }

    fn step(state: &State, (action, outcome): &Self::Operation) -> Vec<State> {
        match (action, outcome, state) {
            (Action::LogIn { .. }, _, State::Absent) => vec![State::Open],
            // A logout answers yes whether or not there was a session.
            (Action::LogOut { .. }, _, _) => vec![State::Ended],
            (Action::Verify { .. }, Outcome::Yes, State::Open)
            | (Action::Verify { .. }, Outcome::No, State::Absent | State::Ended) => vec![*state],
            _ => Vec::new(),
        }
    }
}

/// Judges every session of a history that is in order of calls.
pub(crate) fn check(events: &[Event]) -> Finding {
    let mut sessions: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
    for event in events {
        if let Some(session) = session_of(event) {
            sessions.entry(session).or_default().push(*event);
        }
    }
    // A login without an answer, or a refused one, gave nobody a token.
    sessions.retain(|_, events| events.iter().any(is_opened));
    let logouts = sessions
        .values()
        .flatten()
        .filter(|event| is_logout(event) && event.outcome == Outcome::Yes);
    let logouts = logouts.count();
    let mut undecided = 0;
    let mut violations = Vec::new();
    for (session, events) in &sessions {
        for node in verifiers(events) {
            let events = seen_by(events, node);
            let calls = calls(&events);
            match search::<Session>(&calls) {
                Found::Order => {}
                Found::TooMany => undecided += 1,
                Found::NoOrder => violations.push(violation(*session, &events, &calls)),
            }
        }
    }
    let verifies = sessions
        .values()
        .flatten()
        .filter(|event| is_verify(event) && event.is_definite())
        .count();
    let examined = format!(
        "{} sessions, {verifies} definite verifies, {logouts} acknowledged logouts, {undecided} sessions undecided",
        sessions.len()
    );
    let enough = logouts >= LOGOUTS_MIN && undecided == 0;
    Finding::new(PROMISE, examined, enough, violations)
}

fn session_of(event: &Event) -> Option<u64> {
    match event.action {
        Action::LogIn { session } | Action::Verify { session } | Action::LogOut { session } => {
            Some(session)
        }
        Action::Guess { .. } => None,
    }
}

fn verifiers(events: &[Event]) -> BTreeSet<usize> {
    let verifies = events.iter().filter(|event| is_verify(event));
    verifies.map(|event| event.node).collect()
}

/// All changes, and the verifies of one node.
fn seen_by(events: &[Event], node: usize) -> Vec<Event> {
    let is_seen = |event: &&Event| !is_verify(event) || event.node == node;
    events.iter().filter(is_seen).copied().collect()
}

fn is_verify(event: &Event) -> bool {
    matches!(event.action, Action::Verify { .. })
}

fn is_opened(event: &Event) -> bool {
    matches!(event.action, Action::LogIn { .. }) && event.outcome == Outcome::Yes
}

fn is_logout(event: &Event) -> bool {
    matches!(event.action, Action::LogOut { .. })
}

fn calls(events: &[Event]) -> Vec<Call<(Action, Outcome)>> {
    let of = |event: &Event| {
        let is_change = !is_verify(event);
        let is_definite = event.is_definite();
        (is_change || is_definite).then_some(Call {
            operation: (event.action, event.outcome),
            called: event.called,
            returned: is_definite.then_some(event.returned),
        })
    };
    events.iter().filter_map(of).collect()
}

/// The changes of the session and the first read that fits no order.
fn violation(session: u64, events: &[Event], calls: &[Call<(Action, Outcome)>]) -> Violation {
    let at = broken_at::<Session>(calls).unwrap_or_default();
    let culprit = events.iter().find(|event| event.returned == at);
    let summary = match culprit {
        Some(event) if event.outcome == Outcome::Yes => {
            format!(
                "session {session} was allowed by n{} after it had ended",
                event.node + 1
            )
        }
        Some(event) => format!(
            "session {session} was refused by n{} while nobody had ended it",
            event.node + 1
        ),
        None => format!("session {session} has no explanation"),
    };
    let is_told = |event: &&Event| {
        event.called <= at
            && (!is_verify(event) || event.returned == at || event.outcome == Outcome::No)
    };
    Violation {
        summary,
        history: events.iter().filter(is_told).copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Verdict;

    const LOG_IN: Action = Action::LogIn { session: 1 };
    const VERIFY: Action = Action::Verify { session: 1 };
    const LOG_OUT: Action = Action::LogOut { session: 1 };

    fn event(action: Action, called: u64, returned: u64, outcome: Outcome) -> Event {
        Event {
            action,
            node: 0,
            called: Duration::from_millis(called),
            returned: Duration::from_millis(returned),
            outcome,
        }
    }

    fn is_broken(events: &[Event]) -> bool {
        check(events).verdict == Verdict::Violated
    }

    #[test]
    fn an_allow_that_began_after_the_answer_to_the_logout_is_found() {
        let login = event(LOG_IN, 0, 10, Outcome::Yes);
        let logout = event(LOG_OUT, 20, 30, Outcome::Yes);
        let verify = |called, outcome| event(VERIFY, called, 40, outcome);
        assert!(is_broken(&[login, logout, verify(31, Outcome::Yes)]));
        assert!(!is_broken(&[login, logout, verify(29, Outcome::Yes)]));
        assert!(!is_broken(&[login, logout, verify(31, Outcome::No)]));
        let unknown = event(LOG_OUT, 20, 30, Outcome::Unavailable);
        assert!(!is_broken(&[login, unknown, verify(31, Outcome::Yes)]));
        assert!(!is_broken(&[login, unknown, verify(31, Outcome::No)]));
    }

    #[test]
    fn a_refusal_of_who_is_logged_in_is_found() {
        let login = event(LOG_IN, 0, 10, Outcome::Yes);
        assert!(is_broken(&[login, event(VERIFY, 11, 15, Outcome::No)]));
        let unavailable = event(VERIFY, 11, 15, Outcome::Unavailable);
        assert!(!is_broken(&[login, unavailable]));
        assert!(!is_broken(&[login, event(VERIFY, 5, 15, Outcome::No)]));
        let logout = event(LOG_OUT, 14, 30, Outcome::Unknown);
        assert!(!is_broken(&[
            login,
            event(VERIFY, 11, 15, Outcome::No),
            logout
        ]));
    }

    #[test]
    fn a_session_that_comes_back_is_found_though_its_logout_had_no_answer() {
        let history = [
            event(LOG_IN, 0, 10, Outcome::Yes),
            event(LOG_OUT, 20, 30, Outcome::Unknown),
            event(VERIFY, 40, 45, Outcome::Yes),
            event(VERIFY, 50, 55, Outcome::No),
            event(VERIFY, 60, 65, Outcome::Yes),
        ];
        assert!(is_broken(&history));
        let finding = check(&history);
        let told = &finding.violations[0].history;
        assert_eq!(told.len(), 4, "without the verify that was right");
        assert!(finding.violations[0].summary.contains("after it had ended"));
    }

    #[test]
    fn nodes_may_differ_only_until_the_logout_is_answered() {
        let on = |node, event: Event| Event { node, ..event };
        let login = event(LOG_IN, 0, 10, Outcome::Yes);
        let logout = event(LOG_OUT, 20, 50, Outcome::Yes);
        let refused = on(1, event(VERIFY, 25, 30, Outcome::No));
        let allowed = |called| on(2, event(VERIFY, called, called + 5, Outcome::Yes));
        assert!(!is_broken(&[login, logout, refused, allowed(35)]));
        assert!(is_broken(&[login, logout, refused, allowed(51)]));
        assert!(is_broken(&[login, logout, refused, on(1, allowed(35))]));
    }

    #[test]
    fn a_history_without_logouts_says_nothing() {
        let login = event(LOG_IN, 0, 10, Outcome::Yes);
        assert_eq!(check(&[login]).verdict, Verdict::Inconclusive);
        assert_eq!(check(&[]).verdict, Verdict::Inconclusive);
        let logouts: Vec<Event> = std::iter::once(login)
            .chain((0..9).map(|n| event(LOG_OUT, 20 + n * 20, 30 + n * 20, Outcome::Yes)))
            .collect();
        assert_eq!(check(&logouts).verdict, Verdict::Passed);
    }
}
