//! The lease as every request sees it: one atomic number.
//!
//! Decides nothing: the owner of the [`FollowerLease`](super::FollowerLease) or the
//! [`LeaderLeases`](super::LeaderLeases) publishes the end of its right to read, requests compare it with
//! the clock.
//!
//! # Readers, renewals and term changes
//!
//! *A read takes, in this order, with no await between: the clock, this cell, the state.* The cell and the
//! clock may come in either order, but both come before the state.
//! - Everything acknowledged before the read began is in the state it sees. Let the clock say `c`, and let
//!   the cell hold a lease with end `e > c`. A revocation acknowledged before `c` cannot have waited for
//!   this lease to run out, since that comes after `e`; so this node had applied it before the grant or
//!   before the acknowledgement. The apply thread published the state before the index that was reported,
//!   the report came before the grant, and the grant before the `Release` store that this read's `Acquire`
//!   load saw: the state that is read afterwards contains it.
//! - The other order is wrong: a thread that reads the state, is suspended while the lease ends and a new
//!   one is granted, and then looks at the cell, would answer from before a revocation.
//! - A suspension after the check only makes the read long. It began before the revocation was
//!   acknowledged, so the two are concurrent. After an await, begin again at the clock.
//!
//! *Writers* take a lock of their own, which readers never touch. It holds the highest term seen, so a late
//! renewal of an old term cannot bring back a lease that a higher term has ended, whatever the order in
//! which threads get there. A reader that loaded the old value just before is a read that began before the
//! term change; it is right because a lease is right for its whole length (see the module above).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Boot, TermChange};

/// A shared view of "this node may read until". Cloning is cheap; all clones show the same.
#[derive(Debug, Clone)]
pub(crate) struct LeaseCell(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Nanoseconds as in [`Boot`]; zero is no lease.
    until_ns: AtomicU64,
    /// The highest term seen. Held by writers for as long as they write.
    term: Mutex<u64>,
    on_term_change: TermChange,
}

impl LeaseCell {
    /// A cell without a lease. `on_term_change` is the same as for the node's
    /// [`FollowerLease`](super::FollowerLease).
    pub(crate) fn new(on_term_change: TermChange) -> Self {
        Self(Arc::new(Shared {
            until_ns: AtomicU64::new(0),
            term: Mutex::new(0),
            on_term_change,
        }))
    }

    /// Rule 4 for requests: whether a read that begins now may be answered from memory. One atomic load.
    ///
    /// Ask *before* looking at the state, and again after any await.
    pub(crate) fn may_read(&self, now: Boot) -> bool {
        now < self.until()
    }

    /// Until when this node may read, exclusive; [`Boot::ZERO`] without a lease.
    pub(crate) fn until(&self) -> Boot {
        Boot(self.0.until_ns.load(Ordering::Acquire))
    }

    /// What is left; zero without a lease. For readiness and metrics.
    pub(crate) fn remaining(&self, now: Boot) -> Duration {
        self.until().since(now)
    }

    /// Lets readers know of a lease (or of a leader's quorum round) of `term` that lasts until `until`.
    ///
    /// Never shortens within a term. Returns false, and changes nothing, if a higher term was seen.
    pub(crate) fn publish(&self, term: u64, until: Boot) -> bool {
        let mut seen = self.0.term.lock().unwrap_or_else(PoisonError::into_inner);
        self.raise(&mut seen, term);
        if term < *seen {
            return false;
        }
        self.0.until_ns.fetch_max(until.0, Ordering::Release);
        true
    }

    /// Notes a term that this node's Raft makes durable. Call it before any message of that term leaves.
    pub(crate) fn higher_term(&self, term: u64) {
        let mut seen = self.0.term.lock().unwrap_or_else(PoisonError::into_inner);
        self.raise(&mut seen, term);
    }

    /// Ends all local reads until the next [`publish`](Self::publish).
    pub(crate) fn forget(&self) {
        let _seen = self.0.term.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.until_ns.store(0, Ordering::Release);
    }

    fn raise(&self, seen: &mut u64, term: u64) {
        if term <= *seen {
            return;
        }
        *seen = term;
        if self.0.on_term_change == TermChange::Drop {
            self.0.until_ns.store(0, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_the_newest_lease_of_the_newest_term() {
        enum Step {
            Publish(u64, u64),
            Term(u64),
            Forget,
        }
        use Step::{Forget, Publish, Term};
        let cases: [(&str, TermChange, &[Step], u64); 7] = [
            ("nothing", TermChange::Drop, &[], 0),
            (
                "a renewal",
                TermChange::Drop,
                &[Publish(1, 10), Publish(1, 20)],
                20,
            ),
            (
                "out of order",
                TermChange::Drop,
                &[Publish(1, 20), Publish(1, 10)],
                20,
            ),
            (
                "term change",
                TermChange::Drop,
                &[Publish(1, 20), Term(2)],
                0,
            ),
            (
                "late renewal",
                TermChange::Drop,
                &[Publish(1, 20), Term(2), Publish(1, 30)],
                0,
            ),
            (
                "kept",
                TermChange::Keep,
                &[Publish(1, 20), Term(2), Publish(1, 30)],
                20,
            ),
            ("forgotten", TermChange::Keep, &[Publish(1, 20), Forget], 0),
        ];
        for (name, choice, steps, until) in cases {
            let cell = LeaseCell::new(choice);
            for step in steps {
                match *step {
                    Publish(term, until) => {
                        cell.publish(term, Boot(until));
                    }
                    Term(term) => cell.higher_term(term),
                    Forget => cell.forget(),
                }
            }
            assert_eq!(cell.until(), Boot(until), "{name}");
            assert!(!cell.may_read(Boot(until)), "{name}: the end is exclusive");
        }
    }

    #[test]
    fn no_thread_brings_back_a_lease_of_an_older_term() {
        let cell = LeaseCell::new(TermChange::Drop);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let cell = cell.clone();
                scope.spawn(move || {
                    for round in 0..2_000 {
                        cell.publish(1, Boot(1_000_000 + round * 3 + thread));
                    }
                });
            }
            scope.spawn(|| cell.higher_term(2));
        });
        assert_eq!(cell.until(), Boot::ZERO);
    }
}
