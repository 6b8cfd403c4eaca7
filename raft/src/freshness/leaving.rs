//! Giving up the right to read before a node stops, so that no revocation waits for its lease to run out.

use super::Freshness;
use crate::lease::{NodeId, Stamp};

impl Freshness {
    /// Ends all reads from memory for good, for a node that stops. Afterwards [`Freshness::stamp`] is a farewell.
    pub(crate) fn leave(&self) {
        let mut sides = self.sides();
        sides.has_left = true;
        sides.leader = None;
        sides.follower.forget();
        self.cell.forget();
    }

    /// `member` has said that its life reads nothing from memory any more.
    pub(crate) fn farewell_of(&self, member: NodeId, stamp: Stamp) {
        if let Some(leases) = &mut self.sides().leader {
            leases.farewell(member, stamp);
        }
        self.changed.notify_waiters();
    }
}
