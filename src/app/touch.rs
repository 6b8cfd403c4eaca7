//! Last uses of sessions, collected here and replicated in batches, so that a request costs no write.
//!
//! A use is noted once the replicated last use is a tenth of the inactivity time old, and all that is noted is replicated
//! in one entry per tenth. So a session may end early by a tenth, and never late. A visitor who comes back in the last
//! fifth of the time could be too late for the next batch: such a use is replicated at once, but no two batches follow within a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quorate_core::{Command, Reader, Session, SessionKey, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many sessions wait for the next batch at most; beyond it a use is not noted, and the session may end early.
const WAITING_MAX: usize = 100_000;
/// A use is worth noting after this part of the inactivity time.
const PART: u64 = 10;
/// But not more often than this, in milliseconds.
const INTERVAL_MS_MIN: u64 = 1_000;
/// The least time between a batch and one for an urgent use.
const PAUSE: Duration = Duration::from_secs(1);
/// A use is urgent when this many intervals are left of the session's life.
const URGENT_INTERVALS: u64 = 2;

/// What a use of a session calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// Nothing: the replicated last use is recent enough, or the session does not end by inactivity.
    Nothing,
    /// A place in the next batch.
    NextBatch,
    /// A batch at once: the session might be over before the next one.
    OwnBatch,
}

/// The uses that have not been proposed yet.
#[derive(Debug, Default)]
pub(super) struct Touches {
    waiting: Mutex<HashMap<SessionKey, Timestamp>>,
    urgent: Notify,
    replicated: AtomicU64,
}

impl Touches {
    /// Notes that `session` was used at `now`, unless the newest replicated use is recent enough. Most requests of a
    /// busy session end here without taking the lock.
    pub(super) fn note(&self, key: SessionKey, session: &Session, now: Timestamp) {
        let worth = worth(session, now);
        if worth == Worth::Nothing {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX || waiting.contains_key(&key) {
            waiting.insert(key, now);
        }
        drop(waiting);
        if worth == Worth::OwnBatch {
            self.urgent.notify_one();
        }
    }

    /// Waits until a use is noted that must not wait for the next batch, and until a second after the `last` batch: no
    /// clock that is ahead, and no flood, makes every request a replicated write.
    pub(super) async fn urgent(&self, last: Instant) {
        self.urgent.notified().await;
        tokio::time::sleep_until(last + PAUSE).await;
    }

    /// Takes what waits and is still news, in the order of the keys and in runs of at most [`Command::TOUCHES_MAX`].
    #[must_use]
    pub(super) fn drain(&self, reader: &Reader) -> Vec<Vec<(SessionKey, Timestamp)>> {
        let waiting = std::mem::take(&mut *self.waiting());
        let is_news = |(key, now): &(SessionKey, Timestamp)| {
            let session = reader.session(key);
            session.is_some_and(|session| worth(&session, *now) != Worth::Nothing)
        };
        let mut seen: Vec<_> = waiting.into_iter().filter(is_news).collect();
        seen.sort_unstable();
        let runs = seen.chunks(Command::TOUCHES_MAX);
        runs.map(<[_]>::to_vec).collect()
    }

    /// Counts a batch that was replicated.
    pub(super) fn replicated(&self) {
        self.replicated.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets uses that could not be replicated wait for the next batch. A newer use of the same session stays.
    pub(super) fn put_back(&self, seen: Vec<(SessionKey, Timestamp)>) {
        let mut waiting = self.waiting();
        for (key, at) in seen {
            if waiting.len() < WAITING_MAX {
                waiting.entry(key).or_insert(at);
            }
        }
    }

    /// How many batches were replicated.
    pub(super) fn count(&self) -> u64 {
        self.replicated.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<SessionKey, Timestamp>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How old the replicated last use may be before a new one is noted: a session may end early by no more than this.
#[must_use]
pub(super) fn interval_ms(inactivity_ms: u64) -> u64 {
    (inactivity_ms / PART).max(INTERVAL_MS_MIN)
}

fn worth(session: &Session, now: Timestamp) -> Worth {
    let Some(inactivity_ms) = session.inactivity_ms else {
        return Worth::Nothing;
    };
    let interval_ms = interval_ms(inactivity_ms);
    let unused_ms = now.since_ms(session.seen_at);
    if unused_ms < interval_ms {
        Worth::Nothing
    } else if unused_ms.saturating_add(URGENT_INTERVALS * interval_ms) < inactivity_ms {
        Worth::NextBatch
    } else {
        Worth::OwnBatch
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use quorate_core::{Level, State, UserName};

    use super::*;

    fn session(inactivity_ms: Option<u64>) -> Session {
        Session {
            user: UserName::parse("john").unwrap(),
            domain: "example.com".to_owned(),
            level: Level::OneFactor,
            opened_at: Timestamp(0),
            expires_at: Timestamp(10_000_000),
            inactivity_ms,
            seen_at: Timestamp(1_000_000),
        }
    }

    #[test]
    fn a_use_waits_for_the_batch_unless_the_session_might_not_live_that_long() {
        let after =
            |unused_ms: u64| worth(&session(Some(300_000)), Timestamp(1_000_000 + unused_ms));
        for (unused_ms, expected) in [
            (0, Worth::Nothing),
            (29_999, Worth::Nothing),
            (30_000, Worth::NextBatch),
            (239_999, Worth::NextBatch),
            (240_000, Worth::OwnBatch),
            (299_999, Worth::OwnBatch),
        ] {
            assert_eq!(after(unused_ms), expected, "{unused_ms}");
        }
        // A use cannot be older than the replicated one by more than clocks are apart.
        assert_eq!(worth(&session(Some(300_000)), Timestamp(0)), Worth::Nothing);
    }

    #[test]
    fn a_remembered_session_is_never_touched() {
        let now = Timestamp(9_000_000);
        assert_eq!(worth(&session(None), now), Worth::Nothing);
    }

    #[test]
    fn what_nobody_needs_to_know_any_more_is_not_replicated() {
        let touches = Touches::default();
        touches.note(
            SessionKey::of_token("gone"),
            &session(Some(300_000)),
            Timestamp(1_100_000),
        );
        assert!(touches.drain(&State::new().reader()).is_empty());
    }

    #[tokio::test]
    async fn an_urgent_use_waits_until_a_second_after_the_last_batch() {
        let touches = Touches::default();
        let last = Instant::now();
        let (key, session) = (SessionKey::of_token("1"), session(Some(300_000)));
        touches.note(key, &session, Timestamp(1_290_000));
        touches.urgent(last).await;
        assert!(last.elapsed() >= PAUSE);
    }

    #[test]
    fn what_is_put_back_does_not_replace_a_newer_use() {
        let touches = Touches::default();
        let (key, session) = (SessionKey::of_token("1"), session(Some(300_000)));
        touches.note(key, &session, Timestamp(1_200_000));
        touches.put_back(vec![(key, Timestamp(1_100_000))]);
        assert_eq!(touches.waiting().get(&key), Some(&Timestamp(1_200_000)));
    }
}
