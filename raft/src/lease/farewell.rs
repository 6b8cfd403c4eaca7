//! A node that stops in order gives up its lease by word, so that nobody waits for it to run out.

use super::{Incarnation, LeaderLeases, NodeId, Stamp};

impl LeaderLeases {
    /// Takes in that the life behind `stamp` of `member` reads nothing from memory any more, so that no revocation waits
    /// for its lease.
    ///
    /// Leases of earlier terms are over as well: lives before this one have ended, since one data directory has one
    /// process, and lives after it take no grant of an older term, since the term of the stamp is durable there. A grant
    /// to this life that is still on its way is not taken any more.
    pub(crate) fn farewell(&mut self, member: NodeId, stamp: Stamp) {
        let Some(other) = self.others.get_mut(&member) else {
            return;
        };
        if stamp.term != self.term {
            return;
        }
        let is_its_own = |life: Incarnation| life == stamp.incarnation;
        other.leases.retain(|lease| !is_its_own(lease.incarnation));
        if other
            .newest
            .is_some_and(|(newest, _)| is_its_own(newest.incarnation))
        {
            other.newest = None;
        }
        other.is_free_of_old = true;
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use std::time::Duration;

    use super::*;
    use crate::lease::{Boot, Members};

    const S: u64 = 1_000_000_000;
    const TERM: u64 = 5;

    fn stamp(life: u64, term: u64, applied: u64) -> Stamp {
        Stamp {
            incarnation: Incarnation(life),
            term,
            q: Boot(1),
            applied,
        }
    }

    /// Node 1 leads since second 100; 2 has a lease of this term, 3 is up to date.
    fn leases() -> LeaderLeases {
        let members = Members {
            voters: vec![[1, 2, 3].into()],
            learners: [].into(),
        };
        let elected_at = Boot(100 * S);
        let length = Duration::from_secs(3);
        let mut leases = LeaderLeases::elected(1, TERM, length, 10, members, elected_at);
        for member in [2, 3] {
            leases.accepted(member, elected_at);
            leases.heard(member, stamp(member, TERM, 10), elected_at);
        }
        leases.grant_for(2, elected_at).unwrap();
        leases.heard(3, stamp(3, TERM, 20), elected_at);
        leases
    }

    #[test]
    fn a_revocation_waits_for_a_lease_unless_its_holder_has_said_farewell() {
        let now = Boot(100 * S + 1);
        assert_eq!(leases().acknowledgeable(20, now), 10, "it waits");
        let mut told = leases();
        told.farewell(2, stamp(2, TERM, 10));
        assert_eq!(told.acknowledgeable(20, now), 20);
        assert_eq!(told.grant_for(2, now), None, "nothing more for that life");
    }

    #[test]
    fn a_farewell_of_another_term_or_life_frees_no_lease_of_this_one() {
        let now = Boot(100 * S + 1);
        for wrong in [stamp(2, TERM - 1, 10), stamp(9, TERM, 10)] {
            let mut leases = leases();
            leases.farewell(2, wrong);
            assert_eq!(leases.acknowledgeable(20, now), 10, "{wrong:?}");
        }
    }

    #[test]
    fn the_next_life_gets_a_lease_of_its_own_and_is_waited_for() {
        let now = Boot(100 * S + 1);
        let mut leases = leases();
        leases.farewell(2, stamp(2, TERM, 10));
        leases.heard(2, stamp(22, TERM, 12), now);
        leases.grant_for(2, now).unwrap();
        assert_eq!(leases.acknowledgeable(20, now), 12);
    }
}
