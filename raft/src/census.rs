//! What members compare with each other every few seconds: their wall clocks, their configurations and users.
//!
//! Nothing is decided by it. It is there so that an operator hears of clocks that drift apart, and of a file that was
//! changed on one machine only, before anybody is surprised.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::{boot_time, wall_time};
use crate::node::Inner;
use crate::transport::message::{Answer, Request};

/// How often the others are asked.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How long an answer may take. It is also the bound of the error of a clock offset.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);

/// A SHA-256.
pub type Digest = [u8; 32];

/// What a node says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Its wall clock, in milliseconds since the Unix epoch.
    pub(crate) wall_ms: u64,
    /// The digests of its configuration and of its users; `None` before it was told.
    pub(crate) digests: Option<(Digest, Digest)>,
}

/// What another member said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// From the question to the answer.
    pub(crate) round_trip: Duration,
    /// Its wall clock minus this node's, in milliseconds; exact to half the round trip.
    pub(crate) clock_offset_ms: i64,
    pub(crate) digests: Option<(Digest, Digest)>,
    /// The version of its program; `None` if that is too old to say.
    pub(crate) version: Option<String>,
}

/// This node's digests, and what the others said.
#[derive(Debug, Default)]
pub(crate) struct Census {
    own: OnceLock<(watch::Receiver<Digest>, watch::Receiver<Digest>)>,
    seen: Mutex<HashMap<u64, Seen>>,
}

impl Census {
    /// Says what this node is configured with. Only the first call counts.
    pub(crate) fn describe(
        &self,
        configuration: watch::Receiver<Digest>,
        users: watch::Receiver<Digest>,
    ) {
        let _ = self.own.set((configuration, users));
    }

    /// This node's digests.
    pub(crate) fn digests(&self) -> Option<(Digest, Digest)> {
        let (configuration, users) = self.own.get()?;
        Some((*configuration.borrow(), *users.borrow()))
    }

    /// What this node answers.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            wall_ms: wall_time().0,
            digests: self.digests(),
        }
    }

    /// What the node with that id said last; `None` if it did not answer the last question.
    pub(crate) fn seen(&self, node: u64) -> Option<Seen> {
        self.lock().get(&node).cloned()
    }

    fn note(&self, node: u64, seen: Option<Seen>) {
        match seen {
            Some(seen) => self.lock().insert(node, seen),
            None => self.lock().remove(&node),
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks all other members, again and again, as long as the node runs.
pub(crate) async fn run(node: Arc<Inner>) {
    loop {
        for (id, member) in node.others() {
            let node = Arc::clone(&node);
            tokio::spawn(async move {
                let ask = |request| node.peers.call(Some(id), &member, request, ASK_TIMEOUT);
                let (asked_at, wall_ms) = (boot_time(), wall_time().0);
                let answer = ask(Request::Compare).await;
                let round_trip = boot_time().since(asked_at);
                let mut seen = match answer {
                    Ok(Answer::Compared(facts)) => Some(compared(facts, wall_ms, round_trip)),
                    _ => None,
                };
                if let Some(seen) = &mut seen
                    && let Ok(Answer::Described { version }) = ask(Request::Describe).await
                {
                    seen.version = Some(version);
                }
                node.census.note(id, seen);
            });
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// `wall_ms` is this node's wall clock when it asked. The answer is taken to have been given half-way.
fn compared(facts: Facts, wall_ms: u64, round_trip: Duration) -> Seen {
    let half_ms = u64::try_from(round_trip.as_millis() / 2).unwrap_or(u64::MAX);
    let here = wall_ms.saturating_add(half_ms);
    Seen {
        round_trip,
        clock_offset_ms: facts.wall_ms.wrapping_sub(here).cast_signed(),
        digests: facts.digests,
        version: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_measured_from_the_middle_of_the_round_trip() {
        let offset = |theirs, ours, round_trip_ms| {
            let facts = Facts {
                wall_ms: theirs,
                digests: None,
            };
            compared(facts, ours, Duration::from_millis(round_trip_ms)).clock_offset_ms
        };
        assert_eq!(offset(1_000, 1_000, 0), 0);
        assert_eq!(offset(1_010, 1_000, 20), 0);
        assert_eq!(offset(900, 1_000, 20), -110);
        assert_eq!(offset(5_000, 1_000, 2), 3_999);
    }
}
