//! Second factors: what the cluster keeps of each user's authenticators, and which one-time passwords are used up.
//!
//! Secrets come sealed and are never opened here. A one-time password is accepted once (promise P4): what was used is
//! part of the replicated state, and [`Command::UseTotp`](crate::Command::UseTotp) compares and sets it in one step.
//!
//! Source: RFC 6238 §5.2 (a verifier must not accept the second attempt of a one-time password).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The hash function of a time-based one-time password. Source: RFC 6238 §1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TotpAlgorithm {
    /// HMAC-SHA-1, the only one that every authenticator app knows.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// A time-based one-time password device to be set up for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTotp {
    /// The secret, sealed for this user; opaque here, at most a few hundred bytes.
    pub sealed_secret: Vec<u8>,
    /// The hash function.
    pub algorithm: TotpAlgorithm,
    /// Digits of a password, 6 or 8.
    pub digits: u8,
    /// How long a password is valid, in seconds; at least 15.
    pub period_s: u32,
    /// Who the authenticator app says the password is for.
    pub issuer: String,
}

/// A user's time-based one-time password device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// As it was set up.
    pub device: NewTotp,
    /// Rises with every change of the user's device, so that a check against an older one is noticed.
    pub revision: u64,
    /// When it was set up, in replicated time.
    pub created_at: Timestamp,
    /// When a password of it was last accepted, in replicated time.
    pub last_used_at: Option<Timestamp>,
}

/// What the cluster keeps of one user's second factors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticators {
    /// The one-time password device, if there is one.
    pub totp: Option<Totp>,
    /// The revision of the newest device, also of one that was removed.
    pub(crate) revision: u64,
    /// The one-time passwords that were accepted. It outlives the device, so that removing and restoring a secret
    /// makes no password valid again.
    pub(crate) used: UsedPasswords,
}

/// Which one-time passwords of a user were accepted, by the second in which their period began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsedPasswords {
    /// Everything that began at or before this second counts as used.
    floor_s: u64,
    /// Used ones after `floor_s`, ascending; at most [`UsedPasswords::MAX`].
    after_floor_s: Vec<u64>,
}

impl UsedPasswords {
    /// More than can be valid at one moment with any sensible skew, so that nothing is forgotten that still counts.
    const MAX: usize = 16;

    /// Marks the password whose period began at `start_s` as used; false if it was already.
    pub(crate) fn mark(&mut self, start_s: u64) -> bool {
        // Second 0 is before any password, so the floor of a new user refuses nothing.
        if start_s <= self.floor_s {
            return false;
        }
        let Err(place) = self.after_floor_s.binary_search(&start_s) else {
            return false;
        };
        self.after_floor_s.insert(place, start_s);
        if self.after_floor_s.len() > Self::MAX {
            self.floor_s = self.after_floor_s.remove(0);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_used_once_in_any_order() {
        let mut used = UsedPasswords::default();
        for (start_s, is_new) in [
            (90, true),
            (60, true),
            (90, false),
            (60, false),
            (120, true),
        ] {
            assert_eq!(used.mark(start_s), is_new, "{start_s}");
        }
    }

    #[test]
    fn what_is_forgotten_counts_as_used() {
        let mut used = UsedPasswords::default();
        for step in 1..=100 {
            assert!(used.mark(step * 30));
        }
        assert_eq!(used.after_floor_s.len(), UsedPasswords::MAX);
        for step in 1..=100 {
            assert!(!used.mark(step * 30), "step {step}");
        }
        assert!(used.mark(101 * 30));
    }
}
