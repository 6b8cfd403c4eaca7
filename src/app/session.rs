//! From a cookie to whoever stands behind it, at the moment of the answer.

use std::sync::Arc;
use std::time::Duration;

use quorate_core::{Account, Command, Session, SessionKey, Timestamp};
use quorate_raft::ProposeError;

use super::App;
use super::login::Opened;
use super::token::UnverifiedToken;
use crate::clock;
use crate::config::{CookieDomain, Reads};

/// How long a request waits for this node to apply the log as far as the session it carries.
const CATCH_UP: Duration = Duration::from_secs(1);

/// A live session and the user it belongs to.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// What the cluster knows the session by.
    pub key: SessionKey,
    /// The session.
    pub session: Arc<Session>,
    /// The user as their source describes them now.
    pub user: Arc<Account>,
}

impl Authenticated {
    /// The session that a login has just opened, as this node will find it in its memory.
    #[must_use]
    pub fn just_opened(opened: &Opened, domain: &CookieDomain, now: Timestamp) -> Self {
        let session = Session {
            user: opened.user.name.clone(),
            domain: domain.domain.clone(),
            level: opened.level,
            opened_at: now,
            expires_at: now.plus_ms(u64::try_from(opened.lifetime.as_millis()).unwrap_or(u64::MAX)),
            inactivity_ms: None,
            seen_at: now,
        };
        Self {
            key: opened.key,
            session: Arc::new(session),
            user: Arc::clone(&opened.user),
        }
    }
}

/// What a look at this node's memory says.
enum Found {
    Session(Arc<Session>),
    Nothing,
    /// Nothing may be said from memory: this node does not know how much it has missed.
    NoLease,
}

impl App {
    /// Whoever stands behind the cookie values, on `domain`, now. Of several values the first counts, and nobody is known
    /// if another one is a token of another session. `None` is an anonymous visitor.
    ///
    /// The session counts as used.
    ///
    /// # Errors
    /// [`ProposeError`] if this node has neither a lease nor a way to the leader: nothing may be answered then.
    pub async fn authenticate(
        &self,
        values: impl Iterator<Item = &str>,
        domain: &CookieDomain,
    ) -> Result<Option<Authenticated>, ProposeError> {
        let Some(token) = only_token(values) else {
            return Ok(None);
        };
        let Some(session) = self.find(token).await? else {
            return Ok(None);
        };
        if session.domain != domain.domain {
            // A session moved to another domain's cookie has been in wrong hands; it ends everywhere.
            self.end(token.key).await?;
            return Ok(None);
        }
        let now = self.now();
        if !session.is_live(now) {
            return Ok(None);
        }
        let Some(user) = self.users.of_session(&session.user, self.node.reader()) else {
            self.end(token.key).await?;
            return Ok(None);
        };
        self.touches.note(token.key, &session, now);
        Ok(Some(Authenticated {
            key: token.key,
            session,
            user,
        }))
    }

    /// The time that decides about expiry: this node's, unless replicated time is ahead of it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock::now().max(self.node.reader().now())
    }

    /// The session, read under a lease that holds after every await. A node that has not applied the log as far as
    /// the token says waits for it, a second at most.
    pub(super) async fn find(
        &self,
        token: UnverifiedToken,
    ) -> Result<Option<Arc<Session>>, ProposeError> {
        match self.look_up(token.key) {
            Found::Session(session) => return Ok(Some(session)),
            Found::Nothing if token.index_hint <= self.node.applied() => return Ok(None),
            Found::Nothing => self.catch_up(token.index_hint).await,
            Found::NoLease => {}
        }
        if let Found::Session(session) = self.look_up(token.key) {
            return Ok(Some(session));
        }
        // A round to the leader makes this read linearizable without a lease: whatever was acknowledged before it
        // began is applied here when it ends.
        self.node.read_index().await?;
        Ok(self.node.reader().session(&token.key))
    }

    /// The lease is looked at before the session is read, so that what is read includes all that was acknowledged
    /// before the request came; and again after it, so that a node that was paused in between answers nothing old.
    fn look_up(&self, key: SessionKey) -> Found {
        if self.config.cluster.reads == Reads::Strict || !self.node.may_read() {
            return Found::NoLease;
        }
        let session = self.node.reader().session(&key);
        match session {
            _ if !self.node.may_read() => Found::NoLease,
            Some(session) => Found::Session(session),
            None => Found::Nothing,
        }
    }

    async fn catch_up(&self, index: u64) {
        if let Ok(_permit) = self.catch_up.try_acquire() {
            self.node.wait_applied(index, CATCH_UP).await;
        }
    }

    /// Ends one session, in the whole cluster.
    pub(super) async fn end(&self, key: SessionKey) -> Result<(), ProposeError> {
        self.propose(Command::EndSession { key }).await.map(|_| ())
    }
}

/// The token that is the first value of the session cookie; `None` if it is none, or if another value is another token.
fn only_token<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<UnverifiedToken> {
    let first = UnverifiedToken::parse(values.next()?)?;
    let mut others = values.filter_map(UnverifiedToken::parse);
    others.all(|other| other.key == first.key).then_some(first)
}
