//! The guess budget (promise P3): how many guesses are open, how many have failed, and whether that is enough.
//!
//! Pure arithmetic on one subject's record. A guess is *reserved* before the password is looked at, so at most
//! [`Budget::guesses_max`] are ever begun per window, however parallel they come and on however many nodes.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{Budget, Outcome, Rejection, ReservationId, Timestamp, UserName};

/// Whose guesses are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// Guesses at one user's credentials.
    User(UserName),
    /// Guesses from one address; build it with [`Subject::of_address`].
    Address(IpAddr),
    /// Guesses at one user's second factor. Counted apart: else whoever knows the password could have the failures
    /// forgiven by logging in again, and guess for ever.
    SecondFactor(UserName),
}

impl Subject {
    /// The subject an address belongs to: itself for IPv4, its /64 for IPv6, and an IPv4-mapped IPv6 address is its
    /// IPv4 address. One customer of an IPv6 network has 2⁶⁴ addresses, which must not be 2⁶⁴ budgets.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self::Address(v4),
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & (u128::MAX << 64);
                Self::Address(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
        }
    }
}

/// One reserved guess that has not been resolved yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    reservation: ReservationId,
    /// When it counts as a failure.
    expires_at: Timestamp,
}

/// What is known of one subject's guesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// When each counted guess failed, oldest first; at most the budget's guesses.
    failed_at: Vec<Timestamp>,
    /// The guesses that are being checked; at most the budget's guesses.
    open: Vec<Open>,
    /// The end of the current ban.
    banned_until: Option<Timestamp>,
}

impl Attempts {
    /// The end of the ban that holds at `now`, if one does.
    #[must_use]
    pub fn ban(&self, now: Timestamp) -> Option<Timestamp> {
        self.banned_until.filter(|until| now < *until)
    }

    /// Whether the record says anything more at `now`; if not, it can be dropped.
    #[must_use]
    pub fn is_empty(&self, budget: &Budget, now: Timestamp) -> bool {
        let mut current = self.clone();
        current.advance(budget, now);
        current == Self::default()
    }

    /// Whether one more guess may begin.
    ///
    /// # Errors
    /// [`Rejection::Banned`] during a ban, [`Rejection::Busy`] when open guesses use up what failures have left.
    pub(crate) fn check(&mut self, budget: &Budget, now: Timestamp) -> Result<(), Rejection> {
        self.advance(budget, now);
        if let Some(until) = self.ban(now) {
            return Err(Rejection::Banned { until });
        }
        if self.failed_at.len() + self.open.len() >= budget.guesses_max as usize {
            return Err(Rejection::Busy);
        }
        Ok(())
    }

    /// Begin a guess. [`Attempts::check`] has allowed it for every subject of the guess.
    pub(crate) fn reserve(&mut self, reservation: ReservationId, budget: &Budget, now: Timestamp) {
        let expires_at = now.plus_ms(budget.reservation_ms);
        self.open.push(Open {
            reservation,
            expires_at,
        });
    }

    /// End a guess. One that has expired has been counted already and changes nothing, unless it was right.
    pub(crate) fn resolve(
        &mut self,
        reservation: ReservationId,
        outcome: Outcome,
        budget: &Budget,
        now: Timestamp,
    ) {
        self.advance(budget, now);
        let open_before = self.open.len();
        self.open.retain(|open| open.reservation != reservation);
        if outcome == Outcome::Wrong && self.open.len() < open_before {
            self.fail(now, budget);
        }
    }

    /// Forget the failures after a right guess. A ban that holds stays.
    pub(crate) fn forgive(&mut self) {
        self.failed_at.clear();
    }

    /// Ban until `until`, whatever was counted. A longer ban that holds already is shortened to it.
    pub(crate) fn ban_until(&mut self, until: Timestamp) {
        self.banned_until = Some(until);
    }

    /// Forget the ban and the failures.
    pub(crate) fn lift(&mut self) {
        self.banned_until = None;
        self.failed_at.clear();
    }

    /// Bring the record up to `now`: expired guesses become failures, old failures and an ended ban are forgotten.
    pub(crate) fn advance(&mut self, budget: &Budget, now: Timestamp) {
        let (expired, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open| open.expires_at <= now);
        self.open = open;
        let mut expired: Vec<Open> = expired;
        expired.sort_by_key(|open| open.expires_at);
        for guess in expired {
            self.fail(guess.expires_at, budget);
        }
        let window_start = now.minus_ms(budget.window_ms);
        self.failed_at.retain(|failed_at| *failed_at > window_start);
        self.banned_until = self.ban(now);
    }

    /// Count a failure at `at`; the one that fills the budget bans and starts a new count.
    fn fail(&mut self, at: Timestamp, budget: &Budget) {
        let window_start = at.minus_ms(budget.window_ms);
        self.failed_at.retain(|failed_at| *failed_at > window_start);
        self.failed_at.push(at);
        if self.failed_at.len() >= budget.guesses_max as usize {
            self.failed_at.clear();
            self.banned_until = self.banned_until.max(Some(at.plus_ms(budget.ban_ms)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    const BUDGET: Budget = Budget {
        guesses_max: 3,
        window_ms: 120_000,
        ban_ms: 300_000,
        reservation_ms: 10_000,
    };
    const START: Timestamp = Timestamp(1_000_000);

    fn begin(attempts: &mut Attempts, id: u128, now: Timestamp) -> Result<(), Rejection> {
        attempts.check(&BUDGET, now)?;
        attempts.reserve(ReservationId(id), &BUDGET, now);
        Ok(())
    }

    fn end(attempts: &mut Attempts, id: u128, outcome: Outcome, now: Timestamp) {
        attempts.resolve(ReservationId(id), outcome, &BUDGET, now);
    }

    #[test]
    fn a_fourth_parallel_guess_has_to_wait() {
        let mut attempts = Attempts::default();
        for id in 0..3 {
            begin(&mut attempts, id, START).unwrap();
        }
        assert_eq!(begin(&mut attempts, 3, START), Err(Rejection::Busy));
        end(&mut attempts, 0, Outcome::NotChecked, START);
        assert_eq!(begin(&mut attempts, 3, START), Ok(()));
    }

    #[test]
    fn the_failure_that_fills_the_budget_bans_until_ban_time_after_it() {
        let mut attempts = Attempts::default();
        for id in 0..3 {
            begin(&mut attempts, id, START).unwrap();
            end(&mut attempts, id, Outcome::Wrong, START.plus_ms(id as u64));
        }
        let until = START.plus_ms(2 + BUDGET.ban_ms);
        assert_eq!(
            begin(&mut attempts, 9, START.plus_ms(3)),
            Err(Rejection::Banned { until })
        );
        assert_eq!(
            begin(&mut attempts, 9, until.minus_ms(1)),
            Err(Rejection::Banned { until })
        );
        assert_eq!(begin(&mut attempts, 9, until), Ok(()));
    }

    #[test]
    fn a_guess_that_is_never_resolved_counts_as_a_failure_when_it_expires() {
        let mut attempts = Attempts::default();
        for id in 0..3 {
            begin(&mut attempts, id, START).unwrap();
        }
        let expired_at = START.plus_ms(BUDGET.reservation_ms);
        let until = expired_at.plus_ms(BUDGET.ban_ms);
        assert_eq!(
            begin(&mut attempts, 3, expired_at),
            Err(Rejection::Banned { until })
        );
        end(&mut attempts, 0, Outcome::Wrong, expired_at);
        assert_eq!(
            attempts.ban(expired_at),
            Some(until),
            "a late outcome is not counted twice"
        );
    }

    #[test]
    fn failures_older_than_the_window_do_not_count() {
        let mut attempts = Attempts::default();
        for id in 0..2 {
            begin(&mut attempts, id, START).unwrap();
            end(&mut attempts, id, Outcome::Wrong, START);
        }
        let later = START.plus_ms(BUDGET.window_ms);
        for id in 2..4 {
            begin(&mut attempts, id, later).unwrap();
            end(&mut attempts, id, Outcome::Wrong, later);
        }
        assert_eq!(attempts.ban(later), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_subject_and_mapped_ones_are_ipv4() {
        let subject = |text: &str| Subject::of_address(text.parse().unwrap());
        assert_eq!(subject("2001:db8::1"), subject("2001:db8::ffff:1"));
        assert_ne!(subject("2001:db8::1"), subject("2001:db8:0:1::1"));
        assert_eq!(subject("::ffff:192.0.2.7"), subject("192.0.2.7"));
        assert_ne!(subject("192.0.2.7"), subject("192.0.2.8"));
    }
}
