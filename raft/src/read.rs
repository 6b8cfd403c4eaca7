//! Linearizable reads without clocks: ask the leader how far one must have applied, then wait until that is so.
//!
//! One question serves everybody who was waiting when it was asked. Whoever comes while a round is under way waits for
//! the next: an answer must be to a question asked after the read began.
//!
//! Source: Raft thesis §6.4 (read index).

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::node::Inner;

/// What a round found: the log index that a read must have applied, or why there is none.
type Round = Result<u64, String>;

/// The entrance for those who want to read.
#[derive(Debug)]
pub(crate) struct ReadRounds {
    waiting: mpsc::Sender<oneshot::Sender<Round>>,
}

impl ReadRounds {
    /// The entrance, and what [`run`] has to be given.
    pub(crate) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<Round>>) {
        let (waiting, queue) = mpsc::channel(4096);
        (Self { waiting }, queue)
    }

    /// The index found by a round that begins after this call.
    pub(crate) async fn index(&self) -> Round {
        let (sender, outcome) = oneshot::channel();
        let stopped = |_| "the node is stopping".to_owned();
        self.waiting
            .send(sender)
            .await
            .map_err(|_| "the node is stopping".to_owned())?;
        outcome.await.map_err(stopped)?
    }
}

/// Round after round, as long as somebody waits.
pub(crate) async fn run(mut queue: mpsc::Receiver<oneshot::Sender<Round>>, node: Arc<Inner>) {
    while let Some(first) = queue.recv().await {
        let mut waiting = vec![first];
        while let Ok(next) = queue.try_recv() {
            waiting.push(next);
        }
        waiting.retain(|sender| !sender.is_closed());
        if waiting.is_empty() {
            continue;
        }
        let round = node.read_round().await;
        for sender in waiting {
            let _ = sender.send(round.clone());
        }
    }
}
