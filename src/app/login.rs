//! The first factor: reserve a guess, check the password, open a session (promise P3).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate_core::{
    Account, Command, Level, NewSession, Outcome, PasswordHash, Rejection, Reply, ReservationId,
    SessionKey, Subject, UserName,
};
use quorate_raft::ProposeError;
use zeroize::Zeroizing;

use super::App;
use super::session::Authenticated;
use super::token::Secret;
use crate::config::CookieDomain;
use crate::metrics::Factor;
use crate::random;

/// How long a login waits for other guesses at the same account to be resolved: less than the time the proxies of
/// `deploy/` give a login, and enough for fifty at once on two cores.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// How often it looks at this node's copy of the state meanwhile.
const SETTLED_POLL: Duration = Duration::from_millis(10);

const QUEUE_FULL: &str = "the queue of password checks is full";

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
    pub user: Arc<Account>,
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
pub(super) struct Reserved {
    pub(super) id: ReservationId,
    pub(super) subjects: Vec<Subject>,
    pub(super) epoch: u64,
}

impl App {
    /// Checks name and password and opens a session. A refusal takes as long whatever its cause.
    ///
    /// # Errors
    /// [`LoginError`]; a failed guess has been counted by a majority of the voters when `Refused` is returned.
    pub async fn log_in(&self, attempt: Attempt<'_>) -> Result<Opened, LoginError> {
        let started = Instant::now();
        let result = self.try_log_in(&attempt).await;
        self.metrics
            .login(Factor::Password, &result, started.elapsed());
        self.log_attempt(&attempt, &result);
        if let Err(LoginError::Refused(_)) = &result {
            self.hold_refusal(started).await;
        }
        result
    }

    /// One line for each try. A name that nobody has is not written down: people type passwords into the wrong field.
    fn log_attempt(&self, attempt: &Attempt<'_>, result: &Result<Opened, LoginError>) {
        let (address, domain) = (attempt.address, attempt.domain.domain.as_str());
        let user = self.user(attempt.username);
        let user = user.as_ref().map(|user| user.name.as_str());
        match result {
            Ok(_) => tracing::info!(user, %address, domain, "logged in"),
            Err(LoginError::Refused(cause)) => {
                tracing::info!(cause, user, %address, domain, "login refused");
            }
            Err(error) => tracing::warn!(%error, user, %address, domain, "login not possible"),
        }
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
    ) -> Result<Arc<Account>, LoginError> {
        let started = Instant::now();
        let result = self.try_credentials(username, &password, address).await;
        self.metrics
            .login(Factor::Header, &result, started.elapsed());
        result
    }

    async fn try_credentials(
        &self,
        username: &str,
        password: &Zeroizing<String>,
        address: IpAddr,
    ) -> Result<Arc<Account>, LoginError> {
        let (user, reserved) = self.guess(username, password, address).await?;
        self.resolve(&reserved, Outcome::Right).await?;
        // No session is opened, which would notice a change, so what was checked is looked at again; where nothing had
        // to be resolved, this node's memory may be old.
        if reserved.subjects.is_empty() {
            self.node.read_index().await?;
        }
        match self.user(username) {
            Some(now) if now.name == user.name && now.password == user.password => Ok(now),
            _ => Err(LoginError::Refused("the user changed meanwhile")),
        }
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
        let started = Instant::now();
        let result = self.try_again(who, &password, address, domain).await;
        self.metrics
            .login(Factor::Password, &result, started.elapsed());
        result
    }

    async fn try_again(
        &self,
        who: &Authenticated,
        password: &Zeroizing<String>,
        address: IpAddr,
        domain: &CookieDomain,
    ) -> Result<Opened, LoginError> {
        let (user, reserved) = self
            .guess(who.user.name.as_str(), password, address)
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
        user: Arc<Account>,
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
    ) -> Result<(Arc<Account>, Reserved), LoginError> {
        let place = Subject::of_address(address);
        if self.throttle.admit(&place, self.now()).is_err() {
            return Err(LoginError::Busy("too many logins from this address"));
        }
        let (user, reserved) = match self.reserve_for(username, place).await {
            Err(refused @ LoginError::Refused(_)) => {
                let waited = self.passwords.wait_like_a_check().await;
                return Err(waited.map_or(LoginError::Busy(QUEUE_FULL), |()| refused));
            }
            found => found?,
        };
        let hash = user.as_ref().and_then(|user| user.password.as_ref());
        let hash = hash.map_or_else(|| Arc::clone(&self.decoy), PasswordHash::phc);
        let started = Instant::now();
        let Ok(matches) = self.passwords.check(password.clone(), hash).await else {
            self.resolve(&reserved, Outcome::NotChecked).await?;
            return Err(LoginError::Busy(QUEUE_FULL));
        };
        self.pace.record(started.elapsed());
        match user {
            Some(user) if matches => Ok((user, reserved)),
            user => {
                self.resolve(&reserved, Outcome::Wrong).await?;
                Err(LoginError::Refused(match user {
                    Some(user) if user.password.is_none() => "the user has no password",
                    Some(_) => "wrong password",
                    None => "unknown or disabled user",
                }))
            }
        }
    }

    /// Whose budget a guess at a password is charged to.
    pub(super) fn subjects(&self, user: Option<&UserName>, place: Subject) -> Vec<Subject> {
        let regulation = &self.config.regulation;
        let mut subjects = Vec::new();
        if regulation.max_retries > 0 {
            subjects.extend(
                user.filter(|_| regulation.modes.user)
                    .map(|user| Subject::User(user.clone())),
            );
            subjects.extend(regulation.modes.address.then_some(place));
        }
        subjects
    }

    /// Reserves a guess; waits in line where the budget is used up by guesses that are still open.
    pub(super) async fn reserve(
        &self,
        user: Option<&UserName>,
        subjects: Vec<Subject>,
    ) -> Result<Reserved, LoginError> {
        let give_up = Instant::now() + BUSY_WAIT;
        let mut turn = None;
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
                    self.metrics.reservation("reserved");
                    return Ok(Reserved {
                        id,
                        subjects,
                        epoch,
                    });
                }
                Reply::Rejected(Rejection::Busy) if Instant::now() < give_up => {
                    if turn.is_none() {
                        turn = self.line.turn(&subjects, give_up).await;
                    }
                    self.settled(&subjects, give_up).await;
                }
                Reply::Rejected(Rejection::Banned { .. }) => {
                    self.metrics.reservation("banned");
                    return Err(LoginError::Refused("banned"));
                }
                _ => {
                    self.metrics.reservation("exhausted");
                    return Err(LoginError::Refused(
                        "every guess that is left is being checked",
                    ));
                }
            }
        }
    }

    /// Waits until this node's copy of the state shows that asking for a guess again is worth a replicated write.
    async fn settled(&self, subjects: &[Subject], give_up: Instant) {
        let budget = self.budget();
        let is_settled = |subject| self.node.reader().is_settled(subject, &budget, self.now());
        loop {
            tokio::time::sleep(SETTLED_POLL).await;
            if subjects.iter().all(is_settled) || Instant::now() >= give_up {
                return;
            }
        }
    }

    pub(super) async fn resolve(
        &self,
        reserved: &Reserved,
        outcome: Outcome,
    ) -> Result<(), ProposeError> {
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
