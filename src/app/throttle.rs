//! How much one subject may ask for on this node, before anything reaches Raft or argon2 (promise P7).
//!
//! Token buckets in memory. They are no guess budget (that one is replicated and exact); they keep a flood from one place
//! from filling the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quorate_core::{Subject, Timestamp, UserName};

use super::App;
use crate::config::RateLimit;

/// What logins of one address are bounded by: 120 at once, then 20 per second.
const LOGINS: RateLimit = RateLimit {
    requests: 120,
    period: Duration::from_millis(50),
};
/// Subjects remembered; when there are more, all with full buckets are forgotten, and if there is none, all.
const SUBJECTS_MAX: usize = 20_000;

/// The buckets of all subjects seen lately. Every limit has a bucket of its own, and all must have something left.
#[derive(Debug)]
pub(super) struct Throttle {
    limits: Vec<RateLimit>,
    /// For each subject and limit the instant at which the bucket will be full again.
    full_at: Mutex<HashMap<Subject, Vec<Timestamp>>>,
}

impl Throttle {
    /// For what `limits` allow; without any everything is admitted.
    pub(super) fn new(limits: Vec<RateLimit>) -> Self {
        Self {
            limits,
            full_at: Mutex::default(),
        }
    }

    /// For logins.
    pub(super) fn of_logins() -> Self {
        Self::new(vec![LOGINS])
    }

    /// Whether `subject` may ask once more at `now`; if so, it is counted.
    ///
    /// # Errors
    /// The instant at which it may.
    pub(super) fn admit(&self, subject: &Subject, now: Timestamp) -> Result<(), Timestamp> {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let current = all.get(subject);
        let mut next = Vec::with_capacity(self.limits.len());
        let mut wait_ms = 0;
        for (index, limit) in self.limits.iter().enumerate() {
            let full_at = current.and_then(|full_at| full_at.get(index)).copied();
            let period_ms = u64::try_from(limit.period.as_millis()).unwrap_or(u64::MAX);
            let after = full_at.unwrap_or(now).max(now).plus_ms(period_ms);
            let room_ms = period_ms.saturating_mul(u64::from(limit.requests));
            wait_ms = wait_ms.max(after.since_ms(now).saturating_sub(room_ms));
            next.push(after);
        }
        if wait_ms > 0 {
            return Err(now.plus_ms(wait_ms));
        }
        if all.len() >= SUBJECTS_MAX && !all.contains_key(subject) {
            all.retain(|_, full_at| full_at.iter().any(|full_at| *full_at > now));
            if all.len() >= SUBJECTS_MAX {
                all.clear();
            }
        }
        all.insert(subject.clone(), next);
        Ok(())
    }
}

impl App {
    /// Whether one more second factor may be given, by a user who is logged in or else by somebody at `address`. Users
    /// use up what their address has, but only the anonymous are held to that: nobody can keep others behind the same
    /// address out.
    ///
    /// # Errors
    /// The instant at which it may.
    pub fn admit_second_factor(
        &self,
        user: Option<&UserName>,
        address: std::net::IpAddr,
    ) -> Result<(), Timestamp> {
        let now = self.now();
        let of_place = self
            .second_factors
            .admit(&Subject::of_address(address), now);
        match user {
            Some(user) => {
                let user = Subject::SecondFactor(user.clone());
                self.second_factors.admit(&user, now)
            }
            None => of_place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Subject {
        Subject::of_address(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_gets_its_burst_then_one_per_refill_and_others_are_not_affected() {
        let throttle = Throttle::of_logins();
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        let now = Timestamp(1_000_000);
        let admitted = (0..130)
            .filter(|_| throttle.admit(&here, now).is_ok())
            .count();
        assert_eq!(admitted, 120);
        assert_eq!(throttle.admit(&there, now), Ok(()));
        assert_eq!(throttle.admit(&here, now.plus_ms(49)), Err(now.plus_ms(50)));
        assert_eq!(throttle.admit(&here, now.plus_ms(50)), Ok(()));
        assert!(throttle.admit(&here, now.plus_ms(50)).is_err());
    }

    #[test]
    fn every_limit_holds_and_the_longest_wait_is_told() {
        let limit = |requests, seconds| RateLimit {
            requests,
            period: Duration::from_secs(seconds),
        };
        let throttle = Throttle::new(vec![limit(2, 1), limit(3, 10)]);
        let (here, now) = (address("192.0.2.1"), Timestamp(0));
        assert_eq!(throttle.admit(&here, now), Ok(()));
        assert_eq!(throttle.admit(&here, now), Ok(()));
        assert_eq!(throttle.admit(&here, now), Err(Timestamp(1_000)));
        assert_eq!(throttle.admit(&here, Timestamp(1_000)), Ok(()));
        assert_eq!(
            throttle.admit(&here, Timestamp(2_000)),
            Err(Timestamp(10_000))
        );
        assert_eq!(throttle.admit(&here, Timestamp(10_000)), Ok(()));
        let unlimited = Throttle::new(Vec::new());
        assert!((0..1_000).all(|_| unlimited.admit(&here, now).is_ok()));
    }
}
