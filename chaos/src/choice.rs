//! A small generator of choices: the same seed, the same choices.
//!
//! Source: SplitMix64, Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.

/// Where choices come from.
#[derive(Debug, Clone)]
pub(crate) struct Choices(u64);

impl Choices {
    /// Choices for one of many who share `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut choices = Self(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        choices.next();
        choices
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..bound`; 0 if there is nothing to choose from.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index into something of `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// True once in `times`, on average.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Any order of `items`.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }
}
