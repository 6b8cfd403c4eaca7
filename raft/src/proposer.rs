//! The leader's queue: many commands, one log entry.
//!
//! openraft 0.9 flushes once per entry, however many are waiting. So a task drains what waits into one
//! [`Batch`], proposes it, and hands each caller the reply at its own position. While two entries are on their way the
//! queue fills, and the next entry takes all of it.

use std::sync::Arc;

use bincode::Options;
use openraft::error::{ClientWriteError, RaftError};
use quorate_core::{Command, Proposal, Reply, RequestId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::clock::wall_time;
use crate::freshness::Freshness;
use crate::types::{Batch, LeaderTerm, TypeConfig};

/// The most commands in one entry.
const COMMANDS_MAX: usize = 512;

/// The most bytes of commands in one entry. The log relies on it: see `store/sled.rs`.
const ENTRY_BYTES: usize = 256 << 10;

/// The longest command, in bytes; far above what any use needs.
const COMMAND_BYTES_MAX: usize = ENTRY_BYTES;

/// Entries on their way at a time: while one is being flushed, the next is being made.
const ENTRIES_IN_FLIGHT: usize = 2;

/// Commands that may wait. Beyond it, callers wait to enter the queue.
const QUEUE: usize = 4096;

/// What became of a committed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// What the state answered.
    pub reply: Reply,
    /// The log index of the entry that carried the command.
    pub index: u64,
}

/// Why this node's own queue did not commit a command.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum QueueError {
    /// This node does not lead; the command is in no log, or in one that the next leader overwrites or commits.
    #[error("this node does not lead")]
    NotLeader,
    /// The command is too long; it was not proposed.
    #[error("the command has {0} bytes; at most {COMMAND_BYTES_MAX} can be proposed at once")]
    TooLong(usize),
    /// Raft has stopped on this node; the command may be committed or not.
    #[error("{0}")]
    Stopped(String),
}

type Answer = oneshot::Sender<Result<Committed, QueueError>>;

/// The entrance to the queue.
#[derive(Debug, Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    id: RequestId,
    command: Command,
    bytes: usize,
    answer: Answer,
}

/// What the queue's task works with.
pub(crate) struct Queue {
    raft: openraft::Raft<TypeConfig>,
    freshness: Arc<Freshness>,
    waiting: mpsc::Receiver<Waiting>,
    /// The first command of the next entry, if it did not fit the last one.
    held: Option<Waiting>,
}

impl Proposer {
    /// The entrance, and the queue whose [`Queue::run`] somebody has to run.
    pub(crate) fn new(
        raft: openraft::Raft<TypeConfig>,
        freshness: Arc<Freshness>,
    ) -> (Self, Queue) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let run = Queue {
            raft,
            freshness,
            waiting,
            held: None,
        };
        (Self { queue }, run)
    }

    /// Commits one command through this node, which should lead. A caller that gives up drops the future; the command
    /// is proposed anyway, unless it is still in the queue.
    pub(crate) async fn propose(
        &self,
        id: RequestId,
        command: Command,
    ) -> Result<Committed, QueueError> {
        let bytes = command_bytes(&command);
        if bytes > COMMAND_BYTES_MAX {
            return Err(QueueError::TooLong(bytes));
        }
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting {
            id,
            command,
            bytes,
            answer,
        };
        let stopped = || QueueError::Stopped("the proposer has stopped".to_owned());
        self.queue.send(waiting).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }
}

impl Queue {
    /// Works until every [`Proposer`] is gone.
    pub(crate) async fn run(mut self) {
        let in_flight = Arc::new(Semaphore::new(ENTRIES_IN_FLIGHT));
        while let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await {
            let entry = next_entry(&mut self.waiting, &mut self.held).await;
            let Some(entry) = entry else {
                return;
            };
            let (raft, freshness) = (self.raft.clone(), Arc::clone(&self.freshness));
            tokio::spawn(commit(raft, freshness, entry, permit));
        }
    }
}

/// All that waits, up to the limits of one entry; waits for the first. `None` when nobody can propose any more. The first
/// command that does not fit is `held` for the next entry.
async fn next_entry(
    waiting: &mut mpsc::Receiver<Waiting>,
    held: &mut Option<Waiting>,
) -> Option<Vec<Waiting>> {
    let first = match held.take() {
        Some(first) => first,
        None => waiting.recv().await?,
    };
    let mut bytes = first.bytes;
    let mut entry = vec![first];
    while entry.len() < COMMANDS_MAX {
        let Ok(next) = waiting.try_recv() else {
            break;
        };
        if bytes + next.bytes > ENTRY_BYTES {
            *held = Some(next);
            break;
        }
        bytes += next.bytes;
        entry.push(next);
    }
    // Whoever has given up is told that the outcome is unknown, and the best outcome is then that nothing happens.
    entry.retain(|waiting| !waiting.answer.is_closed());
    Some(entry)
}

async fn commit(
    raft: openraft::Raft<TypeConfig>,
    freshness: Arc<Freshness>,
    entry: Vec<Waiting>,
    permit: OwnedSemaphorePermit,
) {
    if entry.is_empty() {
        return;
    }
    let at = wall_time();
    let mut answers = Vec::with_capacity(entry.len());
    let mut proposals = Vec::with_capacity(entry.len());
    for Waiting {
        id,
        command,
        answer,
        ..
    } in entry
    {
        answers.push((command.is_revoking(), answer));
        proposals.push(Proposal { id, at, command });
    }
    let written = raft.client_write(Batch(proposals)).await;
    drop(permit);
    match written {
        Ok(response) => {
            let index = response.log_id.index;
            let committed = response
                .data
                .into_iter()
                .map(|reply| Committed { reply, index });
            acknowledge(&freshness, &response.log_id, answers, committed).await;
        }
        Err(error) => {
            let error = queue_error(&error);
            for (_, answer) in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// Answers everybody: at once, or when no node can any more allow what the entry has revoked.
async fn acknowledge(
    freshness: &Freshness,
    log_id: &openraft::LogId<u64>,
    answers: Vec<(bool, Answer)>,
    committed: impl Iterator<Item = Committed>,
) {
    let mut revoking = Vec::new();
    for ((is_revoking, answer), committed) in answers.into_iter().zip(committed) {
        if is_revoking {
            revoking.push((answer, committed));
        } else {
            let _ = answer.send(Ok(committed));
        }
    }
    if revoking.is_empty() {
        return;
    }
    let is_final = freshness
        .barrier(LeaderTerm::of_leader(&log_id.leader_id), log_id.index)
        .await;
    for (answer, committed) in revoking {
        let _ = answer.send(if is_final {
            Ok(committed)
        } else {
            Err(QueueError::NotLeader)
        });
    }
}

fn queue_error(error: &RaftError<u64, ClientWriteError<u64, crate::Member>>) -> QueueError {
    match error {
        RaftError::APIError(_) => QueueError::NotLeader,
        RaftError::Fatal(fatal) => QueueError::Stopped(fatal.to_string()),
    }
}

/// The length of a command in the log.
fn command_bytes(command: &Command) -> usize {
    let size = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .serialized_size(command);
    size.ok()
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    #[tokio::test]
    async fn an_entry_ends_before_it_has_more_bytes_than_it_may() {
        let (queue, mut waiting) = mpsc::channel(8);
        let mut outcomes = Vec::new();
        for bytes in [ENTRY_BYTES - 10, 10, 1, ENTRY_BYTES, 5] {
            let (answer, outcome) = oneshot::channel();
            outcomes.push(outcome);
            let command = Command::TouchSessions { seen: Vec::new() };
            let id = RequestId(0);
            queue
                .try_send(Waiting {
                    id,
                    command,
                    bytes,
                    answer,
                })
                .unwrap();
        }
        drop(queue);
        let (mut held, mut entries) = (None, Vec::new());
        while let Some(entry) = next_entry(&mut waiting, &mut held).await {
            let bytes: Vec<usize> = entry.iter().map(|waiting| waiting.bytes).collect();
            entries.push(bytes);
        }
        let expected = [
            vec![ENTRY_BYTES - 10, 10],
            vec![1],
            vec![ENTRY_BYTES],
            vec![5],
        ];
        assert_eq!(entries, expected);
    }
}
