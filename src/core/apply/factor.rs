//! Second factors: set up, remove, use.

use crate::authenticator::{Authenticators, NewTotp, Totp};
use crate::command::TotpUse;
use crate::{Outcome, Rejection, Reply, State, UserName};

impl State {
    /// The new device takes the place of an older one.
    pub(super) fn set_totp(&mut self, user: &UserName, device: &NewTotp) -> Reply {
        let mut authenticators = self.authenticators(user);
        authenticators.revision = authenticators.revision.saturating_add(1);
        authenticators.totp = Some(Totp {
            device: device.clone(),
            revision: authenticators.revision,
            created_at: self.now(),
            last_used_at: None,
        });
        self.store_authenticators(user, authenticators);
        Reply::Done
    }

    pub(super) fn remove_totp(&mut self, user: &UserName) -> Reply {
        let mut authenticators = self.authenticators(user);
        if authenticators.totp.take().is_none() {
            return Reply::Rejected(Rejection::Missing);
        }
        authenticators.revision = authenticators.revision.saturating_add(1);
        self.store_authenticators(user, authenticators);
        Reply::Done
    }

    /// Whether the password was accepted decides how the guess is resolved; a password that was right and used before
    /// is no guess, so it does not count.
    pub(super) fn use_totp(&mut self, totp: &TotpUse) -> Reply {
        let accepted = self.accept_totp(totp);
        let outcome = match accepted {
            Ok(_) => Outcome::Right,
            Err(_) => Outcome::NotChecked,
        };
        self.resolve(totp.reservation, &totp.subjects, outcome, &totp.budget);
        let authenticators = match accepted {
            Ok(authenticators) => authenticators,
            Err(rejection) => return Reply::Rejected(rejection),
        };
        let reply = self.open_session(totp.key, Some(totp.replaces), &totp.session, totp.epoch);
        if reply == Reply::Done {
            self.store_authenticators(&totp.session.user, authenticators);
        }
        reply
    }

    /// The user's authenticators with the password marked as used. The session that takes the second factor must still
    /// be there: it may have been ended while the password was checked.
    fn accept_totp(&self, totp: &TotpUse) -> Result<Authenticators, Rejection> {
        let user = &totp.session.user;
        let now = self.now();
        let is_logged_in = self
            .reader
            .sessions
            .get(&totp.replaces)
            .is_some_and(|old| old.user == *user && old.is_live(now));
        let mut authenticators = self.authenticators(user);
        let device = authenticators.totp.as_mut();
        let Some(device) = device.filter(|device| device.revision == totp.revision) else {
            return Err(Rejection::Outdated);
        };
        if !is_logged_in {
            return Err(Rejection::Outdated);
        }
        device.last_used_at = Some(now);
        let is_new = authenticators.used.mark(totp.start_s);
        if is_new || totp.may_repeat {
            Ok(authenticators)
        } else {
            Err(Rejection::Used)
        }
    }

    fn authenticators(&self, user: &UserName) -> Authenticators {
        self.reader
            .authenticators
            .get(user)
            .map(|found| (*found).clone())
            .unwrap_or_default()
    }

    fn store_authenticators(&mut self, user: &UserName, authenticators: Authenticators) {
        self.reader
            .authenticators
            .insert(user.clone(), authenticators);
    }
}
