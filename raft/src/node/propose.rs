//! Commands and reads from any node: the leader is found, asked again when it changes, and given up on in time.

use std::time::Duration;

use quorate_core::{Command, RequestId};
use tokio::time::{Instant, timeout_at};

use super::{Inner, Node, ProposeError};
use crate::proposer::{Committed, QueueError};
use crate::transport::link::CallError;
use crate::transport::message::{Answer, Refusal, Request};
use crate::versions::NotKnown;

/// How long a command may take. A revoking one may take a lease and the time after an election longer.
const PROPOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a read may wait for the leader to say how far it must have applied, an election included.
const READ_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long to wait before asking again, if nothing has changed.
const AGAIN: Duration = Duration::from_millis(25);

/// One attempt that came to nothing.
struct Miss {
    why: String,
    /// Whether the command may be in a log all the same.
    maybe_done: bool,
}

impl Node {
    /// Commits a command and waits until this node has applied it, so that whoever reads here afterwards sees it. A
    /// [revoking](Command::is_revoking) command is answered when no node answers without it any more.
    ///
    /// Any node will do; the leader is asked over the wire. A change of leader is waited out, up to 5 seconds, or
    /// longer by `max_staleness` for a revoking command.
    ///
    /// # Errors
    /// [`ProposeError::Unavailable`]: nothing has happened, and it makes sense to tell the visitor to come again.
    /// [`ProposeError::NotKnown`]: neither has anything, and the operator has to upgrade a member first.
    /// [`ProposeError::Unknown`]: it may have happened; ask again with the same `id` and the same command to know.
    pub async fn propose(
        &self,
        id: RequestId,
        command: Command,
    ) -> Result<Committed, ProposeError> {
        let outcome = self.propose_in_time(id, command).await;
        self.0.outcomes.count(&outcome);
        outcome
    }

    async fn propose_in_time(
        &self,
        id: RequestId,
        command: Command,
    ) -> Result<Committed, ProposeError> {
        let node = &self.0;
        let mut at_most = PROPOSE_TIMEOUT;
        if command.is_revoking() {
            at_most += node.max_staleness + Duration::from_millis(500);
        }
        let deadline = Instant::now() + at_most;
        let committed = node.propose_until(id, &command, deadline).await?;
        if !node.wait_applied_until(committed.index, deadline).await {
            return Err(ProposeError::Unknown);
        }
        Ok(committed)
    }

    /// Waits until this node has applied everything that was acknowledged before this call. All who wait at a time
    /// share one question to the leader.
    ///
    /// # Errors
    /// [`ProposeError::Unavailable`] if there is no leader, or this node is cut off from it, for 1.5 seconds.
    pub async fn read_index(&self) -> Result<(), ProposeError> {
        let deadline = Instant::now() + READ_TIMEOUT;
        let unavailable = |why| ProposeError::Unavailable { why };
        let late = || unavailable("the leader does not answer".to_owned());
        let round = timeout_at(deadline, self.0.reads.index()).await;
        let index = round.map_err(|_| late())?.map_err(unavailable)?;
        if self.0.wait_applied_until(index, deadline).await {
            return Ok(());
        }
        Err(unavailable("this node lags behind".to_owned()))
    }
}

impl Inner {
    async fn propose_until(
        &self,
        id: RequestId,
        command: &Command,
        deadline: Instant,
    ) -> Result<Committed, ProposeError> {
        self.wait_known(command, deadline).await?;
        let mut maybe_done = false;
        loop {
            let miss = match timeout_at(deadline, self.propose_once(id, command)).await {
                Ok(Ok(committed)) => return Ok(committed),
                Ok(Err(miss)) => miss,
                Err(_) => Miss {
                    why: "no majority of the members answered in time".to_owned(),
                    maybe_done: true,
                },
            };
            maybe_done |= miss.maybe_done;
            if Instant::now() + AGAIN >= deadline || self.failure().is_some() {
                return Err(if maybe_done {
                    ProposeError::Unknown
                } else {
                    ProposeError::Unavailable { why: miss.why }
                });
            }
            self.leader_changed(AGAIN).await;
        }
    }

    /// Waits until every member has said that it can apply the command, unless one says that it cannot. The leader looks
    /// again; this node must look as well, because a leader of an older version could not even read the question.
    async fn wait_known(&self, command: &Command, deadline: Instant) -> Result<(), ProposeError> {
        while let Err(cause) = self.check_known(command) {
            let is_final = matches!(cause, NotKnown::Older { .. });
            if is_final || Instant::now() + AGAIN >= deadline {
                let why = cause.to_string();
                return Err(ProposeError::NotKnown { why });
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Asks whoever leads now, once; gives up when another leads.
    async fn propose_once(&self, id: RequestId, command: &Command) -> Result<Committed, Miss> {
        let not_sent = |why: String| Miss {
            why,
            maybe_done: false,
        };
        let Some(leader) = self.leader() else {
            return Err(not_sent("the cluster has no leader".to_owned()));
        };
        if leader == self.peers.node {
            return self.propose_here(id, command).await;
        }
        let Some(member) = self.member(leader) else {
            return Err(not_sent("the leader is not known yet".to_owned()));
        };
        let request = Request::Propose {
            id,
            command: command.clone(),
        };
        let asked = self
            .peers
            .call(Some(leader), &member, request, PROPOSE_TIMEOUT * 2);
        tokio::select! {
            answer = asked => match answer {
                Ok(Answer::Committed { reply, index }) => Ok(Committed { reply, index }),
                Ok(_) => Err(not_sent("the leader answers another question".to_owned())),
                Err(error) => Err(Miss { maybe_done: maybe_done(&error), why: error.to_string() }),
            },
            () = self.leader_changed(Duration::MAX) => Err(Miss {
                why: "the leader changed".to_owned(),
                maybe_done: true,
            }),
        }
    }

    async fn propose_here(&self, id: RequestId, command: &Command) -> Result<Committed, Miss> {
        let proposed = self.proposer.propose(id, command.clone()).await;
        proposed.map_err(|error| Miss {
            // What a leader that was deposed has in its log may be committed by the next one.
            maybe_done: !matches!(error, QueueError::TooLong(_)),
            why: error.to_string(),
        })
    }

    /// Asks for one read index, waiting for a leader if there is none.
    pub(crate) async fn read_round(&self) -> Result<u64, String> {
        let deadline = Instant::now() + READ_TIMEOUT;
        loop {
            let why = match timeout_at(deadline, self.read_once()).await {
                Ok(Ok(index)) => return Ok(index),
                Ok(Err(why)) => why,
                Err(_) => "the leader does not answer".to_owned(),
            };
            if Instant::now() + AGAIN >= deadline || self.failure().is_some() {
                return Err(why);
            }
            self.leader_changed(AGAIN).await;
        }
    }

    async fn read_once(&self) -> Result<u64, String> {
        let leader = self.leader().ok_or("the cluster has no leader")?;
        if leader == self.peers.node {
            let read = self.raft.get_read_log_id().await;
            let (read_log_id, _) = read.map_err(|error| error.to_string())?;
            return Ok(read_log_id.map_or(0, |id| id.index));
        }
        let member = self.member(leader).ok_or("the leader is not known yet")?;
        let asked = self
            .peers
            .call(Some(leader), &member, Request::ReadIndex, READ_TIMEOUT);
        match asked.await {
            Ok(Answer::ReadIndex(index)) => Ok(index),
            Ok(_) => Err("the leader answers another question".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits until readers of this node see the effect of the entry at `index`.
    pub(super) async fn wait_applied_until(&self, index: u64, deadline: Instant) -> bool {
        let mut applied = self.applied.clone();
        let reached = applied.wait_for(|applied| *applied >= index);
        matches!(timeout_at(deadline, reached).await, Ok(Ok(_)))
    }

    /// Waits until another node leads than now, or `at_most`.
    async fn leader_changed(&self, at_most: Duration) {
        let mut metrics = self.raft.server_metrics();
        let before = metrics.borrow_and_update().current_leader;
        let changed = metrics.wait_for(|metrics| metrics.current_leader != before);
        // The end of Raft shows in the next attempt.
        let _ = tokio::time::timeout(at_most, changed).await;
    }
}

/// Whether a command may be in a log although asking for it failed so.
fn maybe_done(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) | CallError::Declined(_) => false,
        CallError::Lost(_) | CallError::Timeout(_) => true,
        // A leader that says it does not lead may have been one when it took the command.
        CallError::Refused(refusal) => {
            matches!(refusal, Refusal::Unknown(_) | Refusal::NotLeader { .. })
        }
    }
}
