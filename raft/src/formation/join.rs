//! The leader's side of joining: the way from a stranger to a voter, one step at a time.
//!
//! 1. The newcomer asks. If a member of its name is there, or the leader's configuration lists it, it becomes a
//!    learner, which gets the log but has no vote. Anybody else waits for the operator to add it
//!    ([`membership`](crate::membership)).
//! 2. Once it has caught up, the leader gives it the place of the member of the same name, with or without a vote, and
//!    removes that one in the same change; or the vote that the configuration has for it. The leader looks for such
//!    learners by itself, and the newcomer goes on asking, so a later leader goes on where the last one stopped.
//!
//! The old member must have been silent for a while: two nodes that are configured with one name would else push each
//! other out for ever. And its read lease must have ended, because later leaders do not know that it was ever a member.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::StoredMembership;

use crate::Member;
use crate::node::Inner;
use crate::transport::message::{Answer, Refusal};

/// How long the old member of a name must have been silent before another takes its place.
const SILENCE: Duration = Duration::from_secs(2);

/// A learner this close to the end of the log has caught up.
const LAG_MAX: u64 = 64;

/// How long a change of members may take before the newcomer is told to ask again.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

impl Inner {
    /// Does the next step for the node `from`.
    pub(crate) async fn answer_join(
        self: &Arc<Self>,
        from: u64,
        member: Member,
    ) -> Result<Answer, Refusal> {
        if !self.is_leader() {
            return Err(self.not_leader());
        }
        if !crate::config::is_member_name(&member.name) {
            return Err(Refusal::NotNow(format!(
                "`{}` cannot be a member's name",
                member.name
            )));
        }
        let Ok(_turn) = self.membership_turn.try_lock() else {
            return Err(Refusal::NotNow(
                "another change of members is under way".to_owned(),
            ));
        };
        let membership = self.effective_membership().await.map_err(Refusal::NotNow)?;
        let is_member = membership.nodes().any(|(id, _)| *id == from);
        let has_namesake = !namesakes(&membership, &member.name, from).is_empty();
        let is_listed = self.peers.configured.iter().any(|m| m.name == member.name);
        if is_listed && !has_namesake {
            self.vote_wanted().insert(from);
        }
        if is_member {
            return Ok(Answer::Done);
        }
        if !is_listed && !has_namesake {
            return Err(Refusal::NotNow(format!(
                "no member has this name, and `cluster.members` of the leader does not list it; run `quorate cluster add \
                 {}={}` on a member",
                member.name, member.address
            )));
        }
        self.check_place(&membership, &member.name, from)
            .map_err(Refusal::NotNow)?;
        tracing::info!(member = %member.name, address = %member.address, node = %format!("{from:08x}"), "a node joins as learner");
        let added =
            tokio::time::timeout(CHANGE_TIMEOUT, self.raft.add_learner(from, member, false));
        match added.await {
            Ok(Ok(_)) => Ok(Answer::Done),
            Ok(Err(error)) => Err(Refusal::NotNow(error.to_string())),
            Err(_) => Err(Refusal::NotNow(
                "the change of members is not committed yet".to_owned(),
            )),
        }
    }

    /// Gives learners that have caught up the place of their name, and ends a joint membership that an earlier leader
    /// has left behind. To be called every now and then on the leader.
    pub(crate) async fn tend_membership(&self) {
        let Ok(_turn) = self.membership_turn.try_lock() else {
            return;
        };
        let Ok(membership) = self.effective_membership().await else {
            return;
        };
        if let [_, newer] = membership.membership().get_joint_config().as_slice() {
            tracing::info!("finishing a change of members that an earlier leader began");
            // Whoever was to leave stays as learner: only the earlier leader knew whether its lease had ended.
            let changing = self.raft.change_membership(newer.clone(), true);
            // If it fails, the next call tries again.
            let _ = tokio::time::timeout(CHANGE_TIMEOUT, changing).await;
            return;
        }
        let mut learners = membership.membership().learner_ids();
        let ready = learners.find_map(|node| {
            let name = name_of(&membership, node).filter(|_| self.has_caught_up(node))?;
            self.has_place(&membership, node, &name)
                .then_some((node, name))
        });
        // One at a time: the next is judged by the membership that this change makes.
        if let Some((node, name)) = ready
            && let Err(cause) = self.promote(&membership, node, name).await
        {
            self.complaint.warn(&cause, || {
                tracing::warn!(node = %format!("{node:08x}"), %cause, "a learner cannot take its place yet");
            });
        }
    }

    /// Whether there is a vote for the learner, or somebody whose place it takes. Otherwise it is a read replica.
    fn has_place(&self, membership: &StoredMembership<u64, Member>, node: u64, name: &str) -> bool {
        let is_alone = namesakes(membership, name, node).is_empty();
        let is_alive = self.peers.silence(node).is_some_and(|s| s < SILENCE);
        is_alive && (!is_alone || self.vote_wanted().contains(&node))
    }

    /// Learners that wait for the vote that the configuration has for their names.
    fn vote_wanted(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.vote_wanted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the learner `node` the place of its name.
    async fn promote(
        &self,
        membership: &StoredMembership<u64, Member>,
        node: u64,
        name: String,
    ) -> Result<(), String> {
        let namesakes = namesakes(membership, &name, node);
        let voters: BTreeSet<u64> = membership.membership().voter_ids().collect();
        let takes_vote = namesakes.iter().any(|id| voters.contains(id));
        let gets_vote = takes_vote || (namesakes.is_empty() && self.vote_wanted().remove(&node));
        self.check_place(membership, &name, node)?;
        for old in &namesakes {
            self.freshness.retire(*old).await;
        }
        tracing::info!(member = %name, node = %format!("{node:08x}"), "a learner has caught up and takes the place of its name");
        if !gets_vote {
            return self
                .change(ChangeMembers::RemoveNodes(namesakes.clone()), &namesakes)
                .await;
        }
        let staying = voters.difference(&namesakes).copied();
        let voters: BTreeSet<u64> = staying.chain([node]).collect();
        self.change(ChangeMembers::ReplaceAllVoters(voters), &namesakes)
            .await
    }

    async fn change(
        &self,
        change: ChangeMembers<u64, Member>,
        leaving: &BTreeSet<u64>,
    ) -> Result<(), String> {
        let changing = self.raft.change_membership(change, false);
        match tokio::time::timeout(CHANGE_TIMEOUT, changing).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                for old in leaving {
                    self.freshness.reinstate(*old);
                }
                Err(error.to_string())
            }
            // It may still be committed, so who leaves must get no lease again.
            Err(_) => Err("the change of members is not committed yet".to_owned()),
        }
    }

    /// Whether the place of `name` is free: no other node of that name has been heard for a while.
    fn check_place(
        &self,
        membership: &StoredMembership<u64, Member>,
        name: &str,
        newcomer: u64,
    ) -> Result<(), String> {
        for old in namesakes(membership, name, newcomer) {
            let silence = self.peers.silence(old);
            if silence.is_some_and(|silence| silence < SILENCE) {
                return Err(format!(
                    "a member named `{name}` (node {old:08x}) has just been heard; if it was wiped and started again, \
                     its new life is taken in shortly, otherwise give one of the two another name"
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn has_caught_up(&self, node: u64) -> bool {
        let metrics = self.raft.data_metrics().borrow().clone();
        let last = metrics.last_log.map_or(0, |id| id.index);
        let matched = metrics
            .replication
            .and_then(|r| r.get(&node).copied().flatten());
        matched.is_some_and(|matched| last.saturating_sub(matched.index) <= LAG_MAX)
    }

    /// The newest membership in the log, from Raft itself: metrics may be a moment behind, and a change that is computed
    /// from an old membership would remove members.
    pub(crate) async fn effective_membership(
        &self,
    ) -> Result<Arc<StoredMembership<u64, Member>>, String> {
        let effective = self.raft.with_raft_state(|state| {
            let effective = state.membership_state.effective();
            StoredMembership::new(*effective.log_id(), effective.membership().clone())
        });
        effective
            .await
            .map(Arc::new)
            .map_err(|fatal| fatal.to_string())
    }

    pub(crate) fn membership(&self) -> Arc<StoredMembership<u64, Member>> {
        Arc::clone(&self.raft.server_metrics().borrow().membership_config)
    }
}

/// The other nodes of that name.
fn namesakes(
    membership: &StoredMembership<u64, Member>,
    name: &str,
    newcomer: u64,
) -> BTreeSet<u64> {
    membership
        .nodes()
        .filter(|(id, member)| **id != newcomer && member.name == name)
        .map(|(id, _)| *id)
        .collect()
}

fn name_of(membership: &StoredMembership<u64, Member>, node: u64) -> Option<String> {
    let mut nodes = membership.nodes();
    nodes
        .find(|(id, _)| **id == node)
        .map(|(_, member)| member.name.clone())
}
