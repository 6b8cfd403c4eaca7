//! What this node answers other nodes, and what it refuses.
//!
//! Every message names the cluster and the node it is meant for, so that a node that was moved, wiped, removed or
//! configured with another cluster's address can do no harm: it is refused, and both sides say so.

use std::sync::Arc;

use openraft::error::{Fatal, RaftError};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, VoteRequest,
};
use openraft::{Entry, EntryPayload, LogId};
use quorate_core::{Command, RequestId};

use crate::lease::Grant;
use crate::node::Inner;
use crate::proposer::{Committed, QueueError};
use crate::transport::message::{Answer, Envelope, Introduction, Refusal, Request};
use crate::types::{LeaderTerm, TypeConfig, newest_set};
use crate::versions::{VERSION, Versions};

impl Inner {
    /// Answers one question of another node.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        envelope: Envelope,
        request: Request,
    ) -> Result<Answer, Refusal> {
        let admitted = self.admit(&envelope, &request);
        if let Err(refusal) = &admitted {
            let (from, cause) = (envelope.from, refusal.to_string());
            self.complaint.warn(&format!("{from} {cause}"), || {
                tracing::warn!(from = %format!("{from:08x}"), %cause, "refused a message of another node");
            });
        }
        admitted?;
        self.peers.heard_from(envelope.from);
        match request {
            Request::Hello => Ok(Answer::Hello(self.introduction())),
            Request::Append { rpc, grant } => self.answer_append(rpc, grant).await,
            Request::Vote(rpc) => self.answer_vote(envelope.from, rpc).await,
            Request::MayStand { last_log } => {
                self.known_voter(envelope.from, last_log)?;
                Ok(Answer::MayStand(self.would_vote(last_log)))
            }
            Request::Snapshot(rpc) => self.answer_snapshot(rpc).await,
            Request::Propose { id, command } => self.answer_proposal(id, command).await,
            Request::ReadIndex => self.answer_read_index().await,
            Request::Applied(stamp) => {
                self.freshness.reported(envelope.from, stamp);
                Ok(Answer::Done)
            }
            Request::Found { cluster, members } => self.answer_found(cluster, &members).await,
            Request::Join { member } => self.answer_join(envelope.from, member).await,
            Request::TakeOver => self.answer_take_over(envelope.from).await,
            Request::Change { change, is_forced } => {
                match self.make_change(&change, is_forced).await {
                    Ok(changed) => Ok(Answer::Changed(changed)),
                    Err(_) => Err(self.not_leader()),
                }
            }
            Request::Farewell(stamp) => {
                self.freshness.farewell_of(envelope.from, stamp);
                Ok(Answer::Done)
            }
            Request::Compare => Ok(Answer::Compared(self.census.facts())),
            Request::Describe => Ok(Answer::Described {
                version: VERSION.to_owned(),
            }),
        }
    }

    /// Whether the message is for this node and of its cluster.
    fn admit(&self, envelope: &Envelope, request: &Request) -> Result<(), Refusal> {
        let name = || self.peers.member.name.clone();
        let node = self.peers.node;
        match (self.peers.cluster(), envelope.cluster) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                let name = name();
                return Err(Refusal::WrongCluster {
                    name,
                    cluster: ours,
                });
            }
            (Some(_), Some(_)) => {}
            _ if request.is_introduction() => {}
            _ => return Err(Refusal::NoCluster { name: name() }),
        }
        match envelope.to {
            Some(to) if to != node => {
                let name = name();
                Err(Refusal::WrongReceiver { name, node, to })
            }
            Some(_) => Ok(()),
            None if request.is_introduction() => Ok(()),
            None => Err(Refusal::NotNow("the message names no receiver".to_owned())),
        }?;
        // Raft's own messages are not judged by the membership here: a new leader may be one that this node does not
        // know yet.
        let is_for_leader = matches!(
            request,
            Request::Propose { .. }
                | Request::ReadIndex
                | Request::Applied(_)
                | Request::Change { .. }
                | Request::Farewell(_)
        );
        if is_for_leader && self.is_leader() && self.is_stranger(envelope.from) {
            let from = envelope.from;
            return Err(Refusal::Removed { from });
        }
        Ok(())
    }

    /// What this node says of itself.
    pub(crate) fn introduction(&self) -> Introduction {
        let metrics = self.raft.server_metrics().borrow().clone();
        let members = metrics.membership_config.nodes();
        Introduction {
            name: self.peers.member.name.clone(),
            node: self.peers.node,
            cluster: self.peers.cluster(),
            members: members.map(|(id, member)| (*id, member.clone())).collect(),
            leader: metrics.current_leader,
        }
    }

    async fn answer_append(
        &self,
        rpc: AppendEntriesRequest<TypeConfig>,
        grant: Option<Grant>,
    ) -> Result<Answer, Refusal> {
        self.check_readable(&rpc)?;
        let leader = LeaderTerm::of(&rpc.vote);
        if rpc.vote >= self.raft.server_metrics().borrow().vote {
            self.election.heard_leader();
        }
        let revoking = newest_revoking(&rpc.entries);
        let response = self.raft.append_entries(rpc).await.map_err(failed)?;
        if !matches!(response, AppendEntriesResponse::HigherVote(_)) {
            self.freshness.followed(leader, grant);
            self.peers.tell(None);
            if let Some(index) = revoking {
                self.freshness.has_revoking(index);
            }
        }
        let stamp = self.freshness.stamp();
        Ok(Answer::Append { response, stamp })
    }

    /// Takes no entry into the log that this node could not apply. One that it cannot even read never gets here; this is
    /// for a node that behaves like an older version.
    fn check_readable(&self, rpc: &AppendEntriesRequest<TypeConfig>) -> Result<(), Refusal> {
        let own = self.peers.versions.own();
        if rpc.entries.iter().all(|entry| newest_set(entry) <= own) {
            return Ok(());
        }
        let leader = self.member(rpc.vote.leader_id.node_id);
        let cause = Versions::outdated(&leader.map_or_else(String::new, |leader| leader.name));
        self.peers.tell(Some(cause.clone()));
        Err(Refusal::NotNow(cause))
    }

    /// A node that is no member any more does not stand for election here. It is told apart from one that this node
    /// has not heard of yet by its log: who has a longer one may know of members that this node does not.
    fn known_voter(&self, from: u64, last_log: Option<LogId<u64>>) -> Result<(), Refusal> {
        let own = self.raft.data_metrics().borrow().last_log;
        if self.is_stranger(from) && last_log <= own {
            return Err(Refusal::Removed { from });
        }
        Ok(())
    }

    async fn answer_vote(&self, from: u64, rpc: VoteRequest<u64>) -> Result<Answer, Refusal> {
        self.known_voter(from, rpc.last_log_id)?;
        // On arrival: storing the vote takes a while, and this node must not stand meanwhile.
        self.election.heard_candidate();
        let response = self.raft.vote(rpc).await.map_err(failed)?;
        Ok(Answer::Vote(response))
    }

    async fn answer_snapshot(
        &self,
        rpc: InstallSnapshotRequest<TypeConfig>,
    ) -> Result<Answer, Refusal> {
        self.election.heard_leader();
        match self.raft.install_snapshot(rpc).await {
            Ok(response) => Ok(Answer::Snapshot(Ok(response))),
            Err(RaftError::APIError(error)) => Ok(Answer::Snapshot(Err(error))),
            Err(RaftError::Fatal(fatal)) => Err(failed_fatally(&fatal)),
        }
    }

    async fn answer_proposal(&self, id: RequestId, command: Command) -> Result<Answer, Refusal> {
        if !self.is_leader() {
            return Err(self.not_leader());
        }
        let known = self.check_known(&command);
        known.map_err(|cause| Refusal::NotNow(cause.to_string()))?;
        match self.proposer.propose(id, command).await {
            Ok(Committed { reply, index }) => Ok(Answer::Committed { reply, index }),
            Err(QueueError::NotLeader) => Err(self.not_leader()),
            Err(error @ QueueError::TooLong(_)) => Err(Refusal::NotNow(error.to_string())),
            Err(error @ QueueError::Stopped(_)) => Err(Refusal::Unknown(error.to_string())),
        }
    }

    async fn answer_read_index(&self) -> Result<Answer, Refusal> {
        if !self.is_leader() {
            return Err(self.not_leader());
        }
        let index = self.reads.index().await.map_err(Refusal::NotNow)?;
        Ok(Answer::ReadIndex(index))
    }

    async fn answer_take_over(&self, from: u64) -> Result<Answer, Refusal> {
        // Asked again while it stands already, it follows nobody.
        if self.leader().is_some_and(|leader| leader != from) {
            return Err(self.not_leader());
        }
        tracing::info!(leader = %format!("{from:08x}"), "the leader asks this node to stand for election");
        let elected = self.raft.trigger().elect().await;
        elected.map_err(|fatal| failed_fatally(&fatal))?;
        Ok(Answer::Done)
    }

    /// Whether `node` is missing in a membership that this node has.
    pub(crate) fn is_stranger(&self, node: u64) -> bool {
        let metrics = self.raft.server_metrics();
        let membership = Arc::clone(&metrics.borrow().membership_config);
        let mut nodes = membership.nodes().peekable();
        nodes.peek().is_some() && !nodes.any(|(id, _)| *id == node)
    }

    pub(crate) fn not_leader(&self) -> Refusal {
        Refusal::NotLeader {
            name: self.peers.member.name.clone(),
            leader: self.leader(),
        }
    }
}

/// The index of the last entry that revokes something.
fn newest_revoking(entries: &[Entry<TypeConfig>]) -> Option<u64> {
    let revokes = |entry: &&Entry<TypeConfig>| match &entry.payload {
        EntryPayload::Normal(batch) => batch.0.iter().any(|p| p.command.is_revoking()),
        EntryPayload::Blank | EntryPayload::Membership(_) => false,
    };
    let newest = entries.iter().rev().find(revokes)?;
    Some(newest.log_id.index)
}

fn failed(error: RaftError<u64>) -> Refusal {
    match error {
        RaftError::APIError(error) => match error {},
        RaftError::Fatal(fatal) => failed_fatally(&fatal),
    }
}

fn failed_fatally(fatal: &Fatal<u64>) -> Refusal {
    Refusal::Unknown(format!("Raft has stopped on this node: {fatal}"))
}
