//! The two clocks of this crate, and the only place that reads them.
//!
//! *Boot time* measures how long something took or is valid; it never jumps and goes on while the machine sleeps, so a
//! node that wakes up knows that its lease is over. *Wall time* is only what the leader stamps on proposals.
//!
//! Source: `clock_gettime(2)`, `CLOCK_BOOTTIME` and `CLOCK_REALTIME`.

use std::time::Duration;

use quorate_core::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::lease::Boot;

/// The time since boot, time asleep included. Takes some 30 ns.
pub(crate) fn boot_time() -> Boot {
    let ns = since_zero(ClockId::Boottime).as_nanos();
    Boot(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// The wall clock, as proposals carry it; 0 if the clock says a time before 1970.
pub(crate) fn wall_time() -> Timestamp {
    let ms = since_zero(ClockId::Realtime).as_millis();
    Timestamp(u64::try_from(ms).unwrap_or(u64::MAX))
}

fn since_zero(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}
