//! The wall clock; nothing else in this crate reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use quorate_core::Timestamp;

/// The instant, by this machine's wall clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub fn system_time() -> SystemTime {
    SystemTime::now()
}

/// An instant as RFC 3339 has it, in UTC and to the second: `2026-11-23T14:03:22Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    let seconds = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| {
            at.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_default()
}

/// Now, by this node's wall clock; the epoch if the clock stands before it.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = system_time().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
