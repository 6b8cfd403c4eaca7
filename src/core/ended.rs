//! Which sessions have ended lately, in this node's memory only.
//!
//! A session that is gone may still be allowed elsewhere: its end is final only when it has been acknowledged. Who asks
//! to end it once more must wait for that, and this tells a session that was there from a made-up one.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{SessionKey, Timestamp};

/// How long an ended session is remembered, in replicated time: far longer than any lease.
const MS: u64 = 120_000;
/// The most sessions remembered; beyond it the oldest is forgotten early. About 6 MiB.
const MAX: usize = 65_536;

/// Derived from what is applied; in no snapshot. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndedSessions(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    order: VecDeque<(SessionKey, Timestamp)>,
    keys: HashSet<SessionKey>,
}

impl EndedSessions {
    pub(crate) fn note(&self, key: SessionKey, now: Timestamp) {
        let mut memory = self.memory();
        memory.keys.insert(key);
        memory.order.push_back((key, now));
        while memory
            .order
            .front()
            .is_some_and(|(_, at)| at.plus_ms(MS) <= now)
            || memory.order.len() > MAX
        {
            if let Some((forgotten, _)) = memory.order.pop_front() {
                memory.keys.remove(&forgotten);
            }
        }
    }

    pub(crate) fn contains(&self, key: &SessionKey) -> bool {
        self.memory().keys.contains(key)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
