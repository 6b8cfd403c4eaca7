//! The guess budget: N guesses are N guesses, whoever asks where, and whoever leads.
//!
//! Two looks at the same attack. From outside, each victim is a counter: a wrong guess counts, a right one is accepted
//! only while the budget is not used up, and in a run no window and no ban ends. From the nodes' own logs, the password
//! checks that found a wrong password are counted: there may be no more than the budget for each right guess, whatever
//! came in parallel.

use std::collections::BTreeMap;
use std::time::Duration;

use super::linear::{Call, Found, Model, broken_at, search};
use super::{Finding, Violation};
use crate::history::{Action, Event, Outcome};

/// Guesses a victim has, as configured for the nodes.
pub(crate) const GUESSES_MAX: u64 = 3;

const LINEAR: &str = "Guess budgets are linearizable: a used-up budget refuses even the right password, on every node";
const CHECKED: &str =
    "N guesses are N guesses: no more password checks were made than the budget allows";

/// Fewer victims whose budget was used up say nothing.
const EXHAUSTED_MIN: usize = 3;

/// A refusal that took longer may be one that waited for other guesses to be resolved, and was never counted.
const WAITED: Duration = Duration::from_millis(2_500);

#[derive(Debug, Clone, Copy)]
struct Guess {
    right: bool,
    outcome: Outcome,
    /// Whether it may have been refused without being counted.
    may_be_busy: bool,
}

struct Budget;

impl Model for Budget {
    /// Guesses that have failed; the budget is used up at [`GUESSES_MAX`].
    type State = u64;
    type Operation = Guess;

    fn start() -> u64 {
        0
    }

    fn step(failed: &u64, guess: &Guess) -> Vec<u64> {
        let is_left = *failed < GUESSES_MAX;
        let counted = (*failed + 1).min(GUESSES_MAX);
        match (guess.right, guess.outcome) {
            (true, Outcome::Yes) if is_left => vec![0],
            (_, Outcome::Yes) => Vec::new(),
            (false, Outcome::No) if guess.may_be_busy => vec![counted, *failed],
            (false, _) => vec![counted],
            // Why a right guess was refused, or what became of one without an answer, is not judged here.
            (true, Outcome::No) => vec![*failed, counted],
            (true, _) if is_left => vec![0, counted],
            (true, _) => vec![*failed],
        }
    }
}

/// Judges the answers to all guesses, in order of calls.
pub(crate) fn check(events: &[Event]) -> Finding {
    let victims = victims(events);
    let mut violations = Vec::new();
    let (mut exhausted, mut undecided) = (0, 0);
    for (victim, events) in &victims {
        let is_wrong = |event: &&Event| {
            event.outcome == Outcome::No
                && event.action
                    == (Action::Guess {
                        victim: *victim,
                        right: false,
                    })
        };
        exhausted += usize::from(events.iter().filter(is_wrong).count() as u64 >= GUESSES_MAX);
        let calls: Vec<Call<Guess>> = events.iter().filter_map(call).collect();
        match search::<Budget>(&calls) {
            Found::Order => {}
            Found::TooMany => undecided += 1,
            Found::NoOrder => {
                let at = broken_at::<Budget>(&calls).unwrap_or_default();
                violations.push(Violation {
                    summary: format!("victim {victim}: a password was accepted after the budget of {GUESSES_MAX} guesses was used up"),
                    history: events.iter().filter(|event| event.called <= at).copied().collect(),
                });
            }
        }
    }
    let examined = format!(
        "{} victims, {exhausted} with a used-up budget, {undecided} undecided",
        victims.len()
    );
    let enough = exhausted >= EXHAUSTED_MIN && undecided == 0;
    Finding::new(LINEAR, examined, enough, violations)
}

/// Judges how often the nodes' logs say that a password of each victim was found wrong.
pub(crate) fn check_logs(events: &[Event], checked: &BTreeMap<u64, u64>) -> Finding {
    let mut violations = Vec::new();
    let victims = victims(events);
    for (victim, count) in checked {
        let events = victims.get(victim).map_or(&[][..], Vec::as_slice);
        let forgiven = events.iter().filter(|event| {
            matches!(event.action, Action::Guess { right: true, .. })
                && event.outcome != Outcome::No
        });
        let allowed = GUESSES_MAX * (1 + forgiven.count() as u64);
        if *count > allowed {
            violations.push(Violation {
                summary: format!(
                    "victim {victim}: {count} wrong passwords were checked, {allowed} were allowed"
                ),
                history: events.to_vec(),
            });
        }
    }
    let total: u64 = checked.values().sum();
    let examined = format!(
        "{total} checks of {} victims in the nodes' logs",
        checked.len()
    );
    Finding::new(
        CHECKED,
        examined,
        checked.len() >= EXHAUSTED_MIN,
        violations,
    )
}

fn victims(events: &[Event]) -> BTreeMap<u64, Vec<Event>> {
    let mut victims: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
    for event in events {
        if let Action::Guess { victim, .. } = event.action {
            victims.entry(victim).or_default().push(*event);
        }
    }
    victims
}

fn call(event: &Event) -> Option<Call<Guess>> {
    let Action::Guess { right, .. } = event.action else {
        return None;
    };
    let operation = Guess {
        right,
        outcome: event.outcome,
        may_be_busy: event.took() >= WAITED,
    };
    Some(Call {
        operation,
        called: event.called,
        returned: event.is_definite().then_some(event.returned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;

    fn guess(right: bool, called: u64, returned: u64, outcome: Outcome) -> Event {
        Event {
            action: Action::Guess { victim: 7, right },
            node: 0,
            called: Duration::from_millis(called),
            returned: Duration::from_millis(returned),
            outcome,
        }
    }

    fn after_wrong(wrong: &[(u64, u64, Outcome)], last: Event) -> Verdict {
        let wrong = wrong
            .iter()
            .map(|(called, returned, outcome)| guess(false, *called, *returned, *outcome));
        let events: Vec<Event> = wrong.chain([last]).collect();
        check(&events).verdict
    }

    #[test]
    fn a_right_password_after_a_used_up_budget_must_be_refused() {
        let accepted = guess(true, 300, 310, Outcome::Yes);
        let wrong =
            |count: u64| -> Vec<_> { (0..count).map(|n| (n, 200 + n, Outcome::No)).collect() };
        assert_eq!(after_wrong(&wrong(3), accepted), Verdict::Violated);
        assert_eq!(after_wrong(&wrong(2), accepted), Verdict::Inconclusive);
        let refused = guess(true, 300, 310, Outcome::No);
        assert_eq!(after_wrong(&wrong(3), refused), Verdict::Inconclusive);
        let in_between = guess(true, 150, 310, Outcome::Yes);
        assert_eq!(after_wrong(&wrong(3), in_between), Verdict::Inconclusive);
    }

    #[test]
    fn a_guess_without_an_answer_or_one_that_waited_may_not_have_counted() {
        let accepted = guess(true, 5_000, 5_010, Outcome::Yes);
        let no = (0, 200, Outcome::No);
        for third in [
            (0, 200, Outcome::Unknown),
            (0, 200, Outcome::Unavailable),
            (0, 2_500, Outcome::No),
        ] {
            assert_eq!(
                after_wrong(&[no, no, third], accepted),
                Verdict::Inconclusive
            );
        }
    }

    #[test]
    fn one_check_too_many_in_the_logs_is_found() {
        let of = |count| check_logs(&[], &BTreeMap::from([(1, 3), (2, 3), (7, count)])).verdict;
        assert_eq!(of(3), Verdict::Passed);
        assert_eq!(of(4), Verdict::Violated);
        let forgiven = [guess(true, 0, 10, Outcome::Yes)];
        let counts = BTreeMap::from([(7, 6)]);
        assert_eq!(
            check_logs(&forgiven, &counts).verdict,
            Verdict::Inconclusive
        );
        let counts = BTreeMap::from([(7, 7)]);
        assert_eq!(check_logs(&forgiven, &counts).verdict, Verdict::Violated);
    }
}
