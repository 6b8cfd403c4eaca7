//! openraft's requests over the links.

use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};

use super::message::{Answer, Request};
use super::peers::Peers;
use crate::Member;
use crate::clock::boot_time;
use crate::freshness::Freshness;
use crate::types::{LeaderTerm, TypeConfig};

/// How long to leave an unreachable member alone before the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(150);

/// Makes openraft's clients.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) peers: Arc<Peers>,
    pub(crate) freshness: Arc<Freshness>,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Replica;

    async fn new_client(&mut self, target: u64, node: &Member) -> Replica {
        Replica {
            target,
            member: node.clone(),
            network: self.clone(),
        }
    }
}

/// Another node, as Raft on this one sees it.
#[derive(Debug)]
pub(crate) struct Replica {
    target: u64,
    member: Member,
    network: Network,
}

type RpcError<E = openraft::error::Infallible> = RPCError<u64, Member, RaftError<u64, E>>;

impl RaftNetwork<TypeConfig> for Replica {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        let leader = LeaderTerm::of(&rpc.vote);
        let freshness = &self.network.freshness;
        let sent_at = boot_time();
        let grant = freshness.grant(leader, self.target);
        let request = Request::Append { rpc, grant };
        let Answer::Append { response, stamp } = self.call(request, option.hard_ttl()).await?
        else {
            return Err(unexpected());
        };
        if !matches!(response, AppendEntriesResponse::HigherVote(_)) {
            freshness.acknowledged(leader, self.target, sent_at, stamp);
        }
        Ok(response)
    }

    async fn install_snapshot(
        &mut self,
        rpc: InstallSnapshotRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, RpcError<InstallSnapshotError>> {
        match self.call(Request::Snapshot(rpc), option.hard_ttl()).await? {
            Answer::Snapshot(Ok(response)) => Ok(response),
            Answer::Snapshot(Err(error)) => Err(RPCError::RemoteError(RemoteError::new(
                self.target,
                RaftError::APIError(error),
            ))),
            _ => Err(unexpected()),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        match self.call(Request::Vote(rpc), option.hard_ttl()).await? {
            Answer::Vote(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY_AFTER))
    }
}

impl Replica {
    /// Every failure counts as unreachable, which makes openraft wait before it tries again.
    async fn call<E: std::error::Error>(
        &self,
        request: Request,
        at_most: Duration,
    ) -> Result<Answer, RpcError<E>> {
        let peers = &self.network.peers;
        let answer = peers.call(Some(self.target), &self.member, request, at_most);
        answer
            .await
            .map_err(|error| RPCError::Unreachable(Unreachable::new(&error)))
    }
}

fn unexpected<E: std::error::Error>() -> RpcError<E> {
    let error = std::io::Error::other("an answer to another question");
    RPCError::Network(NetworkError::new(&error))
}
