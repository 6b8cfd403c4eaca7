//! A live node with a lease fails no verify, whoever else is down.
//!
//! A node that says at one instant that it holds a lease of so many milliseconds has said until when it answers from
//! its memory. A verify that falls into this time must be decided, unless its process was killed, stopped or without a
//! disk meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Finding, Violation};
use crate::history::{Action, Event, Outcome};
use crate::nemesis::Strike;
use crate::sample::Sample;

const PROMISE: &str = "A live node with a lease fails no verify, whatever happens to the others";

/// Fewer verifies than this under somebody else's fault say nothing.
const VERIFIES_MIN: usize = 20;
/// What scheduling may take from a lease, on a machine that has much else to do.
const SLACK: Duration = Duration::from_millis(300);
/// A session that is younger may not have reached the node, which then asks the leader.
const SETTLED: Duration = Duration::from_secs(5);

/// Judges every verify that `samples` say was made under a lease.
pub(crate) fn check(events: &[Event], samples: &[Sample], strikes: &[Strike]) -> Finding {
    let opened: BTreeMap<u64, Duration> = events
        .iter()
        .filter_map(|event| match event.action {
            Action::LogIn { session } => Some((session, event.returned)),
            _ => None,
        })
        .collect();
    let mut leases: BTreeMap<usize, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        leases.entry(sample.node).or_default().push(sample);
    }
    let (mut under_lease, mut under_fault) = (0, 0);
    let mut violations = Vec::new();
    for event in events {
        let Action::Verify { session } = event.action else {
            continue;
        };
        let is_settled = opened
            .get(&session)
            .is_some_and(|opened| *opened + SETTLED < event.called);
        let of_node = leases.get(&event.node).map_or(&[][..], Vec::as_slice);
        if !is_settled || !is_leased(event, of_node) || is_struck(event, strikes) {
            continue;
        }
        under_lease += 1;
        under_fault += usize::from(strikes.iter().any(|strike| strike.holds_at(event.called)));
        if matches!(event.outcome, Outcome::Unavailable | Outcome::Unknown) {
            violations.push(Violation {
                summary: format!(
                    "n{} held a lease and did not decide a verify",
                    event.node + 1
                ),
                history: vec![*event],
            });
        }
    }
    let examined =
        format!("{under_lease} verifies under a lease, {under_fault} of them while a fault held");
    Finding::new(PROMISE, examined, under_fault >= VERIFIES_MIN, violations)
}

/// Whether the last sample before the call promises a lease beyond the answer.
fn is_leased(event: &Event, samples: &[&Sample]) -> bool {
    let before = samples.partition_point(|sample| sample.returned <= event.called);
    let Some(sample) = before.checked_sub(1).and_then(|last| samples.get(last)) else {
        return false;
    };
    let lease = Duration::from_millis(sample.said.lease_ms);
    sample.said.ready && event.returned + SLACK < sample.called + lease
}

/// Whether the node's own process or disk was struck around the verify.
fn is_struck(event: &Event, strikes: &[Strike]) -> bool {
    strikes.iter().any(|strike| {
        let is_own = strike.fault.strikes_process() && strike.nodes.contains(&event.node);
        is_own && strike.from <= event.returned + SLACK && event.called <= strike.until + SLACK
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;
    use crate::check::raft::tests::sample;
    use crate::fault::{Fault, Target};

    fn event(action: Action, called: u64, returned: u64, outcome: Outcome) -> Event {
        Event {
            action,
            node: 0,
            called: Duration::from_millis(called),
            returned: Duration::from_millis(returned),
            outcome,
        }
    }

    fn verdict(verify: Event, struck: usize) -> Verdict {
        let login = event(Action::LogIn { session: 1 }, 0, 10, Outcome::Yes);
        // A lease of a second, seen after six.
        let samples = [sample(0, 6_000, "follower", 1, 9)];
        let strikes = [Strike {
            fault: Fault::Kill(Target::Leader),
            nodes: vec![struck],
            from: Duration::from_millis(6_000),
            until: Duration::from_millis(9_000),
            led: Some(1),
        }];
        check(&[login, verify], &samples, &strikes).verdict
    }

    #[test]
    fn a_verify_that_fails_within_the_lease_is_found() {
        let verify = |called, returned, outcome| {
            event(Action::Verify { session: 1 }, called, returned, outcome)
        };
        let failed = verify(6_100, 6_200, Outcome::Unavailable);
        assert_eq!(verdict(failed, 1), Verdict::Violated);
        assert_eq!(
            verdict(failed, 0),
            Verdict::Inconclusive,
            "it was killed itself"
        );
        let late = verify(6_100, 7_100, Outcome::Unavailable);
        assert_eq!(
            verdict(late, 1),
            Verdict::Inconclusive,
            "the lease had ended"
        );
        let decided = verify(6_100, 6_200, Outcome::No);
        assert_eq!(
            verdict(decided, 1),
            Verdict::Inconclusive,
            "one verify is not enough"
        );
    }
}
