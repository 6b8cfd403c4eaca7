//! What is going on on one node, as plain data.

use crate::store::StoreNumbers;
use openraft::ServerState;
use serde::{Deserialize, Serialize};

use super::Inner;
use crate::formation::Formation;
use crate::versions::VERSION;

/// What a node does in Raft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides what enters the log.
    Leader,
    /// Votes, and follows the leader.
    Follower,
    /// Stands for election.
    Candidate,
    /// Gets the log and does not vote.
    Learner,
    /// Has stopped.
    Stopped,
}

/// Whether a member votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suffrage {
    /// It votes and counts for a majority.
    Voter,
    /// It only gets the log.
    Learner,
}

/// One member, as the log of the asked node has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Its name.
    pub name: String,
    /// Its node id, 8 hexadecimal digits.
    pub node: String,
    /// Its address; the configured one goes before that in the log.
    pub address: String,
    /// Whether it votes.
    pub suffrage: Suffrage,
    /// How many entries its log is behind the leader's; known to the leader only.
    pub lag: Option<u64>,
    /// The version of its program; `None` if it has not said it lately, or is too old to say it.
    #[serde(default)]
    pub version: Option<String>,
    /// The newest set of commands that it knows; `None` if it has not been heard since the asked node started.
    #[serde(default)]
    pub command_set: Option<u32>,
    /// For how many milliseconds it has not been heard by the asked node; `None` for itself and for one it never heard.
    pub silent_ms: Option<u64>,
}

/// What is going on on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its node id, 8 hexadecimal digits.
    pub node: String,
    /// Its cluster, 32 hexadecimal digits; `None` before it has found one.
    pub cluster: Option<String>,
    /// How far it is with becoming a member.
    pub formation: Formation,
    /// What it does in Raft.
    pub role: Role,
    /// Raft's term.
    pub term: u64,
    /// The name of the leader, if it knows one.
    pub leader: Option<String>,
    /// The index of the newest entry in its log.
    pub last_log: u64,
    /// The newest index that is known to be committed; it follows the applied one closely.
    pub committed: u64,
    /// The newest index whose effect its readers see.
    pub applied: u64,
    /// The newest index in its newest snapshot; 0 without one.
    pub snapshot: u64,
    /// The set of commands in force; a member that does not know it is refused. 0 if an older version was asked.
    #[serde(default)]
    pub command_set: u32,
    /// Everybody in the membership, in order of name.
    pub members: Vec<MemberStatus>,
    /// How long it may answer from its memory if nothing more is heard, in milliseconds; 0 if it may not.
    pub lease_ms: u64,
    /// Whether it sees a majority: as leader, one has answered lately; as another node, it has a leader and a lease.
    pub has_quorum: bool,
    /// Replicated time, in milliseconds since the Unix epoch.
    pub replicated_time_ms: u64,
    /// What its storage has counted since the start.
    pub store: StoreNumbers,
    /// Why it has failed for good, if it has.
    pub failure: Option<String>,
}

pub(super) fn of(node: &Inner) -> Status {
    let metrics = node.raft.metrics().borrow().clone();
    let lease = node.freshness.remaining();
    let leader = metrics.current_leader;
    let has_quorum = match metrics.state {
        ServerState::Leader => node.freshness.may_read(),
        _ => leader.is_some() && node.freshness.may_read(),
    };
    let last_log = metrics.last_log_index.unwrap_or(0);
    let applied = *node.applied.borrow();
    Status {
        name: node.peers.member.name.clone(),
        node: hex(node.peers.node),
        cluster: node.peers.cluster().map(|cluster| cluster.to_string()),
        formation: formation(node),
        role: role(metrics.state),
        term: metrics.current_term,
        leader: leader.and_then(|id| Some(node.member(id)?.name)),
        last_log,
        committed: metrics.last_applied.map_or(applied, |id| id.index),
        applied,
        snapshot: metrics.snapshot.map_or(0, |id| id.index),
        command_set: node.peers.versions.in_force(),
        members: members(node, &metrics),
        lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
        has_quorum,
        replicated_time_ms: node.reader.now().0,
        store: node.store_metrics.numbers(),
        failure: node.failure(),
    }
}

/// A node that the others refuse, because it was removed, runs twice or is too old, needs help.
fn formation(node: &Inner) -> Formation {
    let formation = node.formation.borrow().clone();
    match node.peers.told() {
        Some(cause) if is_waiting(&formation) && !node.freshness.may_read() => {
            Formation::Stuck { cause }
        }
        _ => formation,
    }
}

/// Whether the node can only wait until it hears of the others.
fn is_waiting(formation: &Formation) -> bool {
    matches!(formation, Formation::Member | Formation::Asking { .. })
}

fn members(node: &Inner, metrics: &openraft::RaftMetrics<u64, crate::Member>) -> Vec<MemberStatus> {
    let last_log = metrics.last_log_index.unwrap_or(0);
    let lag = |id: u64| {
        let matched = metrics.replication.as_ref()?.get(&id)?;
        Some(last_log.saturating_sub(matched.map_or(0, |id| id.index)))
    };
    let membership = metrics.membership_config.membership();
    let voters: Vec<u64> = membership.voter_ids().collect();
    let silent_ms = |id: u64| {
        let silence = node.peers.silence(id)?;
        u64::try_from(silence.as_millis()).ok()
    };
    let version = |id: u64| match id {
        own if own == node.peers.node => Some(VERSION.to_owned()),
        other => node.census.seen(other)?.version,
    };
    let command_set = |id: u64| match id {
        own if own == node.peers.node => Some(node.peers.versions.own()),
        other => node.peers.versions.of(other),
    };
    let configured = |name: &str| node.peers.configured.iter().find(|m| m.name == name);
    let mut members: Vec<MemberStatus> = metrics
        .membership_config
        .nodes()
        .map(|(id, member)| MemberStatus {
            name: member.name.clone(),
            node: hex(*id),
            address: configured(&member.name).unwrap_or(member).address.clone(),
            suffrage: if voters.contains(id) {
                Suffrage::Voter
            } else {
                Suffrage::Learner
            },
            lag: lag(*id),
            version: version(*id),
            command_set: command_set(*id),
            silent_ms: silent_ms(*id),
        })
        .collect();
    members.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
    members
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    }
}

fn hex(node: u64) -> String {
    format!("{node:08x}")
}
