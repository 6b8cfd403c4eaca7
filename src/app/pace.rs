//! How long a refused login takes, so that its duration does not tell why it was refused.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// No refusal is faster than this, whatever the hash costs.
const REFUSAL_MS_MIN: u64 = 250;
/// No refusal is held back longer than this, however slow checks have become.
const REFUSAL_MS_MAX: u64 = 5_000;
/// Random time added to every refusal.
const JITTER_MS: u64 = 85;

/// The moving average of what a password check takes, queue included.
#[derive(Debug, Default)]
pub(super) struct Pace {
    check_ms: AtomicU64,
}

impl Pace {
    /// Takes one finished check into the average (a quarter of the new value each time).
    pub(super) fn record(&self, took: Duration) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(REFUSAL_MS_MAX);
        // Two checks that end together may lose one of them; an average can bear that.
        let old_ms = self.check_ms.load(Ordering::Relaxed);
        let new_ms = if old_ms == 0 {
            took_ms
        } else {
            (old_ms * 3 + took_ms) / 4
        };
        self.check_ms
            .store(new_ms.min(REFUSAL_MS_MAX), Ordering::Relaxed);
    }

    /// How long a refusal should still wait that has taken `elapsed` so far. `random` is uniform.
    #[must_use]
    pub(super) fn remaining(&self, elapsed: Duration, random: u16) -> Duration {
        let target_ms = self.check_ms.load(Ordering::Relaxed).max(REFUSAL_MS_MIN);
        let jitter_ms = u64::from(random) * JITTER_MS / u64::from(u16::MAX);
        Duration::from_millis(target_ms + jitter_ms).saturating_sub(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_check_takes_as_long_as_one_with_a_check() {
        let pace = Pace::default();
        assert_eq!(
            pace.remaining(Duration::ZERO, 0),
            Duration::from_millis(250)
        );
        pace.record(Duration::from_millis(900));
        assert_eq!(
            pace.remaining(Duration::from_millis(100), 0),
            Duration::from_millis(800)
        );
        assert_eq!(
            pace.remaining(Duration::from_millis(900), 0),
            Duration::ZERO
        );
        assert_eq!(
            pace.remaining(Duration::from_millis(900), u16::MAX),
            Duration::from_millis(85)
        );
    }

    #[test]
    fn slow_checks_hold_no_refusal_back_for_ever() {
        let pace = Pace::default();
        pace.record(Duration::from_secs(600));
        assert_eq!(
            pace.remaining(Duration::ZERO, 0),
            Duration::from_millis(REFUSAL_MS_MAX)
        );
    }
}
