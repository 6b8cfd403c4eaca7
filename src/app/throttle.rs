//! How many logins one address may begin on this node, before they reach Raft or argon2 (promise P7).
//!
//! A token bucket per address, in memory. It is no guess budget (that one is replicated and exact); it keeps a flood
//! from one place from filling the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quorate_core::{Subject, Timestamp};

/// Logins one address may begin at once.
const BURST: u64 = 120;
/// Milliseconds after which it may begin one more.
const REFILL_MS: u64 = 50;
/// Addresses remembered; when there are more, all full buckets are forgotten, and if none is full, all.
const ADDRESSES_MAX: usize = 20_000;

/// The buckets of all addresses seen lately.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// For each address the instant at which its bucket will be full again.
    full_at: Mutex<HashMap<Subject, Timestamp>>,
}

impl Throttle {
    /// Whether `address` may begin one more login at `now`; if so, it is counted.
    pub(super) fn admit(&self, address: &Subject, now: Timestamp) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let current = full_at.get(address).copied().unwrap_or(now).max(now);
        let next = current.plus_ms(REFILL_MS);
        if next.since_ms(now) > BURST * REFILL_MS {
            return false;
        }
        if full_at.len() >= ADDRESSES_MAX && !full_at.contains_key(address) {
            full_at.retain(|_, full_at| *full_at > now);
            if full_at.len() >= ADDRESSES_MAX {
                full_at.clear();
            }
        }
        full_at.insert(address.clone(), next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_burst_then_one_per_refill_and_others_are_not_affected() {
        let throttle = Throttle::default();
        let address = |text: &str| Subject::of_address(text.parse().expect("an address"));
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        let now = Timestamp(1_000_000);
        let admitted = (0..BURST + 10)
            .filter(|_| throttle.admit(&here, now))
            .count();
        assert_eq!(admitted as u64, BURST);
        assert!(throttle.admit(&there, now));
        assert!(!throttle.admit(&here, now.plus_ms(REFILL_MS - 1)));
        assert!(throttle.admit(&here, now.plus_ms(REFILL_MS)));
        assert!(!throttle.admit(&here, now.plus_ms(REFILL_MS)));
    }
}
