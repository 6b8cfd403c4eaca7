//! Points in time on one node's monotonic clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds on the monotonic clock of one node, counting through suspend (`CLOCK_BOOTTIME`).
///
/// Meaningless on any other node. Zero is before everything and serves as "never".
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Boot(pub(crate) u64);

impl Boot {
    /// Before every reading of the clock.
    pub(crate) const ZERO: Self = Self(0);

    /// The point `span` later, or the end of time: for moments until which somebody must *wait*.
    pub(crate) fn plus_or_end(self, span: Duration) -> Self {
        let ns = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ns))
    }

    /// The point `span` later, or never: for moments until which something is *allowed*.
    pub(crate) fn plus_or_never(self, span: Duration) -> Self {
        let end = u64::try_from(span.as_nanos())
            .ok()
            .and_then(|ns| self.0.checked_add(ns));
        Self(end.unwrap_or(0))
    }

    /// The time that has passed since `earlier`; zero if that lies ahead.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_makes_waiting_endless_and_permission_void() {
        let late = Boot(u64::MAX - 1);
        for span in [Duration::from_nanos(2), Duration::MAX] {
            assert_eq!(late.plus_or_end(span), Boot(u64::MAX));
            assert_eq!(late.plus_or_never(span), Boot::ZERO);
        }
        assert_eq!(Boot(5).plus_or_end(Duration::from_nanos(2)), Boot(7));
        assert_eq!(Boot(5).plus_or_never(Duration::from_nanos(2)), Boot(7));
    }

    #[test]
    fn a_moment_ahead_is_no_time_ago() {
        assert_eq!(Boot(5).since(Boot(7)), Duration::ZERO);
        assert_eq!(Boot(7).since(Boot(5)), Duration::from_nanos(2));
    }
}
