//! What nodes say to each other. The order of variants and fields is part of the protocol; a change that an older node
//! would not understand raises [`PROTOCOL`](super::PROTOCOL).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use openraft::LogId;
use openraft::error::InstallSnapshotError;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use quorate_core::{Command, Reply, RequestId};
use serde::{Deserialize, Serialize};

use crate::Member;
use crate::census::Facts;
use crate::lease::{Grant, Incarnation, Stamp};
use crate::membership::{Change, ChangeRefusal, Changed};
use crate::types::TypeConfig;

/// Names a cluster: random, chosen when it forms, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterId(pub(crate) u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The first frame in each direction. Its layout is the same in every version of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The newest version of everything after the greeting that the sender speaks; the older one of both is spoken.
    pub(crate) protocol: u16,
    /// The oldest one it speaks.
    pub(crate) protocol_oldest: u16,
    /// The newest set of commands that the sender can apply.
    pub(crate) commands: u32,
    /// The sender's name.
    pub(crate) name: String,
    /// The sender's node id.
    pub(crate) node: u64,
    /// The life of the sender.
    pub(crate) incarnation: Incarnation,
    /// Why the sender will not talk to the receiver; only in reply.
    pub(crate) refusal: Option<String>,
}

/// A frame of the dialling node after its greeting.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    /// Chosen by the asking side, unique on the connection.
    pub(crate) id: u64,
    /// Who asks whom.
    pub(crate) envelope: Envelope,
    /// What is asked.
    pub(crate) request: Request,
}

/// A frame of the accepting node after its greeting.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The id of the question.
    pub(crate) id: u64,
    /// What came of it.
    pub(crate) outcome: Result<Answer, Refusal>,
}

/// Who asks whom, so that nothing reaches a node it is not meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// The asking node's cluster, if it belongs to one yet.
    pub(crate) cluster: Option<ClusterId>,
    /// The asking node.
    pub(crate) from: u64,
    /// The node that is meant; `None` for whoever has that name, only in what may be asked before members are known.
    pub(crate) to: Option<u64>,
}

/// What a node asks another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Who are you, and what do you belong to?
    Hello,
    /// Raft: append entries, or a heartbeat.
    Append {
        /// Raft's request.
        rpc: AppendEntriesRequest<TypeConfig>,
        /// A read lease for the receiver.
        grant: Option<Grant>,
    },
    /// Raft: vote for me.
    Vote(VoteRequest<u64>),
    /// Would you vote for me, if I stood for election?
    MayStand {
        /// The end of the asking node's log.
        last_log: Option<LogId<u64>>,
    },
    /// Raft: a piece of a snapshot.
    Snapshot(InstallSnapshotRequest<TypeConfig>),
    /// A command for the leader's log.
    Propose {
        /// The same in every retry.
        id: RequestId,
        /// What to do.
        command: Command,
    },
    /// Up to which entry must a linearizable read have applied?
    ReadIndex,
    /// The sender's readers see the effect of all entries up to the one in the stamp.
    Applied(Stamp),
    /// Be a first member of a new cluster.
    Found {
        /// Its id.
        cluster: ClusterId,
        /// Its members by node id, the receiver among them.
        members: BTreeMap<u64, Member>,
    },
    /// Take the asking node into the cluster, in the place of the member of the same name.
    Join {
        /// The asking node's name and address.
        member: Member,
    },
    /// Stand for election: the asking node leads and does not want to any more.
    TakeOver,
    /// Change the members as an operator asks.
    Change {
        /// What is to change.
        change: Change,
        /// Whether even if it loses quorum.
        is_forced: bool,
    },
    /// The sender's life answers nothing from its memory any more, for ever.
    Farewell(Stamp),
    /// What is your wall clock, and what are you configured with?
    Compare,
    /// Which version of the program are you?
    Describe,
}

impl Request {
    /// The version of the protocol that brought it. Who speaks an older one could not read it and is not asked.
    pub(crate) fn since(&self) -> u16 {
        match self {
            Self::Hello
            | Self::Append { .. }
            | Self::Vote(_)
            | Self::MayStand { .. }
            | Self::Snapshot(_)
            | Self::Propose { .. }
            | Self::ReadIndex
            | Self::Applied(_)
            | Self::Found { .. }
            | Self::Join { .. }
            | Self::TakeOver
            | Self::Change { .. }
            | Self::Farewell(_)
            | Self::Compare => 1,
            Self::Describe => 2,
        }
    }

    /// Whether a node that belongs to no cluster, or does not know the receiver's id, may ask it.
    pub(crate) fn is_introduction(&self) -> bool {
        matches!(self, Self::Hello | Self::Found { .. } | Self::Join { .. })
    }
}

/// What a node answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// To [`Request::Hello`].
    Hello(Introduction),
    /// To [`Request::Append`].
    Append {
        /// Raft's response.
        response: AppendEntriesResponse<u64>,
        /// How far the sender is.
        stamp: Stamp,
    },
    /// To [`Request::Vote`].
    Vote(VoteResponse<u64>),
    /// To [`Request::MayStand`].
    MayStand(bool),
    /// To [`Request::Snapshot`].
    Snapshot(Result<InstallSnapshotResponse<u64>, InstallSnapshotError>),
    /// To [`Request::Propose`].
    Committed {
        /// The reply of the state.
        reply: Reply,
        /// The log index of the command.
        index: u64,
    },
    /// To [`Request::ReadIndex`].
    ReadIndex(u64),
    /// To the rest.
    Done,
    /// To [`Request::Change`].
    Changed(Result<Changed, ChangeRefusal>),
    /// To [`Request::Compare`].
    Compared(Facts),
    /// To [`Request::Describe`]: the version of the program, as `quorate build-info` says it.
    Described {
        /// Three numbers with dots.
        version: String,
    },
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    /// Its name.
    pub(crate) name: String,
    /// Its node id.
    pub(crate) node: u64,
    /// Its cluster, if it has agreed to one.
    pub(crate) cluster: Option<ClusterId>,
    /// The members as its log has them; empty before it has a log.
    pub(crate) members: BTreeMap<u64, Member>,
    /// The leader it follows, or itself.
    pub(crate) leader: Option<u64>,
}

/// Why a node does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Refusal {
    /// The asking node belongs to another cluster.
    #[error(
        "`{name}` belongs to cluster {cluster}, this node to another one; one of the two has a data directory of an \
         old cluster: stop that one, move its data directory away and start it again"
    )]
    WrongCluster {
        /// The refusing node.
        name: String,
        /// Its cluster.
        cluster: ClusterId,
    },
    /// The refusing node has not joined a cluster yet.
    #[error("`{name}` does not belong to a cluster yet")]
    NoCluster {
        /// The refusing node.
        name: String,
    },
    /// The message is meant for another node.
    #[error("the message is for node {to:08x}, but this address is node {node:08x} (`{name}`)")]
    WrongReceiver {
        /// The refusing node's name.
        name: String,
        /// The refusing node.
        node: u64,
        /// The node that was meant.
        to: u64,
    },
    /// The asking node is not a member any more.
    #[error(
        "node {from:08x} is not a member of this cluster any more; to let it join as a new node, stop it, move its \
         data directory away and start it again"
    )]
    Removed {
        /// The asking node.
        from: u64,
    },
    /// Only the leader does this.
    #[error("`{name}` does not lead")]
    NotLeader {
        /// The refusing node.
        name: String,
        /// Who does, as far as it knows.
        leader: Option<u64>,
    },
    /// Not now; the text says why.
    #[error("{0}")]
    NotNow(String),
    /// It may or may not have happened; the text says why nobody knows.
    #[error("{0}")]
    Unknown(String),
}
