//! Whether what clients saw of one thing can be explained by some order of its operations.
//!
//! An operation takes effect at one instant between its call and its answer; one without an answer at any later
//! instant, or never. The search tries orders depth first and remembers what it has seen.
//!
//! Source: Wing and Gong, "Testing and verifying concurrent objects", 1993, with the memory of Lowe, "Testing for
//! linearizability", 2017.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

/// What one thing may do, one operation at a time.
pub(crate) trait Model {
    type State: Clone + Eq + Hash;
    type Operation;

    fn start() -> Self::State;

    /// The states that may follow; none if the operation cannot have ended as it did.
    fn step(state: &Self::State, operation: &Self::Operation) -> Vec<Self::State>;
}

/// An operation with its place in time.
#[derive(Debug, Clone)]
pub(crate) struct Call<O> {
    pub(crate) operation: O,
    pub(crate) called: Duration,
    /// `None`: it may take effect at any time from the call on, or never.
    pub(crate) returned: Option<Duration>,
}

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Some order explains everything.
    Order,
    /// None does.
    NoOrder,
    /// The search was given up.
    TooMany,
}

/// Steps after which a search is given up.
const STEPS_MAX: usize = 2_000_000;

/// Looks for an order of `calls`.
pub(crate) fn search<M: Model>(calls: &[Call<M::Operation>]) -> Found {
    let mut search = Search::<M> {
        calls,
        seen: HashSet::new(),
        steps: 0,
    };
    let mut done = vec![0; calls.len().div_ceil(64)];
    if search.rest(&mut done, &M::start()) {
        Found::Order
    } else if search.steps >= STEPS_MAX {
        Found::TooMany
    } else {
        Found::NoOrder
    }
}

struct Search<'a, M: Model> {
    calls: &'a [Call<M::Operation>],
    /// Which operations have taken effect, and the state they have led to.
    seen: HashSet<(Vec<u64>, M::State)>,
    steps: usize,
}

impl<M: Model> Search<'_, M> {
    /// Whether what is not `done` yet can follow `state`.
    fn rest(&mut self, done: &mut Vec<u64>, state: &M::State) -> bool {
        let open = |index: usize| !is_set(done, index);
        let waiting = self.calls.iter().enumerate().filter(|(i, _)| open(*i));
        let Some(first_answer) = waiting.filter_map(|(_, call)| call.returned).min() else {
            return true;
        };
        self.steps += 1;
        if self.steps >= STEPS_MAX || !self.seen.insert((done.clone(), state.clone())) {
            return false;
        }
        for (index, call) in self.calls.iter().enumerate() {
            if is_set(done, index) || call.called > first_answer {
                continue;
            }
            flip(done, index);
            for next in M::step(state, &call.operation) {
                if self.rest(done, &next) {
                    return true;
                }
            }
            flip(done, index);
        }
        false
    }
}

fn is_set(bits: &[u64], index: usize) -> bool {
    bits.get(index / 64)
        .is_some_and(|word| word >> (index % 64) & 1 == 1)
}

fn flip(bits: &mut [u64], index: usize) {
    if let Some(word) = bits.get_mut(index / 64) {
        *word ^= 1 << (index % 64);
    }
}

/// The first instant at which what has been answered has no order any more; `None` if there is always one.
pub(crate) fn broken_at<M: Model>(calls: &[Call<M::Operation>]) -> Option<Duration>
where
    M::Operation: Clone,
{
    let mut answers: Vec<Duration> = calls.iter().filter_map(|call| call.returned).collect();
    answers.sort_unstable();
    answers.into_iter().find(|until| {
        let seen: Vec<_> = calls
            .iter()
            .filter(|call| call.called <= *until)
            .map(|call| Call {
                returned: call.returned.filter(|returned| returned <= until),
                ..call.clone()
            })
            .collect();
        search::<M>(&seen) == Found::NoOrder
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is written and read.
    struct Register;

    #[derive(Debug, Clone, Copy)]
    enum Do {
        Write(u8),
        Read(u8),
    }

    impl Model for Register {
        type State = u8;
        type Operation = Do;

        fn start() -> u8 {
            0
        }

        fn step(state: &u8, operation: &Do) -> Vec<u8> {
            match operation {
                Do::Write(value) => vec![*value],
                Do::Read(value) if value == state => vec![*state],
                Do::Read(_) => Vec::new(),
            }
        }
    }

    fn found(calls: &[(Do, u64, Option<u64>)]) -> Found {
        let calls: Vec<Call<Do>> = calls
            .iter()
            .map(|(operation, called, returned)| Call {
                operation: *operation,
                called: Duration::from_millis(*called),
                returned: returned.map(Duration::from_millis),
            })
            .collect();
        search::<Register>(&calls)
    }

    #[test]
    fn a_read_of_what_was_overwritten_before_it_began_has_no_order() {
        use Do::{Read, Write};
        let first = (Write(1), 0, Some(10));
        assert_eq!(
            found(&[first, (Write(2), 20, Some(30)), (Read(1), 40, Some(50))]),
            Found::NoOrder
        );
        assert_eq!(
            found(&[first, (Write(2), 20, Some(45)), (Read(1), 40, Some(50))]),
            Found::Order
        );
    }

    #[test]
    fn a_write_without_an_answer_may_come_late_or_never_but_not_be_undone() {
        use Do::{Read, Write};
        let lost = (Write(1), 0, None);
        assert_eq!(found(&[lost, (Read(0), 10, Some(20))]), Found::Order);
        let late = [lost, (Read(0), 10, Some(20)), (Read(1), 30, Some(40))];
        assert_eq!(found(&late), Found::Order);
        let undone = [lost, (Read(1), 10, Some(20)), (Read(0), 30, Some(40))];
        assert_eq!(found(&undone), Found::NoOrder);
    }

    #[test]
    fn two_reads_that_follow_each_other_see_two_writes_in_one_order() {
        use Do::{Read, Write};
        let writes = [(Write(1), 0, Some(100)), (Write(2), 0, Some(100))];
        let seen = |a, b, c| {
            let mut calls = writes.to_vec();
            calls.extend([
                (Read(a), 10, Some(20)),
                (Read(b), 30, Some(40)),
                (Read(c), 50, Some(60)),
            ]);
            found(&calls)
        };
        assert_eq!(seen(1, 2, 2), Found::Order);
        assert_eq!(seen(2, 1, 1), Found::Order);
        assert_eq!(seen(1, 2, 1), Found::NoOrder);
    }

    #[test]
    fn the_first_answer_that_fits_no_order_is_found() {
        let call = |operation, called: u64, returned: u64| Call {
            operation,
            called: Duration::from_millis(called),
            returned: Some(Duration::from_millis(returned)),
        };
        let mut calls = vec![
            call(Do::Write(1), 0, 5),
            call(Do::Read(2), 10, 40),
            call(Do::Write(2), 20, 50),
            call(Do::Read(1), 60, 70),
            call(Do::Read(2), 80, 90),
        ];
        let at = Some(Duration::from_millis(70));
        assert_eq!(broken_at::<Register>(&calls), at);
        calls.truncate(3);
        assert_eq!(broken_at::<Register>(&calls), None);
    }
}
