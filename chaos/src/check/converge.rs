//! After the faults: the cluster heals, agrees on one state and serves.

use std::time::Duration;

use super::{Finding, Violation};

const PROMISE: &str = "After the faults the cluster heals by itself and all nodes that applied the same index hold the same state";

/// How one node was found at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) node: usize,
    pub(crate) applied: u64,
    /// Of the state at that index; `None` if the node does not tell.
    pub(crate) digest: Option<String>,
}

/// How the cluster was found at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Convergence {
    /// How long it took until every node was ready and at the same index; `None` if that did not happen in time.
    pub(crate) took: Option<Duration>,
    pub(crate) ends: Vec<End>,
    /// Processes that ended though nobody had ended them, in words.
    pub(crate) deaths: Vec<String>,
}

/// Judges the end of a run.
pub(crate) fn check(end: &Convergence) -> Finding {
    let mut summaries = end.deaths.clone();
    if end.took.is_none() {
        summaries.push(format!("the cluster did not heal: {:?}", end.ends));
    }
    for (at, one) in end.ends.iter().enumerate() {
        let others = end.ends.iter().skip(at + 1);
        let differs = |other: &&End| {
            let both = one.digest.is_some() && other.digest.is_some();
            both && other.applied == one.applied && other.digest != one.digest
        };
        summaries.extend(others.filter(differs).map(|other| {
            format!(
                "n{} and n{} differ at index {}: {:?}, {:?}",
                one.node + 1,
                other.node + 1,
                one.applied,
                one.digest,
                other.digest
            )
        }));
    }
    let digests = end.ends.iter().filter(|end| end.digest.is_some()).count();
    let examined = match end.took {
        Some(took) => format!(
            "{} nodes at one index {:.1} s after the last fault, {digests} digests compared",
            end.ends.len(),
            took.as_secs_f64()
        ),
        None => "no agreement".to_owned(),
    };
    let violations = summaries.into_iter().map(|summary| Violation {
        summary,
        history: Vec::new(),
    });
    Finding::new(PROMISE, examined, digests >= 2, violations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;

    fn verdict(digests: [Option<&str>; 2], applied: [u64; 2], healed: bool) -> Verdict {
        let ends = digests.iter().zip(applied).enumerate();
        let ends = ends.map(|(node, (digest, applied))| End {
            node,
            applied,
            digest: digest.map(str::to_owned),
        });
        check(&Convergence {
            took: healed.then_some(Duration::ZERO),
            ends: ends.collect(),
            deaths: Vec::new(),
        })
        .verdict
    }

    #[test]
    fn different_states_at_one_index_are_found() {
        let (a, b) = (Some("a"), Some("b"));
        assert_eq!(verdict([a, a], [5, 5], true), Verdict::Passed);
        assert_eq!(verdict([a, b], [5, 5], true), Verdict::Violated);
        assert_eq!(verdict([a, b], [5, 6], true), Verdict::Passed);
        assert_eq!(verdict([a, a], [5, 5], false), Verdict::Violated);
        assert_eq!(verdict([None, a], [5, 5], true), Verdict::Inconclusive);
    }

    #[test]
    fn a_process_that_ends_by_itself_is_found() {
        let end = Convergence {
            took: Some(Duration::ZERO),
            deaths: vec!["n1 ended".to_owned()],
            ..Convergence::default()
        };
        assert_eq!(check(&end).verdict, Verdict::Violated);
    }
}
