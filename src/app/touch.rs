//! Last uses of sessions, collected here and replicated in batches, so that a request costs no write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quorate_core::{Command, Session, SessionKey, Timestamp};

/// How many sessions wait for the next batch at most; beyond it a use is not noted, and the session may end early.
const WAITING_MAX: usize = 100_000;
/// A use is worth noting after this part of the inactivity time.
const PART: u64 = 10;
/// But not more often than this, in milliseconds.
const INTERVAL_MS_MIN: u64 = 1_000;

/// The uses that have not been proposed yet.
#[derive(Debug, Default)]
pub(super) struct Touches {
    waiting: Mutex<HashMap<SessionKey, Timestamp>>,
}

impl Touches {
    /// Notes that `session` was used at `now`, unless the newest replicated use is recent enough. Most requests of a
    /// busy session end here without taking the lock.
    pub(super) fn note(&self, key: SessionKey, session: &Session, now: Timestamp) {
        let Some(inactivity_ms) = session.inactivity_ms else {
            return;
        };
        if now.since_ms(session.seen_at) < interval_ms(inactivity_ms) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX || waiting.contains_key(&key) {
            waiting.insert(key, now);
        }
    }

    /// Takes what waits, as commands of bounded size.
    #[must_use]
    pub(super) fn drain(&self) -> Vec<Command> {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let seen: Vec<_> = waiting.into_iter().collect();
        seen.chunks(Command::BATCH_MAX)
            .map(|seen| Command::TouchSessions {
                seen: seen.to_vec(),
            })
            .collect()
    }
}

/// How old the replicated last use may be before a new one is noted: a session may end early by no more than this.
#[must_use]
pub(super) fn interval_ms(inactivity_ms: u64) -> u64 {
    (inactivity_ms / PART).max(INTERVAL_MS_MIN)
}
