//! Who counts: the members, and the newest round that a quorum of them accepted.
//!
//! Knows send times only; whether a round is young enough is the leader's question.

use std::collections::{BTreeMap, BTreeSet};

use super::{Boot, NodeId};

/// The membership in effect, as the newest membership entry in the leader's log has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// The voter sets: one, or two while the membership is joint. A quorum is a majority of each.
    pub(crate) voters: Vec<BTreeSet<NodeId>>,
    /// Members that do not vote. They read under leases like everyone else.
    pub(crate) learners: BTreeSet<NodeId>,
}

impl Members {
    /// Whether `node` is a member of any kind.
    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.learners.contains(&node) || self.voters.iter().any(|set| set.contains(&node))
    }

    /// Every member once, in order of number.
    pub(crate) fn all(&self) -> BTreeSet<NodeId> {
        self.voters
            .iter()
            .flatten()
            .chain(&self.learners)
            .copied()
            .collect()
    }
}

/// The newest AppendEntries round that each member accepted, by the leader's clock when it was *sent*.
#[derive(Debug, Clone, Default)]
pub(super) struct Rounds(BTreeMap<NodeId, Boot>);

impl Rounds {
    /// Notes that `member` accepted a message sent at `sent_at`; an older answer that comes late is ignored.
    pub(super) fn accepted(&mut self, member: NodeId, sent_at: Boot) {
        let newest = self.0.entry(member).or_default();
        *newest = (*newest).max(sent_at);
    }

    /// Forgets all rounds.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Forgets the members for which `keep` is false.
    pub(super) fn retain(&mut self, keep: impl Fn(NodeId) -> bool) {
        self.0.retain(|member, _| keep(*member));
    }

    /// The send time of the newest round that a majority of *each* voter set accepted, or `None`.
    ///
    /// The leader `me` accepts its own rounds at `now`, where it is a voter: it still leads, so it has not
    /// voted for a newer term. Without voters there is no quorum.
    pub(super) fn quorum_sent_at(&self, members: &Members, me: NodeId, now: Boot) -> Option<Boot> {
        let of_set = |set: &BTreeSet<NodeId>| {
            let mut sent: Vec<Boot> = set.iter().filter_map(|id| self.of(*id, me, now)).collect();
            sent.sort_unstable_by(|a, b| b.cmp(a));
            // A majority of n is n/2 + 1; the last of them, newest first, is at n/2.
            sent.get(set.len() / 2).copied()
        };
        // `min` over options would take a missing quorum for the oldest one; a missing one must win.
        let each: Option<Vec<Boot>> = members.voters.iter().map(of_set).collect();
        each?.into_iter().min()
    }

    fn of(&self, member: NodeId, me: NodeId, now: Boot) -> Option<Boot> {
        if member == me {
            Some(now)
        } else {
            self.0.get(&member).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_once_a_majority_of_each_voter_set_accepted_it() {
        let now = 1_000;
        // (name, voter sets, accepted rounds, send time of the quorum's round); the leader is node 1.
        type Case = (
            &'static str,
            &'static [&'static [u64]],
            &'static [(u64, u64)],
            Option<u64>,
        );
        let cases: [Case; 12] = [
            ("no voters", &[], &[], None),
            ("alone", &[&[1]], &[], Some(1_000)),
            ("two of three", &[&[1, 2, 3]], &[(2, 50)], Some(50)),
            (
                "the newer of two",
                &[&[1, 2, 3]],
                &[(2, 50), (3, 70)],
                Some(70),
            ),
            (
                "a late answer",
                &[&[1, 2, 3]],
                &[(2, 50), (2, 40)],
                Some(50),
            ),
            ("nobody else", &[&[1, 2, 3]], &[], None),
            ("half of four", &[&[1, 2, 3, 4]], &[(2, 50)], None),
            (
                "three of four",
                &[&[1, 2, 3, 4]],
                &[(2, 50), (3, 70)],
                Some(50),
            ),
            ("a learner's answer", &[&[1, 2, 3]], &[(9, 50)], None),
            (
                "both sets",
                &[&[1, 2, 3], &[3, 4, 5]],
                &[(2, 90), (4, 50), (5, 60)],
                Some(50),
            ),
            (
                "one set of two",
                &[&[1, 2, 3], &[3, 4, 5]],
                &[(2, 90), (4, 50)],
                None,
            ),
            (
                "leader outside",
                &[&[2, 3, 4]],
                &[(2, 50), (3, 60)],
                Some(50),
            ),
        ];
        for (name, sets, accepted, expect) in cases {
            let voters = sets
                .iter()
                .map(|set| set.iter().copied().collect())
                .collect();
            let members = Members {
                voters,
                learners: BTreeSet::from([9]),
            };
            let mut rounds = Rounds::default();
            for (member, sent_at) in accepted {
                rounds.accepted(*member, Boot(*sent_at));
            }
            let found = rounds.quorum_sent_at(&members, 1, Boot(now));
            assert_eq!(found, expect.map(Boot), "{name}");
        }
    }
}
