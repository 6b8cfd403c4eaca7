//! How much one subject may ask for on this node, before anything reaches Raft or argon2 (promise P7).
//!
//! Token buckets in memory. They are no guess budget (that one is replicated and exact); they keep a flood from one place
//! from filling the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use quorate_core::{Subject, Timestamp, UserName};

use super::App;
use crate::config::RateLimit;

/// What logins of one address are bounded by: 120 at once, then 20 per second.
const LOGINS: RateLimit = RateLimit {
    requests: 120,
    period: Duration::from_millis(50),
};
/// Subjects of one kind remembered; when there are more, all with full buckets are forgotten, and if there is none, all.
const SUBJECTS_MAX: usize = 20_000;

/// For each subject and limit the instant at which the bucket will be full again.
type Buckets = Mutex<HashMap<Subject, Vec<Instant>>>;

/// The buckets of all subjects seen lately. Every limit has a bucket of its own, and all must have something left.
#[derive(Debug)]
pub(super) struct Throttle {
    limits: Vec<RateLimit>,
    /// Apart from those of users: whoever has many addresses cannot have users forgotten.
    addresses: Buckets,
    users: Buckets,
}

impl Throttle {
    /// For what `limits` allow; without any everything is admitted.
    pub(super) fn new(limits: Vec<RateLimit>) -> Self {
        Self {
            limits,
            addresses: Buckets::default(),
            users: Buckets::default(),
        }
    }

    /// For logins.
    pub(super) fn of_logins() -> Self {
        Self::new(vec![LOGINS])
    }

    /// Whether `subject` may ask once more; if so, it is counted. `now` is what the wait is told by; a wall clock that
    /// is set changes no wait.
    ///
    /// # Errors
    /// The instant at which it may.
    pub(super) fn admit(&self, subject: &Subject, now: Timestamp) -> Result<(), Timestamp> {
        self.admit_at(subject, Instant::now()).map_err(|wait| {
            let wait_ms = wait.as_micros().div_ceil(1_000);
            now.plus_ms(u64::try_from(wait_ms).unwrap_or(u64::MAX))
        })
    }

    /// Whether `subject` may ask once more at `now`; if so, it is counted.
    ///
    /// # Errors
    /// How long it must wait.
    fn admit_at(&self, subject: &Subject, now: Instant) -> Result<(), Duration> {
        let buckets = match subject {
            Subject::Address(_) => &self.addresses,
            Subject::User(_) | Subject::SecondFactor(_) => &self.users,
        };
        let mut all = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let current = all.get(subject);
        let mut next = Vec::with_capacity(self.limits.len());
        let mut wait = Duration::ZERO;
        for (index, limit) in self.limits.iter().enumerate() {
            let full_at = current.and_then(|full_at| full_at.get(index)).copied();
            let full_in = full_at
                .unwrap_or(now)
                .saturating_duration_since(now)
                .saturating_add(limit.period);
            wait = wait.max(full_in.saturating_sub(limit.period.saturating_mul(limit.requests)));
            // Past the end of the clock nobody is held to anything.
            next.push(now.checked_add(full_in).unwrap_or(now));
        }
        if !wait.is_zero() {
            return Err(wait);
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

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn an_address_gets_its_burst_then_one_per_refill_and_others_are_not_affected() {
        let throttle = Throttle::of_logins();
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        let now = Instant::now();
        let admitted = (0..130)
            .filter(|_| throttle.admit_at(&here, now).is_ok())
            .count();
        assert_eq!(admitted, 120);
        assert_eq!(throttle.admit_at(&there, now), Ok(()));
        assert_eq!(throttle.admit_at(&here, now + ms(49)), Err(ms(1)));
        assert_eq!(throttle.admit_at(&here, now + ms(50)), Ok(()));
        assert!(throttle.admit_at(&here, now + ms(50)).is_err());
    }

    #[test]
    fn every_limit_holds_and_the_longest_wait_is_told() {
        let limit = |requests, seconds| RateLimit {
            requests,
            period: Duration::from_secs(seconds),
        };
        let throttle = Throttle::new(vec![limit(2, 1), limit(3, 10)]);
        let (here, now) = (address("192.0.2.1"), Instant::now());
        assert_eq!(throttle.admit_at(&here, now), Ok(()));
        assert_eq!(throttle.admit_at(&here, now), Ok(()));
        assert_eq!(throttle.admit_at(&here, now), Err(ms(1_000)));
        assert_eq!(throttle.admit_at(&here, now + ms(1_000)), Ok(()));
        assert_eq!(throttle.admit_at(&here, now + ms(2_000)), Err(ms(8_000)));
        assert_eq!(throttle.admit_at(&here, now + ms(10_000)), Ok(()));
        let unlimited = Throttle::new(Vec::new());
        assert!((0..1_000).all(|_| unlimited.admit_at(&here, now).is_ok()));
    }

    #[test]
    fn a_wall_clock_that_is_set_lets_nobody_in() {
        let throttle = Throttle::new(vec![RateLimit {
            requests: 1,
            period: Duration::from_secs(3_600),
        }]);
        let here = address("192.0.2.1");
        assert_eq!(throttle.admit(&here, Timestamp(0)), Ok(()));
        let later = Timestamp(7_200_000);
        let until = throttle.admit(&here, later).expect_err("not yet");
        assert!(until > later && until <= later.plus_ms(3_600_000));
    }

    #[test]
    fn many_addresses_do_not_have_a_user_forgotten() {
        let throttle = Throttle::of_logins();
        let user = Subject::SecondFactor(UserName::parse("john").expect("a name"));
        let now = Instant::now();
        while throttle.admit_at(&user, now).is_ok() {}
        for number in 0..=u32::try_from(SUBJECTS_MAX).expect("few") {
            let address = std::net::Ipv4Addr::from(number);
            let _ = throttle.admit_at(&Subject::of_address(address.into()), now);
        }
        assert!(throttle.admit_at(&user, now).is_err());
    }
}
