//! The first factor: reserve a guess, check the password, open a session (promise P3).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate_core::{
    Command, Level, NewSession, Outcome, Rejection, Reply, ReservationId, SessionKey, Subject,
    UserName,
};
use quorate_raft::ProposeError;
use zeroize::Zeroizing;

use super::App;
use super::session::Authenticated;
use super::token::Secret;
use crate::authn::file::UserEntry;
use crate::config::CookieDomain;
use crate::random;

/// How long a login waits for other guesses at the same account to be resolved.
const BUSY_WAIT: Duration = Duration::from_secs(3);
/// How often it asks again meanwhile.
const BUSY_RETRY: Duration = Duration::from_millis(40);

/// One try to log in.
pub struct Attempt<'a> {
    /// The name as typed.
    pub username: &'a str,
    /// The password as typed.
    pub password: Zeroizing<String>,
    /// Whether the visitor wants to be remembered.
    pub remember: bool,
    /// Where the try comes from.
    pub address: IpAddr,
    /// The cookie domain the session is for.
    pub domain: &'a CookieDomain,
    /// The session the browser already has, if any; a login takes its place.
    pub replaces: Option<SessionKey>,
}

/// A login that worked.
#[derive(Debug)]
pub struct Opened {
    /// What the cluster knows the session by.
    pub key: SessionKey,
    /// The value for the session cookie.
    pub token: String,
    /// How long the cookie should live.
    pub lifetime: Duration,
    /// How far the visitor has proven who they are.
    pub level: Level,
    /// Who logged in.
    pub user: Arc<UserEntry>,
}

/// Why a login did not work. Visitors are told no more than the variant.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong in some way that is nobody's business: password, name, ban.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// Nobody can log in here just now, or not from this address at this rate.
    #[error("too many logins at once: {0}")]
    Busy(&'static str),
    /// The cluster did not answer.
    #[error("the cluster did not answer")]
    Unavailable(#[from] ProposeError),
}

/// A guess that may be made.
struct Reserved {
    id: ReservationId,
    subjects: Vec<Subject>,
    epoch: u64,
}

impl App {
    /// Checks name and password and opens a session. A refusal takes as long whatever its cause.
    ///
    /// # Errors
    /// [`LoginError`]; a failed guess has been counted by a majority of the voters when `Refused` is returned.
    pub async fn log_in(&self, attempt: Attempt<'_>) -> Result<Opened, LoginError> {
        let started = Instant::now();
        let result = self.try_log_in(&attempt).await;
        self.metrics.login(&result);
        if let Err(LoginError::Refused(cause)) = &result {
            tracing::info!(cause, address = %attempt.address, domain = attempt.domain.domain, "login refused");
            self.hold_refusal(started).await;
        }
        result
    }

    /// Whether the name and password belong together, under the same budget as a login, without opening a session.
    ///
    /// # Errors
    /// As [`App::log_in`].
    pub async fn check_credentials(
        &self,
        username: &str,
        password: Zeroizing<String>,
        address: IpAddr,
    ) -> Result<Arc<UserEntry>, LoginError> {
        let (user, reserved) = self.guess(username, &password, address).await?;
        self.resolve(&reserved, Outcome::Right).await?;
        Ok(user)
    }

    /// Checks the password of who is logged in, and opens a session of the same level in place of the old one.
    ///
    /// # Errors
    /// As [`App::log_in`].
    pub async fn reauthenticate(
        &self,
        who: &Authenticated,
        password: Zeroizing<String>,
        address: IpAddr,
        domain: &CookieDomain,
    ) -> Result<Opened, LoginError> {
        let (user, reserved) = self
            .guess(who.user.name.as_str(), &password, address)
            .await?;
        let session = NewSession {
            user: user.name.clone(),
            domain: domain.domain.clone(),
            level: who.session.level,
            lifetime_ms: who.session.expires_at.since_ms(who.session.opened_at),
            inactivity_ms: who.session.inactivity_ms,
        };
        self.open(user, reserved, session, Some(who.key)).await
    }

    async fn try_log_in(&self, attempt: &Attempt<'_>) -> Result<Opened, LoginError> {
        let (user, reserved) = self
            .guess(attempt.username, &attempt.password, attempt.address)
            .await?;
        let lifetime = match attempt.domain.remember_me {
            Some(remember_me) if attempt.remember => remember_me,
            _ => attempt.domain.expiration,
        };
        let remembered = attempt.remember && attempt.domain.remember_me.is_some();
        let inactivity = attempt.domain.inactivity;
        let session = NewSession {
            user: user.name.clone(),
            domain: attempt.domain.domain.clone(),
            level: Level::OneFactor,
            lifetime_ms: ms(lifetime),
            inactivity_ms: (!remembered && !inactivity.is_zero()).then(|| ms(inactivity)),
        };
        self.open(user, reserved, session, attempt.replaces).await
    }

    /// Opens a session for a right guess, which is resolved by the same command.
    async fn open(
        &self,
        user: Arc<UserEntry>,
        reserved: Reserved,
        session: NewSession,
        replaces: Option<SessionKey>,
    ) -> Result<Opened, LoginError> {
        let secret = Secret::new(random::bytes());
        let key = secret.key();
        let lifetime = Duration::from_millis(session.lifetime_ms);
        let level = session.level;
        let command = Command::OpenSession {
            key,
            replaces,
            session,
            reservation: reserved.id,
            subjects: reserved.subjects,
            budget: self.budget(),
            epoch: reserved.epoch,
        };
        let committed = self.propose(command).await?;
        match committed.reply {
            Reply::Rejected(_) => Err(LoginError::Refused("the user changed meanwhile")),
            _ => {
                let token = secret.into_token(committed.index);
                Ok(Opened {
                    key,
                    token,
                    lifetime,
                    level,
                    user,
                })
            }
        }
    }

    /// One guess, reserved before the password is looked at. On success it is still open: the caller resolves it.
    async fn guess(
        &self,
        username: &str,
        password: &Zeroizing<String>,
        address: IpAddr,
    ) -> Result<(Arc<UserEntry>, Reserved), LoginError> {
        let place = Subject::of_address(address);
        if !self.throttle.admit(&place, self.now()) {
            return Err(LoginError::Busy("too many logins from this address"));
        }
        let user = self.users.enabled(username);
        let reserved = self
            .reserve(user.as_ref().map(|user| &user.name), place)
            .await?;
        let hash = user
            .as_ref()
            .map_or_else(|| Arc::clone(&self.decoy), |user| user.password.phc());
        let started = Instant::now();
        let Ok(matches) = self.passwords.check(password.clone(), hash).await else {
            self.resolve(&reserved, Outcome::NotChecked).await?;
            return Err(LoginError::Busy("the queue of password checks is full"));
        };
        self.pace.record(started.elapsed());
        match user {
            Some(user) if matches => Ok((user, reserved)),
            user => {
                self.resolve(&reserved, Outcome::Wrong).await?;
                Err(LoginError::Refused(if user.is_some() {
                    "wrong password"
                } else {
                    "unknown or disabled user"
                }))
            }
        }
    }

    /// Reserves a guess; waits a little where the budget is used up by guesses that are still open.
    async fn reserve(
        &self,
        user: Option<&UserName>,
        place: Subject,
    ) -> Result<Reserved, LoginError> {
        let regulation = &self.config.regulation;
        let mut subjects = Vec::new();
        if regulation.max_retries > 0 {
            subjects.extend(
                user.filter(|_| regulation.modes.user)
                    .map(|user| Subject::User(user.clone())),
            );
            subjects.extend(regulation.modes.address.then_some(place));
        }
        let give_up = Instant::now() + BUSY_WAIT;
        loop {
            let id = random::reservation_id();
            let (user, budget) = (user.cloned(), self.budget());
            let command = Command::Reserve {
                reservation: id,
                user,
                subjects: subjects.clone(),
                budget,
            };
            match self.propose(command).await?.reply {
                Reply::Reserved { epoch } => {
                    return Ok(Reserved {
                        id,
                        subjects,
                        epoch,
                    });
                }
                Reply::Rejected(Rejection::Busy) if Instant::now() < give_up => {
                    tokio::time::sleep(BUSY_RETRY).await;
                }
                Reply::Rejected(Rejection::Banned { .. }) => {
                    return Err(LoginError::Refused("banned"));
                }
                _ => {
                    return Err(LoginError::Refused(
                        "every guess that is left is being checked",
                    ));
                }
            }
        }
    }

    async fn resolve(&self, reserved: &Reserved, outcome: Outcome) -> Result<(), ProposeError> {
        if reserved.subjects.is_empty() {
            return Ok(());
        }
        let (reservation, subjects) = (reserved.id, reserved.subjects.clone());
        self.propose(Command::Resolve {
            reservation,
            subjects,
            budget: self.budget(),
            outcome,
        })
        .await
        .map(|_| ())
    }

    /// Waits until a refusal that began at `started` has taken as long as any other.
    pub async fn hold_refusal(&self, started: Instant) {
        let random = u16::from_le_bytes(random::bytes());
        tokio::time::sleep(self.pace.remaining(started.elapsed(), random)).await;
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
