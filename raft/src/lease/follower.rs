//! The lease of a node that does not lead.
//!
//! Decides whether this node may answer from its memory. Knows neither who the leader is nor how a grant
//! travelled; the caller hands it grants only from AppendEntries that its own Raft accepted.

use std::time::Duration;

use super::{Boot, Grant, Incarnation, Stamp, TermChange};

/// What one process may read, and until when by its own clock.
///
/// Lives in memory only: a restart makes a new one with a new incarnation, so no lease survives it.
#[derive(Debug, Clone)]
pub(crate) struct FollowerLease {
    incarnation: Incarnation,
    length: Duration,
    on_term_change: TermChange,
    term: u64,
    lease_end: Boot,
}

impl FollowerLease {
    /// No lease yet. `length` is `D`, the same on every member; `term` is the durable one found at start.
    pub(crate) fn new(
        incarnation: Incarnation,
        length: Duration,
        on_term_change: TermChange,
        term: u64,
    ) -> Self {
        Self {
            incarnation,
            length,
            on_term_change,
            term,
            lease_end: Boot::ZERO,
        }
    }

    /// Rule 1: what to send along with a message to the leader.
    ///
    /// `applied` is the newest index that *readers of this process already see*. Read it before `now`, and
    /// never take what the log holds: the leader lets revocations be acknowledged by this number.
    pub(crate) fn stamp(&self, applied: u64, now: Boot) -> Stamp {
        Stamp {
            incarnation: self.incarnation,
            term: self.term,
            q: now,
            applied,
        }
    }

    /// Rule 3: takes the grant of an AppendEntries of `term` that this node's Raft *accepted*.
    ///
    /// Returns whether the grant counted. It is refused if it was meant for an earlier life, comes from an
    /// older term, or names a moment that this clock has not reached. The lease counts from `q`, when this
    /// node *sent* its stamp, so a delay on either way only shortens it.
    pub(crate) fn accept(&mut self, grant: Grant, term: u64, now: Boot) -> bool {
        self.higher_term(term);
        if grant.incarnation != self.incarnation || term < self.term || grant.q > now {
            return false;
        }
        self.lease_end = self.lease_end.max(grant.q.plus_or_never(self.length));
        true
    }

    /// Rule 3, second half: a term above the lease's own ends the lease, or lets it run out, as chosen.
    ///
    /// Call it for every term that this node's Raft makes durable, before any message of that term leaves,
    /// and for every accepted AppendEntries, with or without a grant: stamps carry the term.
    pub(crate) fn higher_term(&mut self, term: u64) {
        if term <= self.term {
            return;
        }
        self.term = term;
        if self.on_term_change == TermChange::Drop {
            self.lease_end = Boot::ZERO;
        }
    }

    /// Ends the lease, for a clock that cannot be trusted (wall and boot clock moved apart) or a shutdown.
    pub(crate) fn forget(&mut self) {
        self.lease_end = Boot::ZERO;
    }

    /// Rule 4: whether this node may answer a read that has begun, from the memory as it is now.
    #[cfg(test)]
    pub(crate) fn may_read(&self, now: Boot) -> bool {
        now < self.lease_end
    }

    /// What is left of the lease; zero without one.
    #[cfg(test)]
    pub(crate) fn remaining(&self, now: Boot) -> Duration {
        self.lease_end.since(now)
    }

    /// The end of the lease by this node's clock, exclusive; [`Boot::ZERO`] without one.
    pub(crate) fn lease_end(&self) -> Boot {
        self.lease_end
    }

    /// The highest term this lease has heard of.
    #[cfg(test)]
    pub(crate) fn term(&self) -> u64 {
        self.term
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: Duration = Duration::from_nanos(100);
    const ME: Incarnation = Incarnation(7);

    fn lease(on_term_change: TermChange) -> FollowerLease {
        FollowerLease::new(ME, D, on_term_change, 3)
    }

    fn grant(incarnation: u64, q: u64) -> Grant {
        Grant {
            incarnation: Incarnation(incarnation),
            q: Boot(q),
        }
    }

    #[test]
    fn a_stamp_says_life_term_clock_and_what_readers_see() {
        let expect = Stamp {
            incarnation: ME,
            term: 3,
            q: Boot(50),
            applied: 9,
        };
        assert_eq!(lease(TermChange::Drop).stamp(9, Boot(50)), expect);
    }

    #[test]
    fn a_grant_counts_from_the_sending_and_only_for_this_life_and_term() {
        // (incarnation, q, term, now, lease end afterwards)
        let cases = [
            ("delay shortens it", 7, 1_000, 3, 1_090, 1_100),
            ("so old that it is over at once", 7, 1_000, 3, 1_200, 1_100),
            ("a higher term brings its own", 7, 1_000, 4, 1_010, 1_100),
            ("another life", 8, 1_000, 3, 1_010, 0),
            ("an older term", 7, 1_000, 2, 1_010, 0),
            ("a moment not reached yet", 7, 1_000, 3, 999, 0),
            ("past the end of the clock", 7, u64::MAX - 5, 3, u64::MAX, 0),
        ];
        for (name, incarnation, q, term, now, end) in cases {
            let mut lease = lease(TermChange::Drop);
            assert_eq!(lease.accept(grant(incarnation, q), term, Boot(now)), {
                // A grant past the end of the clock is taken, and is worth nothing.
                end != 0 || q > u64::MAX / 2
            });
            assert_eq!(lease.lease_end(), Boot(end), "{name}");
        }
    }

    #[test]
    fn reads_end_exactly_with_the_lease() {
        let mut lease = lease(TermChange::Drop);
        assert!(
            !lease.may_read(Boot::ZERO),
            "no lease at the start, even at time zero"
        );
        lease.accept(grant(7, 1_000), 3, Boot(1_001));
        for (now, may, left) in [(1_001, true, 99), (1_099, true, 1), (1_100, false, 0)] {
            assert_eq!(lease.may_read(Boot(now)), may, "at {now}");
            assert_eq!(lease.remaining(Boot(now)), Duration::from_nanos(left));
        }
    }

    #[test]
    fn an_older_grant_never_shortens_a_lease() {
        let mut lease = lease(TermChange::Drop);
        lease.accept(grant(7, 1_000), 3, Boot(1_001));
        lease.accept(grant(7, 900), 3, Boot(1_002));
        assert_eq!(lease.lease_end(), Boot(1_100));
    }

    #[test]
    fn a_higher_term_ends_the_lease_or_lets_it_run_out() {
        for (choice, term, end) in [
            (TermChange::Drop, 4, 0),
            (TermChange::Keep, 4, 1_100),
            (TermChange::Drop, 3, 1_100),
            (TermChange::Drop, 2, 1_100),
        ] {
            let mut lease = lease(choice);
            lease.accept(grant(7, 1_000), 3, Boot(1_001));
            lease.higher_term(term);
            assert_eq!(lease.lease_end(), Boot(end), "{choice:?} at term {term}");
            assert_eq!(lease.term(), term.max(3));
        }
    }

    #[test]
    fn a_distrusted_clock_ends_the_lease() {
        let mut lease = lease(TermChange::Keep);
        lease.accept(grant(7, 1_000), 3, Boot(1_001));
        lease.forget();
        assert!(!lease.may_read(Boot(1_002)));
    }
}
