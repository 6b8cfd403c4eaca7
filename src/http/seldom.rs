//! Log lines that a stranger can cause, and an operator has to see: one a minute at most.

use std::sync::atomic::{AtomicU64, Ordering};

use quorate_core::Timestamp;

/// When a line was written last; one for each line, as a `static` beside it.
pub(super) struct Seldom(AtomicU64);

impl Seldom {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether the line may be written at `now`: the first time in each minute of the clock.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        // Zero is never a minute that was seen.
        let minute = now.0 / 60_000 + 1;
        self.0.swap(minute, Ordering::Relaxed) != minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_once_a_minute() {
        let line = Seldom::new();
        let due = |at_s: u64| line.is_due(Timestamp(at_s * 1000));
        assert!(due(0));
        assert!(!due(59));
        assert!(due(60));
        assert!(!due(61));
        assert!(due(600));
    }
}
