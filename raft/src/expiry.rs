//! The leader's search for what has ended by itself: expired sessions, guess records that say nothing more.
//!
//! It only finds; the commands it proposes are checked again when they are applied. A pass proposes a bounded number of
//! commands, and the search takes a small share of one core however large the state is.

use std::sync::Arc;
use std::time::Duration;

use quorate_core::{Budget, Command, Reader, RequestId, Timestamp};
use tokio::time::Instant;

use crate::clock::wall_time;
use crate::node::Inner;
use crate::random;

/// How often to look, as long as looking is quick.
const EVERY: Duration = Duration::from_secs(3);

/// Looking takes at most one part in this many of the time.
const SHARE: u32 = 50;

/// The most commands of one pass and kind.
const COMMANDS_MAX: usize = 16;

/// Looks again and again; proposes only while this node leads.
pub(crate) async fn run(node: Arc<Inner>) {
    let mut pause = EVERY;
    loop {
        tokio::time::sleep(pause).await;
        if !node.is_leader() {
            pause = EVERY;
            continue;
        }
        let (reader, budget, now) = (node.reader.clone(), node.budget, wall_time());
        let began = Instant::now();
        let found = tokio::task::spawn_blocking(move || find(&reader, budget, now));
        let commands = found.await.unwrap_or_default();
        pause = EVERY.max(began.elapsed() * SHARE);
        for command in commands {
            let id = RequestId(random::number());
            if let Err(error) = node.proposer.propose(id, command).await {
                tracing::debug!(%error, "the clean-up stops for now");
                break;
            }
        }
    }
}

/// What can be removed at `now`, in commands of at most [`Command::BATCH_MAX`] items.
fn find(reader: &Reader, budget: Budget, now: Timestamp) -> Vec<Command> {
    let items_max = COMMANDS_MAX * Command::BATCH_MAX;
    let sessions = reader.sessions();
    let keys: Vec<_> = sessions
        .iter()
        .filter(|(_, session)| !session.is_live(now))
        .map(|(key, _)| *key)
        .take(items_max)
        .collect();
    let attempts = reader.attempts();
    let subjects: Vec<_> = attempts
        .iter()
        .filter(|(_, attempts)| attempts.is_empty(&budget, now))
        .map(|(subject, _)| subject.clone())
        .take(items_max)
        .collect();
    let sessions = keys.chunks(Command::BATCH_MAX).map(|keys| {
        let keys = keys.to_vec();
        Command::ExpireSessions { keys }
    });
    let attempts = subjects.chunks(Command::BATCH_MAX).map(|subjects| {
        let subjects = subjects.to_vec();
        Command::ExpireAttempts { subjects, budget }
    });
    sessions.chain(attempts).collect()
}
