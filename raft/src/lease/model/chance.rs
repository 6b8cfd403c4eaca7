//! Randomness and clocks of a simulated run: everything follows from its seed.

use super::super::Boot;

/// One millisecond of true time.
pub(super) const MS: u64 = 1_000_000;

/// SplitMix64: small, fast, and the same everywhere.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between `low` and `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True `percent` times out of a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// A clock that is wrong by an arbitrary offset and by at most 2 % in its rate.
pub(super) struct Clock {
    offset: u64,
    /// True time times this over ten thousand is what the clock counts.
    rate: u64,
}

impl Clock {
    /// Rates are often at their bounds, where a missing margin would show.
    pub(super) fn random(chance: &mut Chance) -> Self {
        let rate = match chance.between(0, 3) {
            0 => 9_800,
            1 => 10_200,
            _ => chance.between(9_800, 10_200),
        };
        // Never near zero, so that "long ago" exists.
        Self {
            offset: chance.between(20_000, 90_000) * MS,
            rate,
        }
    }

    /// What the clock shows at true time `t`.
    pub(super) fn at(&self, t: u64) -> Boot {
        Boot(self.offset + t * self.rate / 10_000)
    }

    /// The first true time at which the clock shows `boot` or more.
    pub(super) fn when(&self, boot: Boot) -> u64 {
        (boot.0.saturating_sub(self.offset) / self.rate + 1).saturating_mul(10_000)
    }
}
