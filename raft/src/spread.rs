//! How durations are spread: counted in buckets by atomics, so that any thread may add to them at any time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Durations counted in `N` buckets, plus one for what is longer than the last bound.
#[derive(Debug)]
pub struct Spread<const N: usize> {
    bounds_us: [u64; N],
    buckets: [AtomicU64; N],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

/// What a [`Spread`] has counted, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadNumbers {
    /// Upper bound in microseconds, inclusive, and how many durations were at most that long and longer than the bound
    /// before; in rising order.
    pub buckets: Vec<(u64, u64)>,
    /// How many were longer than the last bound.
    pub beyond: u64,
    /// All durations together, in microseconds.
    pub sum_us: u64,
}

impl<const N: usize> Spread<N> {
    /// Nothing counted yet. `bounds_us` rise.
    #[must_use]
    pub fn new(bounds_us: [u64; N]) -> Self {
        Self {
            bounds_us,
            buckets: [const { AtomicU64::new(0) }; N],
            beyond: AtomicU64::new(0),
            sum_us: AtomicU64::new(0),
        }
    }

    /// Counts one duration. Two atomic additions.
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = self.bounds_us.partition_point(|bound| *bound < us);
        let count = self.buckets.get(bucket).unwrap_or(&self.beyond);
        count.fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    /// What has been counted so far. Buckets are read one after another, so the sum may be a little ahead of them.
    #[must_use]
    pub fn numbers(&self) -> SpreadNumbers {
        let counts = self.buckets.iter().map(|count| count.load(Relaxed));
        SpreadNumbers {
            buckets: self.bounds_us.into_iter().zip(counts).collect(),
            beyond: self.beyond.load(Relaxed),
            sum_us: self.sum_us.load(Relaxed),
        }
    }
}

impl SpreadNumbers {
    /// How many durations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() + self.beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_what_is_longer_to_the_next() {
        let spread = Spread::new([10, 20]);
        for us in [0, 10, 11, 20, 21] {
            spread.record(Duration::from_micros(us));
        }
        let numbers = spread.numbers();
        assert_eq!(numbers.buckets, [(10, 2), (20, 2)]);
        assert_eq!((numbers.beyond, numbers.sum_us), (1, 62));
        assert_eq!(numbers.count(), 5);
    }
}
