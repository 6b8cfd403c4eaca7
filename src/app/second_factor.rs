//! The second factor: reserve a guess, check the one-time password, raise the session (promises P3 and P4).

use std::net::IpAddr;
use std::time::Instant;

use quorate_core::{
    Command, Level, NewSession, Outcome, Rejection, Reply, Subject, Totp, TotpUse, UserName,
};

use super::App;
use super::login::{LoginError, Opened, Reserved};
use super::session::Authenticated;
use super::token::Secret;
use crate::authn::totp::matching_period;
use crate::config::CookieDomain;
use crate::metrics;
use crate::random;

impl App {
    /// The user's one-time password device, as this node knows it; `None` if there is none or none may be used.
    #[must_use]
    pub fn totp(&self, user: &UserName) -> Option<Totp> {
        if self.config.totp.is_disabled {
            return None;
        }
        self.node.reader().authenticators(user)?.totp.clone()
    }

    /// The kinds of second factor that this portal asks for, as the API names them: none where no rule needs one.
    #[must_use]
    pub fn available_factors(&self) -> &'static [&'static str] {
        if self.config.totp.is_disabled || !self.access().policy.needs_two_factor_anywhere() {
            return &[];
        }
        &["totp"]
    }

    /// Checks a one-time password of who is logged in and opens a session of two factors in place of the old one. The
    /// password is accepted once in the whole cluster.
    ///
    /// # Errors
    /// [`LoginError`]; a wrong password has been counted by a majority of the voters when `Refused` is returned.
    pub async fn use_totp(
        &self,
        who: &Authenticated,
        password: &str,
        address: IpAddr,
        domain: &CookieDomain,
    ) -> Result<Opened, LoginError> {
        let started = Instant::now();
        let result = self.try_totp(who, password, address, domain).await;
        self.metrics
            .login(metrics::Factor::Totp, &result, started.elapsed());
        match &result {
            Ok(_) => {
                tracing::info!(user = who.user.name.as_str(), address = %address, "one-time password accepted")
            }
            Err(LoginError::Refused(cause)) => {
                tracing::info!(cause, user = who.user.name.as_str(), address = %address, "one-time password refused");
            }
            Err(_) => {}
        }
        result
    }

    async fn try_totp(
        &self,
        who: &Authenticated,
        password: &str,
        address: IpAddr,
        domain: &CookieDomain,
    ) -> Result<Opened, LoginError> {
        let place = Subject::of_address(address);
        if self.throttle.admit(&place, self.now()).is_err() {
            return Err(LoginError::Busy("too many guesses from this address"));
        }
        // A device that another node has just answered for is known here after this.
        self.node.read_index().await?;
        let user = &who.user.name;
        let Some(totp) = self.totp(user) else {
            return Err(LoginError::Refused("no one-time password is set up"));
        };
        let subjects = self.second_factor_subjects(user, place);
        let reserved = self.reserve(Some(user), subjects).await?;
        let secret = match self.sealer.open(&totp.device.sealed_secret, user.as_str()) {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(user = user.as_str(), %error, "a one-time password cannot be checked");
                self.resolve(&reserved, Outcome::NotChecked).await?;
                return Err(LoginError::Busy("the secret cannot be opened"));
            }
        };
        let now_s = self.now().0 / 1000;
        let skew = self.config.totp.skew;
        match matching_period(&totp.device, &secret, password, skew, now_s) {
            Some(start_s) => {
                self.open_two_factor(who, &totp, reserved, start_s, domain)
                    .await
            }
            None => {
                self.resolve(&reserved, Outcome::Wrong).await?;
                Err(LoginError::Refused("wrong one-time password"))
            }
        }
    }

    /// Whose budget a guess at a second factor is charged to. The user's always: an attacker who is here knows the
    /// password.
    fn second_factor_subjects(&self, user: &UserName, place: Subject) -> Vec<Subject> {
        let regulation = &self.config.regulation;
        if regulation.max_retries == 0 {
            return Vec::new();
        }
        let mut subjects = vec![Subject::SecondFactor(user.clone())];
        subjects.extend(regulation.modes.address.then_some(place));
        subjects
    }

    async fn open_two_factor(
        &self,
        who: &Authenticated,
        totp: &Totp,
        reserved: Reserved,
        start_s: u64,
        domain: &CookieDomain,
    ) -> Result<Opened, LoginError> {
        let secret = Secret::new(random::bytes());
        let key = secret.key();
        let session = NewSession {
            user: who.user.name.clone(),
            domain: domain.domain.clone(),
            level: Level::TwoFactor,
            lifetime_ms: who.session.expires_at.since_ms(who.session.opened_at),
            inactivity_ms: who.session.inactivity_ms,
        };
        let lifetime = std::time::Duration::from_millis(session.lifetime_ms);
        let command = Command::UseTotp(TotpUse {
            key,
            replaces: who.key,
            session,
            reservation: reserved.id,
            subjects: reserved.subjects,
            budget: self.budget(),
            epoch: reserved.epoch,
            revision: totp.revision,
            start_s,
            may_repeat: self.config.totp.may_repeat,
        });
        let committed = self.propose(command).await?;
        match committed.reply {
            Reply::Rejected(Rejection::Used) => {
                Err(LoginError::Refused("the one-time password was used before"))
            }
            Reply::Rejected(_) => Err(LoginError::Refused(
                "the session or the device changed meanwhile",
            )),
            _ => Ok(Opened {
                key,
                token: secret.into_token(committed.index),
                lifetime,
                level: Level::TwoFactor,
                user: std::sync::Arc::clone(&who.user),
            }),
        }
    }
}
