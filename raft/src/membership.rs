//! Changes of members that an operator asks for: what can be asked, what is refused, and why.
//!
//! The decision ([`plan`]) is pure: it sees who is a member, who votes and who answers. Carrying it out is
//! the leader's, see [`lead`]; any member can be asked, see [`ask`].
//!
//! Nodes that come by themselves (first members, wiped ones) are [`formation`](crate::formation)'s.

mod ask;
mod lead;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Member;
use crate::config::is_member_name;
use crate::lease::NodeId;
use crate::node::Suffrage;

/// What an operator wants changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Take in a node that runs with an empty data directory.
    Add {
        /// Its configured name.
        name: String,
        /// `host:port` of its node-to-node listener.
        address: String,
        /// Whether it is to vote.
        suffrage: Suffrage,
    },
    /// Take a member out. It never comes back under its old identity.
    Remove {
        /// Its name.
        name: String,
    },
    /// Give a learner a vote.
    Promote {
        /// Its name.
        name: String,
    },
    /// Take a voter's vote; it goes on as learner.
    Demote {
        /// Its name.
        name: String,
    },
    /// Let another voter lead.
    TransferLeader {
        /// Its name; `None` is the voter with the longest log.
        to: Option<String>,
    },
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// One sentence.
    pub done: String,
    /// What the operator should know besides.
    pub notes: Vec<String>,
}

/// Why a change was not made. Nothing has happened, unless the text says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ChangeRefusal {
    /// That cannot be a name.
    #[error(
        "`{name}` cannot be a member's name; it needs 1 to 63 letters, digits, `-`, `_` or `.`"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// That cannot be an address.
    #[error("`{address}` is not `host:port`; write for example `n4.internal:9092`")]
    Address {
        /// What was given.
        address: String,
    },
    /// There is no such member.
    #[error("there is no member `{name}`; the members are {members}")]
    NoSuchMember {
        /// What was given.
        name: String,
        /// Those there are, separated by commas.
        members: String,
    },
    /// The name is taken.
    #[error(
        "`{name}` is a member already; after its disk was wiped it needs no command, it comes back by itself"
    )]
    AlreadyMember {
        /// The name.
        name: String,
    },
    /// It votes already.
    #[error("`{name}` votes already")]
    AlreadyVoter {
        /// The member.
        name: String,
    },
    /// It has no vote.
    #[error("`{name}` is a learner, it has no vote")]
    NotVoter {
        /// The member.
        name: String,
    },
    /// It leads already.
    #[error("`{name}` leads already")]
    AlreadyLeader {
        /// The member.
        name: String,
    },
    /// There would be nobody left to decide.
    #[error("`{name}` is the only voter; promote or add another one first")]
    LastVoter {
        /// The member.
        name: String,
    },
    /// There is nobody who could lead.
    #[error("no other voter answers, so nobody could lead instead")]
    NoSuccessor,
    /// Fewer than a majority of the voters after the change would be alive.
    #[error(
        "that would lose quorum: of the voters afterwards ({voters}) only {alive} of {needed} that are needed \
         answer ({heard}); bring the others back or remove those that are gone for good first, or say --force"
    )]
    WouldLoseQuorum {
        /// The names of the voters there would be.
        voters: String,
        /// The names of those that are heard.
        heard: String,
        /// How many are heard.
        alive: usize,
        /// How many a majority is.
        needed: usize,
    },
    /// The node to be added does not answer.
    #[error(
        "no node `{name}` answers at {address}: {cause}; start it with an empty data directory, `cluster.name: {name}`, \
         the same `cluster.secret`, and the addresses of this cluster in `cluster.members`"
    )]
    Unreachable {
        /// The name it should have.
        name: String,
        /// Where it was looked for.
        address: String,
        /// What went wrong.
        cause: String,
    },
    /// The node to be added belongs to another cluster, or did belong to this one.
    #[error(
        "`{name}` has a data directory of {whose}; stop it, move its data directory away and start it again"
    )]
    UsedDirectory {
        /// Its name.
        name: String,
        /// Whose data it has.
        whose: String,
    },
    /// It is too far behind to vote.
    #[error(
        "`{name}` is {lag} log entries behind and did not catch up in time; it stays a learner, run \
         `quorate cluster promote {name}` when `quorate cluster members` shows that it has caught up"
    )]
    Lags {
        /// The member.
        name: String,
        /// How far it is behind; the whole log if it was never heard.
        lag: u64,
    },
    /// Another change is under way.
    #[error("another change of members is under way; try again in a moment")]
    Busy,
    /// Leadership stayed where it is.
    #[error("`{name}` was not elected in time; the leader goes on")]
    NotElected {
        /// Who was to lead.
        name: String,
    },
    /// Raft refuses, or nobody knows what became of it.
    #[error("{0}")]
    Raft(String),
}

/// Why a change could not be made or refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The leader says no.
    #[error(transparent)]
    Refused(#[from] ChangeRefusal),
    /// No leader could be asked.
    #[error("the cluster cannot decide now: {why}")]
    Unavailable {
        /// What is missing.
        why: String,
    },
    /// The leader did not answer in time.
    #[error(
        "the leader did not answer in time, so nobody knows whether the change was made; look at `quorate cluster members`"
    )]
    Unknown,
}

/// The members as a change is judged by.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    /// Everybody.
    pub(crate) members: BTreeMap<NodeId, Member>,
    /// Those who vote.
    pub(crate) voters: BTreeSet<NodeId>,
    /// Those who answer now, the leader among them.
    pub(crate) alive: BTreeSet<NodeId>,
    /// Who leads, and judges.
    pub(crate) leader: NodeId,
}

/// What to do for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Greet the node and take it in.
    Invite,
    /// Take the member out.
    Remove(NodeId),
    /// Give it a vote.
    Promote(NodeId),
    /// Take its vote.
    Demote(NodeId),
    /// Let this voter lead.
    HandOver(NodeId),
    /// The leader itself is meant: let another lead, who is then asked again.
    LetOther,
}

/// Judges a change. `is_forced` lets one pass that would lose quorum.
pub(crate) fn plan(
    roster: &Roster,
    change: &Change,
    is_forced: bool,
) -> Result<Step, ChangeRefusal> {
    let step = match change {
        Change::Add { name, address, .. } => return roster.may_invite(name, address),
        Change::TransferLeader { to } => return roster.successor(to.as_deref()),
        Change::Promote { name } => {
            let node = roster.find(name)?;
            if roster.voters.contains(&node) {
                return Err(ChangeRefusal::AlreadyVoter { name: name.clone() });
            }
            Step::Promote(node)
        }
        Change::Remove { name } => Step::Remove(roster.find(name)?),
        Change::Demote { name } => {
            let node = roster.find(name)?;
            if !roster.voters.contains(&node) {
                return Err(ChangeRefusal::NotVoter { name: name.clone() });
            }
            Step::Demote(node)
        }
    };
    roster.keeps_quorum(&step, is_forced)?;
    let is_leader =
        matches!(step, Step::Remove(node) | Step::Demote(node) if node == roster.leader);
    Ok(if is_leader { Step::LetOther } else { step })
}

impl Roster {
    fn may_invite(&self, name: &str, address: &str) -> Result<Step, ChangeRefusal> {
        if !is_member_name(name) {
            return Err(ChangeRefusal::Name { name: name.into() });
        }
        let port = address
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            let address = address.into();
            return Err(ChangeRefusal::Address { address });
        }
        let mut names = self.members.values().map(|member| &member.name);
        if names.any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(ChangeRefusal::AlreadyMember { name: name.into() });
        }
        Ok(Step::Invite)
    }

    fn successor(&self, to: Option<&str>) -> Result<Step, ChangeRefusal> {
        let Some(name) = to else {
            let mut others = self.voters.intersection(&self.alive);
            let is_there = others.any(|node| *node != self.leader);
            return if is_there {
                Ok(Step::LetOther)
            } else {
                Err(ChangeRefusal::NoSuccessor)
            };
        };
        let node = self.find(name)?;
        if node == self.leader {
            return Err(ChangeRefusal::AlreadyLeader { name: name.into() });
        }
        if !self.voters.contains(&node) {
            return Err(ChangeRefusal::NotVoter { name: name.into() });
        }
        if !self.alive.contains(&node) {
            return Err(ChangeRefusal::NotElected { name: name.into() });
        }
        Ok(Step::HandOver(node))
    }

    /// Whether a majority of the voters after the step answers now.
    fn keeps_quorum(&self, step: &Step, is_forced: bool) -> Result<(), ChangeRefusal> {
        let mut voters = self.voters.clone();
        match step {
            Step::Promote(node) => {
                voters.insert(*node);
            }
            Step::Remove(node) | Step::Demote(node) => {
                if voters.remove(node) && voters.is_empty() {
                    let name = self.names([*node]);
                    return Err(ChangeRefusal::LastVoter { name });
                }
            }
            Step::Invite | Step::HandOver(_) | Step::LetOther => {}
        }
        let heard: Vec<NodeId> = voters.intersection(&self.alive).copied().collect();
        let needed = majority(voters.len());
        if heard.len() >= needed || is_forced || voters == self.voters {
            return Ok(());
        }
        Err(ChangeRefusal::WouldLoseQuorum {
            alive: heard.len(),
            heard: self.names(heard),
            voters: self.names(voters),
            needed,
        })
    }

    /// The voter or learner of that name.
    fn find(&self, name: &str) -> Result<NodeId, ChangeRefusal> {
        // While a wiped node takes its old place two have one name; the one that votes is meant.
        let mut of_name: Vec<NodeId> = self.members.keys().copied().collect();
        of_name.retain(|node| self.names([*node]).eq_ignore_ascii_case(name));
        of_name.sort_by_key(|node| !self.voters.contains(node));
        of_name.first().copied().ok_or_else(|| {
            let members = self.names(self.members.keys().copied());
            let name = name.into();
            ChangeRefusal::NoSuchMember { name, members }
        })
    }

    /// Names in order, separated by commas.
    fn names(&self, nodes: impl IntoIterator<Item = NodeId>) -> String {
        let mut names: Vec<&str> = nodes
            .into_iter()
            .filter_map(|node| Some(self.members.get(&node)?.name.as_str()))
            .collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// How many of so many voters decide.
pub(crate) fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// What an operator should know of a cluster with so many voters.
pub(crate) fn advice(voters: usize) -> Vec<String> {
    let spare = voters - majority(voters).min(voters);
    let count = match voters {
        1 => "1 voter".to_owned(),
        many => format!("{many} voters"),
    };
    let mut notes = vec![format!(
        "{count}: the cluster goes on with {spare} of them lost"
    )];
    if voters > 1 && voters.is_multiple_of(2) {
        notes.push(format!(
            "{} voters would stand as many losses; an odd number is cheaper",
            voters - 1
        ));
    }
    notes
}
