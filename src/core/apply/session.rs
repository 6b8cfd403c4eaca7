//! Sessions: open, end, touch, expire.

use crate::{NewSession, Rejection, Reply, Session, SessionKey, State, Timestamp, UserName};

impl State {
    pub(super) fn open_session(
        &mut self,
        key: SessionKey,
        replaces: Option<SessionKey>,
        new: &NewSession,
        epoch: u64,
    ) -> Reply {
        let current_epoch = self.users.get(&new.user).map_or(0, |user| user.epoch);
        if epoch != current_epoch {
            return Reply::Rejected(Rejection::Outdated);
        }
        if let Some(old) = replaces {
            self.end_session(&old);
        }
        let now = self.now();
        let session = Session {
            user: new.user.clone(),
            domain: new.domain.clone(),
            level: new.level,
            opened_at: now,
            expires_at: now.plus_ms(new.lifetime_ms),
            inactivity_ms: new.inactivity_ms,
            seen_at: now,
        };
        self.sessions_of
            .entry(new.user.clone())
            .or_default()
            .insert(key);
        self.reader.sessions.insert(key, session);
        Reply::Done
    }

    /// Whether there was such a session.
    pub(super) fn end_session(&mut self, key: &SessionKey) -> bool {
        let Some(session) = self.reader.sessions.remove(key) else {
            return false;
        };
        self.reader.ended.note(*key, self.now());
        if let Some(keys) = self.sessions_of.get_mut(&session.user) {
            keys.remove(key);
            if keys.is_empty() {
                self.sessions_of.remove(&session.user);
            }
        }
        true
    }

    pub(super) fn kill_user(&mut self, user: &UserName, keep: Option<SessionKey>) -> Reply {
        let mut record = self
            .users
            .get(user)
            .map(|record| *record)
            .unwrap_or_default();
        record.epoch = record.epoch.saturating_add(1);
        self.users.insert(user.clone(), record);
        let keys = self.sessions_of.get(user).cloned().unwrap_or_default();
        let ended = keys
            .iter()
            .filter(|key| Some(**key) != keep)
            .filter(|key| self.end_session(key))
            .count();
        Reply::Ended {
            count: ended as u64,
        }
    }

    pub(super) fn touch_sessions(&mut self, seen: &[(SessionKey, Timestamp)]) -> Reply {
        let now = self.now();
        for (key, seen_at) in seen {
            // A touch from a clock that is ahead must not lengthen a life, and a dead session is not revived.
            let seen_at = (*seen_at).min(now);
            let Some(session) = self.reader.sessions.get(key) else {
                continue;
            };
            if session.seen_at < seen_at && session.is_live(seen_at) {
                self.reader.sessions.insert(
                    *key,
                    Session {
                        seen_at,
                        ..(*session).clone()
                    },
                );
            }
        }
        Reply::Done
    }

    pub(super) fn expire_sessions(&mut self, keys: &[SessionKey]) -> Reply {
        let now = self.now();
        let mut count = 0;
        for key in keys {
            let expired = self
                .reader
                .sessions
                .get(key)
                .is_some_and(|session| !session.is_live(now));
            if expired && self.end_session(key) {
                count += 1;
            }
        }
        Reply::Ended { count }
    }
}
