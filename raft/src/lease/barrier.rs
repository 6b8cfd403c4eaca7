//! What a revocation waits for before the leader acknowledges it (rule 5), and before a member may leave.
//!
//! Decides when nobody can answer without the revocation any more. Does not know what was revoked, nor who
//! waits for the answer.

use std::collections::VecDeque;
use std::time::Duration;

use super::leader::Other;
use super::{Boot, LeaderLeases, NodeId, REVOCATION_GRACE};

/// Revocations that were committed within this span of one another share one record, so that their number
/// stays small under any load. The later ones count as committed with the first.
const RECENT_STEP: Duration = Duration::from_millis(10);

/// The revocations of one term, as far as the floor must know them.
#[derive(Debug, Clone, Default)]
pub(super) struct Revocations {
    /// The highest index this leader has acknowledged.
    pub(super) acknowledged: u64,
    /// The highest index that has left `recent`.
    past: u64,
    /// `(committed_at, index)`, oldest first, at most [`REVOCATION_GRACE`] back and [`RECENT_STEP`] apart.
    recent: VecDeque<(Boot, u64)>,
}

impl Revocations {
    fn committed(&mut self, index: u64, now: Boot) {
        while let Some((at, index)) = self.recent.front().copied() {
            if !is_overdue(at, now) {
                break;
            }
            self.past = self.past.max(index);
            self.recent.pop_front();
        }
        match self.recent.back_mut() {
            Some((at, newest)) if now.since(*at) < RECENT_STEP => *newest = (*newest).max(index),
            _ => self.recent.push_back((now, index)),
        }
    }

    /// The highest index that was committed over [`REVOCATION_GRACE`] ago; zero for none.
    pub(super) fn overdue(&self, now: Boot) -> u64 {
        let recent = self.recent.iter().filter(|(at, _)| is_overdue(*at, now));
        recent.map(|(_, index)| *index).fold(self.past, u64::max)
    }
}

fn is_overdue(committed_at: Boot, now: Boot) -> bool {
    now.since(committed_at) > REVOCATION_GRACE
}

impl LeaderLeases {
    /// Notes that the revoking entry at `index`, of this term, is committed. Call it in order of index.
    ///
    /// From [`REVOCATION_GRACE`] later on, members that have not applied it get no grants.
    pub(crate) fn committed_revocation(&mut self, index: u64, now: Boot) {
        self.revocations.committed(index, now);
    }

    /// Rule 5: the highest index whose revocation may be acknowledged, where `applied_local` is what the
    /// leader's own readers see. Every lower index may be acknowledged as well.
    ///
    /// Does not need a fresh quorum: what is committed and waited for stays so after this leader is deposed.
    pub(crate) fn acknowledgeable(&self, applied_local: u64, now: Boot) -> u64 {
        let limit = |other: &Other| other.acknowledgeable(self.old_leases_end, now);
        self.others
            .values()
            .map(limit)
            .fold(applied_local, u64::min)
    }

    /// Acknowledges the committed revocation at `index` if rule 5 allows it, and returns whether it did.
    ///
    /// Check and floor change in one call, so no grant can slip between them. Answer the caller only after
    /// this returned true; once it has, no later grant goes to a member that has not applied `index`.
    #[must_use]
    pub(crate) fn acknowledge(&mut self, index: u64, applied_local: u64, now: Boot) -> bool {
        if index > self.acknowledgeable(applied_local, now) {
            return false;
        }
        self.revocations.acknowledged = self.revocations.acknowledged.max(index);
        true
    }

    /// When the passing of time alone may next make `index` acknowledgeable; `None` if it is not time that
    /// it waits for.
    ///
    /// A grant in the meantime may put this off, by less than the length of a lease and only within
    /// [`REVOCATION_GRACE`] of the commit; a report may make it earlier. So ask again after each.
    pub(crate) fn next_deadline(&self, index: u64, now: Boot) -> Option<Boot> {
        let cleared = self
            .others
            .values()
            .map(|other| other.cleared_at(index, self.old_leases_end));
        cleared.max().filter(|at| *at > now)
    }

    /// Gives `member` no more grants, because it is about to leave the membership.
    ///
    /// Returns false for a stranger.
    pub(crate) fn retire(&mut self, member: NodeId) -> bool {
        self.others
            .get_mut(&member)
            .map(|other| other.retiring = true)
            .is_some()
    }

    /// Takes back [`retire`](Self::retire).
    pub(crate) fn reinstate(&mut self, member: NodeId) {
        if let Some(other) = self.others.get_mut(&member) {
            other.retiring = false;
        }
    }

    /// When a membership without `member` may be proposed; `None` until it was retired.
    ///
    /// A later leader does not know who left before its time, so it would not wait for a lease that still
    /// lives. Hence the order: retire, wait until here, propose. If another leader granted again in the
    /// meantime, its first entry is committed, and the proposal made here can no longer become so.
    pub(crate) fn removable_at(&self, member: NodeId) -> Option<Boot> {
        match self.others.get(&member) {
            Some(other) => other.retiring.then(|| {
                let old = if other.is_free_of_old {
                    Boot::ZERO
                } else {
                    self.old_leases_end
                };
                other.leases_end().max(old)
            }),
            None => Some(Boot::ZERO),
        }
    }
}

impl Other {
    /// Rule 5 for one node, as an index: everything up to here it has applied, or cannot read without.
    ///
    /// Old leases count until `old_leases_end`, except that a report in this term proves two things: that
    /// life has applied the index, and no later life takes a grant of an older term, since the node's term
    /// is durable. Leases of this term count per life, because a late report of a life that is gone says
    /// nothing about the memory of the one that may be reading now.
    fn acknowledgeable(&self, old_leases_end: Boot, now: Boot) -> u64 {
        let old = if now < old_leases_end && !self.is_free_of_old {
            self.applied
        } else {
            u64::MAX
        };
        let alive = self.leases.iter().filter(|lease| now < lease.until);
        alive.map(|lease| lease.applied).fold(old, u64::min)
    }

    /// When this node is no longer in the way of `index`, if it reports nothing more.
    fn cleared_at(&self, index: u64, old_leases_end: Boot) -> Boot {
        let old = if self.applied < index && !self.is_free_of_old {
            old_leases_end
        } else {
            Boot::ZERO
        };
        let behind = self.leases.iter().filter(|lease| lease.applied < index);
        behind.map(|lease| lease.until).fold(old, Boot::max)
    }
}
