//! The leader's side of a change that an operator asks for.
//!
//! One change is made at a time. A voter comes and goes through a joint membership; a member that leaves is first left
//! without leases, because later leaders do not know that it was ever a member.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::{ChangeMembers, StoredMembership};
use tokio::time::{Instant, timeout};

use super::{Change, ChangeRefusal, Changed, Roster, Step, advice, plan};
use crate::Member;
use crate::formation::ask_all;
use crate::lease::NodeId;
use crate::node::{Inner, Suffrage};
use crate::transport::message::{Answer, Introduction, Request};

/// How long a newcomer may take for one answer.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);

/// How long another change may take before this one is refused.
const TURN_TIMEOUT: Duration = Duration::from_secs(6);

/// How long a node that is to be added may take to answer: it may be starting.
const GREET_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a learner may take to catch up before it votes.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);

/// What becomes of most changes that are not confirmed in time.
const MADE_LATER: &str = "it will be made as soon as one does";

/// How often to look, while waiting.
const AGAIN: Duration = Duration::from_millis(50);

/// This node does not lead any more.
pub(crate) struct NotLeader;

/// A change made, or refused; or somebody else has to be asked.
type Outcome = Result<Result<Changed, ChangeRefusal>, NotLeader>;

impl Inner {
    /// Makes the change if this node leads.
    pub(crate) async fn make_change(self: &Arc<Self>, change: &Change, is_forced: bool) -> Outcome {
        if !self.is_leader() {
            return Err(NotLeader);
        }
        let Ok(_turn) = timeout(TURN_TIMEOUT, self.membership_turn.lock()).await else {
            return Ok(Err(ChangeRefusal::Busy));
        };
        let membership = match self.effective_membership().await {
            Ok(membership) => membership,
            Err(cause) => return Ok(Err(ChangeRefusal::Raft(cause))),
        };
        let roster = self.roster(&membership).await;
        let step = match plan(&roster, change, is_forced) {
            Ok(step) => step,
            Err(refusal) => return Ok(Err(refusal)),
        };
        tracing::info!(
            ?change,
            is_forced,
            "changing the members as an operator asks"
        );
        let done = match step {
            Step::HandOver(node) => self.let_lead(Some(node)).await,
            Step::LetOther if matches!(change, Change::TransferLeader { .. }) => {
                self.let_lead(None).await
            }
            Step::LetOther => match self.let_lead(None).await {
                Ok(_) => return Err(NotLeader),
                Err(refusal) => Err(refusal),
            },
            Step::Invite => self.invite(change).await,
            Step::Promote(node) => self.give_vote(node).await,
            Step::Demote(node) => self.take_vote(node).await,
            Step::Remove(node) => self.take_out(node, &roster).await,
        };
        Ok(match done {
            Ok(done) => Ok(Changed {
                done,
                notes: self.notes(change).await,
            }),
            Err(refusal) => Err(refusal),
        })
    }

    /// Everybody is greeted: that one was heard a second ago does not say that it can confirm a change now.
    async fn roster(self: &Arc<Self>, membership: &StoredMembership<u64, Member>) -> Roster {
        let leader = self.peers.node;
        let members = membership.nodes().map(|(id, m)| (*id, m.clone()));
        let members: BTreeMap<NodeId, Member> = members.collect();
        let others: Vec<Member> = members
            .iter()
            .filter(|(id, _)| **id != leader)
            .map(|(_, member)| member.clone())
            .collect();
        let answers = ask_all(self, &others).await;
        let answered = answers.values().map(|introduction| introduction.node);
        Roster {
            voters: membership.membership().voter_ids().collect(),
            alive: answered.chain([leader]).collect(),
            members,
            leader,
        }
    }

    async fn notes(&self, change: &Change) -> Vec<String> {
        if matches!(change, Change::TransferLeader { .. }) {
            return Vec::new();
        }
        let voters = self.effective_membership().await;
        let voters = voters.map_or(0, |m| m.membership().voter_ids().count());
        let mut notes = advice(voters);
        if let Change::Remove { name } = change
            && self.peers.configured.iter().any(|m| m.name == *name)
        {
            notes.push(format!(
                "`{name}` still stands in `cluster.members`; take it out on all members, else it is taken in again when \
                 it starts with an empty data directory"
            ));
        }
        notes
    }

    async fn let_lead(&self, node: Option<NodeId>) -> Result<String, ChangeRefusal> {
        let successor = self.hand_over(node).await?;
        Ok(format!("`{successor}` leads now"))
    }

    /// Takes in a node that runs and belongs nowhere yet.
    async fn invite(self: &Arc<Self>, change: &Change) -> Result<String, ChangeRefusal> {
        let Change::Add {
            name,
            address,
            suffrage,
        } = change
        else {
            return Err(ChangeRefusal::Busy);
        };
        let member = Member {
            name: name.clone(),
            address: address.clone(),
        };
        let introduction = self.greet(&member).await?;
        let is_ours = introduction.cluster == self.peers.cluster();
        let whose = match introduction.cluster {
            Some(_) if is_ours && !introduction.members.is_empty() => {
                Some("a node that was a member of this cluster".to_owned())
            }
            Some(cluster) if !is_ours => Some(format!("cluster {cluster}")),
            _ => None,
        };
        if let Some(whose) = whose {
            let name = name.clone();
            return Err(ChangeRefusal::UsedDirectory { name, whose });
        }
        let node = introduction.node;
        let adding = self.raft.add_learner(node, member, false);
        settled(adding, MADE_LATER).await?;
        if *suffrage == Suffrage::Learner {
            return Ok(format!("`{name}` is a learner now"));
        }
        self.give_vote(node).await
    }

    async fn greet(self: &Arc<Self>, member: &Member) -> Result<Introduction, ChangeRefusal> {
        let deadline = Instant::now() + GREET_TIMEOUT;
        loop {
            let asked = self.peers.call(None, member, Request::Hello, HELLO_TIMEOUT);
            let cause = match asked.await {
                Ok(Answer::Hello(introduction)) => return Ok(introduction),
                Ok(_) => "it answers another question".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                return Err(ChangeRefusal::Unreachable {
                    name: member.name.clone(),
                    address: member.address.clone(),
                    cause,
                });
            }
            tokio::time::sleep(AGAIN * 4).await;
        }
    }

    async fn give_vote(&self, node: NodeId) -> Result<String, ChangeRefusal> {
        let name = self.name_of(node);
        let deadline = Instant::now() + CATCH_UP_TIMEOUT;
        while !self.has_caught_up(node) {
            if Instant::now() > deadline || !self.is_leader() {
                let lag = self.lag(node);
                return Err(ChangeRefusal::Lags { name, lag });
            }
            tokio::time::sleep(AGAIN).await;
        }
        self.commit(
            ChangeMembers::AddVoterIds(BTreeSet::from([node])),
            true,
            MADE_LATER,
        )
        .await?;
        Ok(format!("`{name}` is a voter now"))
    }

    /// It stays a member and keeps its leases.
    async fn take_vote(&self, node: NodeId) -> Result<String, ChangeRefusal> {
        let name = self.name_of(node);
        self.commit(
            ChangeMembers::RemoveVoters(BTreeSet::from([node])),
            true,
            MADE_LATER,
        )
        .await?;
        Ok(format!("`{name}` is a learner now"))
    }

    async fn take_out(&self, node: NodeId, roster: &Roster) -> Result<String, ChangeRefusal> {
        let name = self.name_of(node);
        self.freshness.retire(node).await;
        let removed = if roster.voters.contains(&node) {
            // Whoever leads then keeps it as learner: see `tend_membership`.
            let later = format!(
                "when one does, `{name}` is a learner; then run `quorate cluster remove {name}` again"
            );
            self.commit(
                ChangeMembers::RemoveVoters(BTreeSet::from([node])),
                false,
                &later,
            )
            .await
        } else {
            self.commit(
                ChangeMembers::RemoveNodes(BTreeSet::from([node])),
                true,
                MADE_LATER,
            )
            .await
        };
        if let Err(refusal) = removed {
            self.freshness.reinstate(node);
            return Err(refusal);
        }
        Ok(format!(
            "`{name}` is removed; stop it, and move its data directory away before it is used again"
        ))
    }

    async fn commit(
        &self,
        change: ChangeMembers<u64, Member>,
        retain: bool,
        later: &str,
    ) -> Result<(), ChangeRefusal> {
        settled(self.raft.change_membership(change, retain), later).await
    }

    fn name_of(&self, node: NodeId) -> String {
        self.member(node)
            .map_or_else(|| format!("{node:08x}"), |member| member.name)
    }

    fn lag(&self, node: NodeId) -> u64 {
        let metrics = self.raft.data_metrics().borrow().clone();
        let last = metrics.last_log.map_or(0, |id| id.index);
        let matched = metrics
            .replication
            .and_then(|r| r.get(&node).copied().flatten());
        last.saturating_sub(matched.map_or(0, |id| id.index))
    }
}

/// Waits for a change of members to be committed; `later` says what becomes of it if that takes too long.
async fn settled<T, E: std::fmt::Display>(
    changing: impl Future<Output = Result<T, E>>,
    later: &str,
) -> Result<(), ChangeRefusal> {
    /// As long as the newcomer is told to ask again.
    const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);
    match timeout(COMMIT_TIMEOUT, changing).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(ChangeRefusal::Raft(error.to_string())),
        Err(_) => Err(ChangeRefusal::Raft(format!(
            "no majority has confirmed the change yet; {later}"
        ))),
    }
}
