//! The guards, each of which can be taken away: the model must notice.
//!
//! The rules themselves carry no switch. A mutant hides from a real rule the fact that its guard looks at,
//! or changes what travels between the rules.

use super::super::{Boot, Grant, LeaderLeases, NodeId, QUORUM_AGE_MAX, Stamp};

/// What is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Nothing: the rules as they are.
    None,
    /// Rule 1: the stamp says what the log holds, not what readers see.
    MatchedForApplied,
    /// Rule 2: a leader grants however old its quorum round is.
    GrantWithoutQuorum,
    /// Rule 2: a member gets a grant whatever it has applied.
    NoFloor,
    /// Rule 2: the floor does not contain the leader's first entry.
    FloorWithoutFirstEntry,
    /// Rule 2: the floor does not contain acknowledged revocations.
    FloorWithoutAcknowledged,
    /// Rule 2: members that do not apply renew their leases for ever. Delays, but allows nothing stale.
    FloorWithoutOverdue,
    /// Rules 2 and 5: clocks are taken for exact.
    NoDriftMargin,
    /// Rule 3: any life takes a grant.
    GrantNotBound,
    /// Rule 3: the lease counts from when the grant arrives.
    CountedFromReceipt,
    /// Rule 3: the lease survives a restart.
    SurvivesRestart,
    /// Rule 4: a leader reads however old its quorum round is.
    LeaderReadsWithoutQuorum,
    /// Rule 4: a leader reads before it applied its first entry.
    LeaderReadsWithoutFirstEntry,
    /// Rule 5: revocations are acknowledged like everything else.
    NoBarrier,
    /// Rule 5: leases of earlier leaders are not waited for.
    NoElectionWait,
    /// Rule 5: learners are not waited for.
    LearnersNotWaited,
    /// Rule 5: what one life reported counts for the lease of another.
    LivesMixed,
    /// Joining: a member gets a grant before the entry that adds it is committed.
    JoinedUncommitted,
    /// Leaving: a member is removed while it may have a lease, and forgotten.
    DepartedForgotten,
    /// Leaving: a member is removed while it may have a lease; its leader remembers, the next one cannot.
    RemovedAtOnce,
}

impl Mutant {
    pub(super) fn stamp(self, stamp: Stamp, matched: u64) -> Stamp {
        let applied = if self == Self::MatchedForApplied {
            matched
        } else {
            stamp.applied
        };
        Stamp { applied, ..stamp }
    }

    pub(super) fn elected(self, leases: &mut LeaderLeases, elected_at: Boot) {
        match self {
            Self::NoElectionWait => leases.old_leases_end = elected_at,
            Self::NoDriftMargin => {
                let wait = leases.length.saturating_add(QUORUM_AGE_MAX);
                leases.old_leases_end = elected_at.plus_or_end(wait);
            }
            _ => {}
        }
    }

    pub(super) fn grant_for(
        self,
        leases: &mut LeaderLeases,
        to: NodeId,
        now: Boot,
    ) -> Option<Grant> {
        if self == Self::None {
            return leases.grant_for(to, now);
        }
        let (first, rounds) = (leases.first_index, leases.rounds.clone());
        let revocations = leases.revocations.clone();
        match self {
            Self::GrantWithoutQuorum => leases.members.all().into_iter().for_each(|id| {
                leases.rounds.accepted(id, now);
            }),
            Self::NoFloor => {
                leases.first_index = 0;
                leases.revocations = Default::default();
            }
            Self::JoinedUncommitted => leases
                .others
                .values_mut()
                .for_each(|other| other.joined = 0),
            Self::FloorWithoutFirstEntry => leases.first_index = 0,
            Self::FloorWithoutAcknowledged => leases.revocations.acknowledged = 0,
            _ => {}
        }
        let grant = leases.grant_for(to, now);
        (leases.first_index, leases.rounds, leases.revocations) = (first, rounds, revocations);
        if let (Self::NoDriftMargin, Some(grant)) = (self, grant) {
            forget_margin(leases, to, grant);
        }
        grant
    }

    pub(super) fn receive(self, grant: Grant, own: Stamp) -> Grant {
        match self {
            Self::GrantNotBound => Grant {
                incarnation: own.incarnation,
                ..grant
            },
            Self::CountedFromReceipt => Grant { q: own.q, ..grant },
            _ => grant,
        }
    }

    pub(super) fn reads_until(
        self,
        leases: &LeaderLeases,
        applied: u64,
        now: Boot,
    ) -> Option<Boot> {
        match self {
            Self::LeaderReadsWithoutQuorum => {
                (applied >= leases.first_index).then_some(Boot(u64::MAX))
            }
            Self::LeaderReadsWithoutFirstEntry => leases.reads_until(u64::MAX, now),
            _ => leases.reads_until(applied, now),
        }
    }

    pub(super) fn acknowledge(
        self,
        leases: &mut LeaderLeases,
        index: u64,
        applied: u64,
        now: Boot,
    ) -> bool {
        if self == Self::None {
            return leases.acknowledge(index, applied, now);
        }
        let others = leases.others.clone();
        match self {
            Self::NoBarrier => leases.others.clear(),
            Self::LearnersNotWaited => {
                let learners = leases.members.learners.clone();
                leases.others.retain(|id, _| !learners.contains(id));
            }
            Self::LivesMixed => leases.others.values_mut().for_each(|other| {
                let applied = other.applied;
                other
                    .leases
                    .iter_mut()
                    .for_each(|lease| lease.applied = applied);
            }),
            Self::DepartedForgotten => {
                let members = leases.members.clone();
                leases.others.retain(|id, _| members.contains(*id));
            }
            _ => {}
        }
        let done = leases.acknowledge(index, applied, now);
        leases.others = others;
        done
    }

    /// Whether a member may leave without having been retired and waited for.
    pub(super) fn leaves_at_once(self) -> bool {
        matches!(self, Self::DepartedForgotten | Self::RemovedAtOnce)
    }
}

fn forget_margin(leases: &mut LeaderLeases, to: NodeId, grant: Grant) {
    let length = leases.length;
    let Some(other) = leases.others.get_mut(&to) else {
        return;
    };
    let arrival = other.newest.map_or(Boot::ZERO, |(_, arrival)| arrival);
    for lease in &mut other.leases {
        if lease.incarnation == grant.incarnation {
            lease.until = arrival.plus_or_end(length);
        }
    }
}
