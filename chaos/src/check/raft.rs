//! What Raft promises, as far as nodes say it of themselves.

use std::collections::BTreeMap;

use super::{Finding, Violation};
use crate::sample::Sample;

const PROMISE: &str =
    "Raft's invariants: one leader a term; no node's term falls; nothing applied is taken back";

/// Fewer terms with a leader than this say little.
const TERMS_MIN: usize = 2;

/// Judges samples that are in order of time.
pub(crate) fn check(samples: &[Sample]) -> Finding {
    let mut violations = Vec::new();
    let mut leaders: BTreeMap<u64, &str> = BTreeMap::new();
    // A node id never comes back after a wipe, a process id not in a run.
    let mut newest: BTreeMap<(&str, u32), &Sample> = BTreeMap::new();
    let mut terms: BTreeMap<&str, u64> = BTreeMap::new();
    let mut add = |summary: String| {
        violations.push(Violation {
            summary,
            history: Vec::new(),
        });
    };
    for sample in samples {
        let said = &sample.said;
        if said.role == "leader" {
            let leader = leaders.entry(said.term).or_insert(&said.node);
            if *leader != said.node {
                add(format!(
                    "term {} has two leaders: {leader} and {}",
                    said.term, said.node
                ));
            }
        }
        let term = terms.entry(&said.node).or_insert(said.term);
        if said.term < *term {
            add(format!(
                "n{} went from term {term} back to {}",
                sample.node + 1,
                said.term
            ));
        }
        *term = said.term.max(*term);
        let before = newest.insert((&said.node, said.pid), sample);
        if let Some(before) = before.filter(|before| before.said.applied > said.applied) {
            add(format!(
                "n{} had applied {} and then only {}",
                sample.node + 1,
                before.said.applied,
                said.applied
            ));
        }
    }
    let examined = format!(
        "{} samples, {} terms with a leader",
        samples.len(),
        leaders.len()
    );
    Finding::new(PROMISE, examined, leaders.len() >= TERMS_MIN, violations)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Verdict;
    use crate::sample::Said;

    /// Node number `node` says at `at` that it is `role` in `term` and has applied so much.
    pub(crate) fn sample(node: usize, at: u64, role: &str, term: u64, applied: u64) -> Sample {
        Sample {
            node,
            called: Duration::from_millis(at),
            returned: Duration::from_millis(at + 1),
            said: Said {
                ready: true,
                pid: 1,
                node: format!("id{node}"),
                role: role.to_owned(),
                term,
                leader: None,
                applied,
                snapshot: 0,
                lease_ms: 1_000,
            },
        }
    }

    #[test]
    fn two_leaders_of_a_term_are_found() {
        let first = sample(0, 0, "leader", 1, 5);
        let next = sample(1, 9, "leader", 2, 6);
        assert_eq!(
            check(&[first.clone(), next.clone()]).verdict,
            Verdict::Passed
        );
        assert_eq!(
            check(std::slice::from_ref(&first)).verdict,
            Verdict::Inconclusive
        );
        let second = sample(1, 20, "leader", 1, 5);
        assert_eq!(check(&[first, second]).verdict, Verdict::Violated);
    }

    #[test]
    fn a_term_and_an_applied_index_that_fall_are_found_but_a_restart_may_apply_again() {
        let before = sample(0, 0, "follower", 3, 9);
        let older_term = sample(0, 9, "follower", 2, 9);
        assert_eq!(
            check(&[before.clone(), older_term]).verdict,
            Verdict::Violated
        );
        let mut applied_less = sample(0, 9, "follower", 3, 8);
        assert_eq!(
            check(&[before.clone(), applied_less.clone()]).verdict,
            Verdict::Violated
        );
        applied_less.said.pid = 2;
        assert_eq!(
            check(&[before, applied_less]).verdict,
            Verdict::Inconclusive
        );
    }
}
