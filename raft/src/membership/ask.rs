//! Asking for a change of members on any node: the leader is found, and asked again when it changes.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Change, ChangeError, Changed};
use crate::node::{Inner, Node};
use crate::transport::link::CallError;
use crate::transport::message::{Answer, Refusal, Request};

/// How long a change may take: a new voter has to catch up, a member that leaves has to lose its lease.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait for a leader before giving up.
const LEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(50);

/// One attempt that came to nothing.
enum Miss {
    /// Ask again.
    NotAsked(String),
    Final(ChangeError),
}

impl Node {
    /// Changes who the members are, or who leads. Any member can be asked. `is_forced` makes even a change after which
    /// fewer than a majority of the voters are alive; such a change may never be committed.
    ///
    /// Takes seconds: a member that leaves must lose its read lease first, a new voter must have caught up.
    ///
    /// # Errors
    /// [`ChangeError::Refused`] says why nothing has happened and what to do; [`ChangeError::Unknown`] is a change that
    /// may still be made.
    pub async fn change_members(
        &self,
        change: Change,
        is_forced: bool,
    ) -> Result<Changed, ChangeError> {
        let node = &self.0;
        let begun = Instant::now();
        let deadline = begun + CHANGE_TIMEOUT;
        loop {
            let attempt = timeout_at(deadline, node.ask_for_change(&change, is_forced));
            match attempt.await {
                Ok(Ok(changed)) => return Ok(changed),
                Ok(Err(Miss::Final(error))) => return Err(error),
                Ok(Err(Miss::NotAsked(why))) if begun.elapsed() > LEADER_TIMEOUT => {
                    return Err(ChangeError::Unavailable { why });
                }
                Ok(Err(Miss::NotAsked(_))) => tokio::time::sleep(AGAIN).await,
                Err(_) => return Err(ChangeError::Unknown),
            }
        }
    }
}

impl Inner {
    async fn ask_for_change(
        self: &std::sync::Arc<Self>,
        change: &Change,
        is_forced: bool,
    ) -> Result<Changed, Miss> {
        let leader = self.leader();
        let leader =
            leader.ok_or_else(|| Miss::NotAsked("the cluster has no leader".to_owned()))?;
        if leader == self.peers.node {
            return match self.make_change(change, is_forced).await {
                Ok(Ok(changed)) => Ok(changed),
                Ok(Err(refusal)) => Err(Miss::Final(refusal.into())),
                Err(_) => Err(Miss::NotAsked("the leader has just changed".to_owned())),
            };
        }
        let member = self
            .member(leader)
            .ok_or_else(|| Miss::NotAsked("the leader is not known yet".to_owned()))?;
        let request = Request::Change {
            change: change.clone(),
            is_forced,
        };
        let asked = self
            .peers
            .call(Some(leader), &member, request, CHANGE_TIMEOUT);
        match asked.await {
            Ok(Answer::Changed(Ok(changed))) => Ok(changed),
            Ok(Answer::Changed(Err(refusal))) => Err(Miss::Final(refusal.into())),
            Ok(_) => Err(Miss::NotAsked(
                "the leader answers another question".to_owned(),
            )),
            Err(error @ (CallError::Unreachable(_) | CallError::Declined(_))) => {
                Err(Miss::NotAsked(error.to_string()))
            }
            Err(CallError::Refused(refusal @ (Refusal::NotLeader { .. } | Refusal::NotNow(_)))) => {
                Err(Miss::NotAsked(refusal.to_string()))
            }
            Err(CallError::Refused(refusal)) => Err(Miss::Final(ChangeError::Unavailable {
                why: refusal.to_string(),
            })),
            Err(CallError::Lost(_) | CallError::Timeout(_)) => {
                Err(Miss::Final(ChangeError::Unknown))
            }
        }
    }
}
