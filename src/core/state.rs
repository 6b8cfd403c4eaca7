//! The replicated state, and how its readers see it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::ended::EndedSessions;
use crate::{
    Account, Attempts, Authenticators, Budget, PasswordOverride, Rejection, Reply, RequestId,
    Session, SessionKey, ShardedMap, Subject, Timestamp, UserName, View,
};

/// What is known of a user beyond their source (users file, directory).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// Rises whenever all sessions of the user are ended. A login that began under an older epoch opens nothing.
    pub(crate) epoch: u64,
}

/// Everything the cluster agrees on. One thread applies proposals; readers have a [`Reader`].
#[derive(Debug, Default)]
pub struct State {
    pub(crate) reader: Reader,
    pub(crate) users: ShardedMap<UserName, User>,
    /// Which sessions a user has. Derived from the sessions, so it is in no snapshot.
    pub(crate) sessions_of: HashMap<UserName, BTreeSet<SessionKey>>,
    pub(crate) requests: RecentRequests,
}

impl State {
    /// An empty state at the epoch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle for readers; it sees every proposal as soon as it is applied, and survives [`State::load`].
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Everything as it is now; takes microseconds and does not change afterwards.
    #[must_use]
    pub fn view(&self) -> StateView {
        StateView {
            now: self.now(),
            set: self.reader.set(),
            sessions: self.reader.sessions.view(),
            users: self.users.view(),
            attempts: self.reader.attempts.view(),
            authenticators: self.reader.authenticators.view(),
            accounts: self.reader.accounts.view(),
            overrides: self.reader.overrides.view(),
            requests: self.requests.in_order().collect(),
        }
    }

    /// Replicated time: the newest stamp that has been applied.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.reader.now()
    }

    /// Says which set of commands is in force.
    pub(crate) fn set_in_force(&self, set: u32) {
        self.reader.set.store(set, Ordering::Release);
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        self.reader.now_ms.store(now.0, Ordering::Release);
    }
}

/// What readers see of the state: any number of clones, from any thread, without waiting for a batch of proposals.
#[derive(Debug, Clone)]
pub struct Reader {
    now_ms: Arc<AtomicU64>,
    set: Arc<AtomicU32>,
    pub(crate) sessions: ShardedMap<SessionKey, Session>,
    pub(crate) attempts: ShardedMap<Subject, Attempts>,
    pub(crate) authenticators: ShardedMap<UserName, Authenticators>,
    pub(crate) accounts: ShardedMap<UserName, Account>,
    pub(crate) overrides: ShardedMap<UserName, PasswordOverride>,
    /// Whose address it is, by the address in lower case. Derived from the accounts, so it is in no snapshot.
    pub(crate) by_email: ShardedMap<String, BTreeSet<UserName>>,
    pub(crate) ended: EndedSessions,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            now_ms: Arc::default(),
            // Whoever can apply anything knows the first set.
            set: Arc::new(AtomicU32::new(1)),
            sessions: ShardedMap::default(),
            attempts: ShardedMap::default(),
            authenticators: ShardedMap::default(),
            accounts: ShardedMap::default(),
            overrides: ShardedMap::default(),
            by_email: ShardedMap::default(),
            ended: EndedSessions::default(),
        }
    }
}

impl Reader {
    /// The session of that key, whether it still counts or not; ask [`Session::is_live`].
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<Arc<Session>> {
        self.sessions.get(key)
    }

    /// Whether this node has ended the session in the last two minutes. Its end may not be final on other nodes yet.
    #[must_use]
    pub fn has_ended_lately(&self, key: &SessionKey) -> bool {
        self.ended.contains(key)
    }

    /// The end of the ban on `subject` that holds at `now`, as far as this node knows. For display and for refusing
    /// early; whether a guess may begin is decided by [`Command::Reserve`](crate::Command::Reserve) alone.
    #[must_use]
    pub fn ban(&self, subject: &Subject, now: Timestamp) -> Option<Timestamp> {
        self.attempts.get(subject)?.ban(now)
    }

    /// Whether it is worth asking for a guess at `subject` at `now`: none is banned off and at least one is neither used
    /// nor being checked, or a ban holds and asking will say so. For those who wait; only
    /// [`Command::Reserve`](crate::Command::Reserve) decides.
    #[must_use]
    pub fn is_settled(&self, subject: &Subject, budget: &Budget, now: Timestamp) -> bool {
        self.attempts.get(subject).is_none_or(|attempts| {
            Attempts::clone(&attempts).check(budget, now) != Err(Rejection::Busy)
        })
    }

    /// What second factors the user has; `None` for somebody who never had one.
    #[must_use]
    pub fn authenticators(&self, user: &UserName) -> Option<Arc<Authenticators>> {
        self.authenticators.get(user)
    }

    /// All users' second factors as they are now.
    #[must_use]
    pub fn all_authenticators(&self) -> View<UserName, Authenticators> {
        self.authenticators.view()
    }

    /// The account of one of the cluster's users, disabled or not.
    #[must_use]
    pub fn account(&self, user: &UserName) -> Option<Arc<Account>> {
        self.accounts.get(user)
    }

    /// Whose e-mail address it is, in lower case; nobody's if it is that of several.
    #[must_use]
    pub fn name_of_email(&self, lower: &str) -> Option<UserName> {
        let names = self.by_email.get(&lower.to_owned())?;
        names.first().filter(|_| names.len() == 1).cloned()
    }

    /// All of the cluster's users as they are now.
    #[must_use]
    pub fn accounts(&self) -> View<UserName, Account> {
        self.accounts.view()
    }

    /// How many users the cluster keeps.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// What was set in place of the password that the users file declares, whether it still counts or not.
    #[must_use]
    pub fn password_override(&self, user: &UserName) -> Option<Arc<PasswordOverride>> {
        self.overrides.get(user)
    }

    /// How many sessions there are, expired ones that have not been removed yet included.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// How many subjects are banned at `now`.
    #[must_use]
    pub fn ban_count(&self, now: Timestamp) -> usize {
        self.attempts
            .view()
            .iter()
            .filter(|(_, attempts)| attempts.ban(now).is_some())
            .count()
    }

    /// Replicated time: the newest stamp that has been applied.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::Acquire))
    }

    /// The set of commands in force: the newest one of which a command has been applied, at least 1. It never falls.
    #[must_use]
    pub fn set(&self) -> u32 {
        self.set.load(Ordering::Acquire)
    }

    /// All sessions as they are now, for the leader's search for expired ones.
    #[must_use]
    pub fn sessions(&self) -> View<SessionKey, Session> {
        self.sessions.view()
    }

    /// All guess records as they are now, for the leader's search for outdated ones.
    #[must_use]
    pub fn attempts(&self) -> View<Subject, Attempts> {
        self.attempts.view()
    }
}

/// The state at one point of the log, for a snapshot.
#[derive(Debug, Clone)]
pub struct StateView {
    pub(crate) now: Timestamp,
    pub(crate) set: u32,
    pub(crate) sessions: View<SessionKey, Session>,
    pub(crate) users: View<UserName, User>,
    pub(crate) attempts: View<Subject, Attempts>,
    pub(crate) authenticators: View<UserName, Authenticators>,
    pub(crate) accounts: View<UserName, Account>,
    pub(crate) overrides: View<UserName, PasswordOverride>,
    pub(crate) requests: Vec<RememberedRequest>,
}

/// A request that was applied: its id, when, and what it was answered.
pub(crate) type RememberedRequest = (RequestId, Timestamp, Reply);

/// The replies to recent requests, so that a retry is answered and not applied again.
#[derive(Debug, Default)]
pub(crate) struct RecentRequests {
    order: VecDeque<(RequestId, Timestamp)>,
    replies: HashMap<RequestId, Reply>,
}

impl RecentRequests {
    /// How long a request is remembered, in replicated time. A proposal that is repeated later would be applied
    /// again, so proposers give up after a tenth of it.
    const MS: u64 = 120_000;
    /// The most requests remembered; beyond it the oldest is forgotten early. About 8 MiB.
    const MAX: usize = 65_536;

    pub(crate) fn reply(&self, id: RequestId) -> Option<&Reply> {
        self.replies.get(&id)
    }

    pub(crate) fn remember(&mut self, id: RequestId, now: Timestamp, reply: Reply) {
        self.order.push_back((id, now));
        self.replies.insert(id, reply);
        while self
            .order
            .front()
            .is_some_and(|(_, at)| at.plus_ms(Self::MS) <= now)
            || self.order.len() > Self::MAX
        {
            if let Some((forgotten, _)) = self.order.pop_front() {
                self.replies.remove(&forgotten);
            }
        }
    }

    pub(crate) fn in_order(&self) -> impl Iterator<Item = RememberedRequest> {
        self.order
            .iter()
            .filter_map(|(id, at)| Some((*id, *at, self.replies.get(id)?.clone())))
    }

    pub(crate) fn restore(requests: Vec<RememberedRequest>) -> Self {
        let order = requests.iter().map(|(id, at, _)| (*id, *at)).collect();
        Self {
            order,
            replies: requests
                .into_iter()
                .map(|(id, _, reply)| (id, reply))
                .collect(),
        }
    }
}
