//! How nodes that know only each other's names and addresses become one cluster, once.
//!
//! A node whose log is empty asks all configured members who they are, again and again, until it is a member:
//! - somebody has members in its log: that is the cluster, and this node asks its leader for the place of its name;
//! - everybody answers and nobody has: the first by name founds a new cluster with all of them.
//!
//! Why no second cluster can form. A node is bound to a cluster id on disk before it says a word in that cluster, and
//! never unbound. A founder founds only after every configured member has bound itself to its cluster, so two founders
//! would need every member bound to both. The founder's own id is bound first and used again after a restart, so an
//! interrupted founding is taken up where it was.
//!
//! A node whose disk was wiped has a new node id, so it cannot vote twice, and an empty log, so it takes the first way.

mod join;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Member;
use crate::log::Repeated;
use crate::node::Inner;
use crate::random;
use crate::transport::message::{Answer, ClusterId, Introduction, Refusal, Request};

/// How long to wait between two rounds of asking.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a member may take to answer who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a newcomer asks for the vote that the configuration has for it.
const VOTE_PATIENCE: Duration = Duration::from_secs(120);

/// How far this node is with becoming a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Formation {
    /// It asks the configured members who they are, and these have not answered yet.
    Asking {
        /// The names of those that have not answered.
        waiting_for: Vec<String>,
    },
    /// Everybody has answered; the first by name is about to found the cluster.
    Founding,
    /// It has found the cluster and waits to be taken in.
    Joining,
    /// It is a member.
    Member,
    /// It cannot become a member without help; the text says what to do.
    Stuck {
        /// What is wrong and what to do.
        cause: String,
    },
}

/// How often a member looks for configured members that are not in the membership.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Greets the configured members that are not in this node's membership, again and again: one that belongs to another
/// cluster refuses, and then both say so in their logs instead of ignoring each other.
pub(crate) async fn look_for_strangers(node: Arc<Inner>) {
    loop {
        if node.is_member() {
            let membership = node.membership();
            let is_known = |name: &str| membership.nodes().any(|(_, member)| member.name == name);
            let mut strangers = others(&node);
            strangers.retain(|other| !is_known(&other.name));
            ask_all(&node, &strangers).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Works until this node is a member of a cluster, and has the vote it has asked for.
pub(crate) async fn run(node: Arc<Inner>) {
    let was_member = node.is_member();
    become_member(&node).await;
    if !was_member {
        ask_for_vote(&node).await;
    }
}

/// A newcomer that its cluster's configuration lists goes on asking until it votes, because the leader that took it in
/// may be gone. One that an operator has made a learner later does not ask.
async fn ask_for_vote(node: &Arc<Inner>) {
    let own = &node.peers.member;
    let is_listed = node.peers.configured.iter().any(|m| m.name == own.name);
    let deadline = Instant::now() + VOTE_PATIENCE;
    while is_listed && node.is_learner() && Instant::now() < deadline {
        tokio::time::sleep(PAUSE).await;
        let leader = node.leader();
        if let Some((leader, member)) = leader.and_then(|id| Some((id, node.member(id)?))) {
            let request = Request::Join {
                member: own.clone(),
            };
            // Asked again until it is granted.
            let _ = node
                .peers
                .call(Some(leader), &member, request, HELLO_TIMEOUT)
                .await;
        }
    }
}

async fn become_member(node: &Arc<Inner>) {
    let complaint = Repeated::default();
    let mut joining = false;
    while !node.is_member() {
        let phase = match step(node).await {
            Ok(phase) => phase,
            Err(cause) => {
                complaint.warn(&cause, || {
                    tracing::warn!(%cause, "this node is not a member of a cluster yet");
                });
                Formation::Stuck { cause }
            }
        };
        if phase == Formation::Joining && !joining {
            joining = true;
            tracing::info!("found the cluster; waiting to be taken in");
        }
        if let Formation::Asking { waiting_for } = &phase {
            let names = waiting_for.join(", ");
            complaint.warn(&names, || {
                tracing::info!(waiting_for = %names, "waiting for the members to form a cluster");
            });
        }
        node.formation.send_replace(phase);
        tokio::time::sleep(PAUSE).await;
    }
    node.formation.send_replace(Formation::Member);
    tracing::info!(cluster = %node.peers.cluster().map(|id| id.to_string()).unwrap_or_default(), "this node is a member");
}

/// One round: ask everybody, then do what the answers call for.
async fn step(node: &Arc<Inner>) -> Result<Formation, String> {
    let others = others(node);
    let answers = ask_all(node, &others).await;
    let clusters = running_clusters(&answers);
    match clusters.as_slice() {
        [] => {}
        [cluster] => return join(node, *cluster, &answers).await,
        [one, another, ..] => {
            return Err(format!(
                "the members belong to different clusters, {one} and {another}; find the node with the data directory \
                 of an old cluster, move that directory away and start it again"
            ));
        }
    }
    let waiting_for: Vec<String> = others
        .iter()
        .filter(|other| !answers.contains_key(&other.name))
        .map(|other| other.name.clone())
        .collect();
    if !waiting_for.is_empty() {
        return Ok(Formation::Asking { waiting_for });
    }
    if is_founder(node) {
        found(node, &others, &answers).await?;
    }
    Ok(Formation::Founding)
}

/// The configured members without this node.
fn others(node: &Inner) -> Vec<Member> {
    let own = &node.peers.member.name;
    let configured = node.peers.configured.iter();
    configured
        .filter(|member| member.name != *own)
        .cloned()
        .collect()
}

/// Whether this node is the first by name of the configured members. A node that is not listed founds nothing, unless
/// nobody is: then it is a cluster of one.
fn is_founder(node: &Inner) -> bool {
    let first = node.peers.configured.iter().map(|m| &m.name).min();
    first.is_none_or(|first| *first == node.peers.member.name)
}

/// Who answers, by name.
pub(crate) async fn ask_all(
    node: &Arc<Inner>,
    others: &[Member],
) -> BTreeMap<String, Introduction> {
    let mut asked = JoinSet::new();
    for other in others {
        let (node, other) = (Arc::clone(node), other.clone());
        asked.spawn(async move {
            let call = node.peers.call(None, &other, Request::Hello, HELLO_TIMEOUT);
            match call.await {
                Ok(Answer::Hello(introduction)) => Some(introduction),
                // Why is logged where the connection fails.
                _ => None,
            }
        });
    }
    let answers = asked.join_all().await;
    answers
        .into_iter()
        .flatten()
        .map(|introduction| (introduction.name.clone(), introduction))
        .collect()
}

/// The clusters that have members in a log.
fn running_clusters(answers: &BTreeMap<String, Introduction>) -> Vec<ClusterId> {
    let mut clusters = Vec::new();
    for introduction in answers.values().filter(|i| !i.members.is_empty()) {
        let news = introduction.cluster.filter(|id| !clusters.contains(id));
        clusters.extend(news);
    }
    clusters
}

/// Binds this node to the cluster and asks for a place in it.
async fn join(
    node: &Arc<Inner>,
    cluster: ClusterId,
    answers: &BTreeMap<String, Introduction>,
) -> Result<Formation, String> {
    node.bind(cluster).await?;
    let of_cluster = || answers.values().filter(|i| i.cluster == Some(cluster));
    if of_cluster().any(|i| i.members.contains_key(&node.peers.node)) {
        // The leader knows this node; its entries are on their way.
        return Ok(Formation::Joining);
    }
    let leader = of_cluster().find_map(|i| i.leader);
    let Some(leader) = leader else {
        return Err(format!(
            "cluster {cluster} has no leader; start more of its members, until a majority of them runs"
        ));
    };
    let known = of_cluster().find_map(|i| i.members.get(&leader).cloned());
    let Some(at) = known else {
        return Ok(Formation::Joining);
    };
    let member = node.peers.member.clone();
    let request = Request::Join { member };
    let asked = node.peers.call(Some(leader), &at, request, HELLO_TIMEOUT);
    match asked.await {
        Ok(_) => Ok(Formation::Joining),
        Err(error) => Err(format!(
            "`{}` leads cluster {cluster} and does not take this node in: {error}",
            at.name
        )),
    }
}

/// Founds a cluster of this node and all others, once all of them have bound themselves to it.
async fn found(
    node: &Arc<Inner>,
    others: &[Member],
    answers: &BTreeMap<String, Introduction>,
) -> Result<(), String> {
    let cluster = node
        .peers
        .cluster()
        .unwrap_or_else(|| ClusterId(random::number()));
    node.bind(cluster).await?;
    let mut members = BTreeMap::from([(node.peers.node, node.peers.member.clone())]);
    for other in others {
        if let Some(introduction) = answers.get(&other.name) {
            members.insert(introduction.node, other.clone());
        }
    }
    for (id, member) in members.iter().filter(|(id, _)| **id != node.peers.node) {
        let request = Request::Found {
            cluster,
            members: members.clone(),
        };
        let bound = node.peers.call(Some(*id), member, request, HELLO_TIMEOUT);
        bound.await.map_err(|error| {
            format!("`{}` is not ready to found a cluster: {error}", member.name)
        })?;
    }
    let names: Vec<&str> = members
        .values()
        .map(|member| member.name.as_str())
        .collect();
    tracing::info!(%cluster, members = %names.join(", "), "founding a cluster");
    let founded = node.raft.initialize(members).await;
    founded.map_err(|error| format!("the cluster could not be founded: {error}"))
}

impl Inner {
    /// Binds this node to `cluster`, durably, before it says a word in it.
    pub(crate) async fn bind(&self, cluster: ClusterId) -> Result<(), String> {
        if self.peers.cluster() == Some(cluster) {
            return Ok(());
        }
        let identity = self.identity.clone();
        let bound = tokio::task::spawn_blocking(move || identity.set_cluster_id(cluster.0)).await;
        bound
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.peers.set_cluster(cluster);
        Ok(())
    }

    /// Answers a founder: binds this node to the new cluster if it is one this node would found, too.
    pub(crate) async fn answer_found(
        &self,
        cluster: ClusterId,
        members: &BTreeMap<u64, Member>,
    ) -> Result<Answer, Refusal> {
        let mut ours: Vec<&str> = self
            .peers
            .configured
            .iter()
            .map(|m| m.name.as_str())
            .collect();
        let mut theirs: Vec<&str> = members.values().map(|m| m.name.as_str()).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        if ours != theirs {
            return Err(Refusal::NotNow(format!(
                "`{}` has other `cluster.members` ({}) than the founder ({}); set the same on all members",
                self.peers.member.name,
                ours.join(", "),
                theirs.join(", "),
            )));
        }
        if !members.contains_key(&self.peers.node) || !self.is_blank() {
            let text = format!(
                "`{}` is no longer what it said it was",
                self.peers.member.name
            );
            return Err(Refusal::NotNow(text));
        }
        self.bind(cluster).await.map_err(Refusal::NotNow)?;
        Ok(Answer::Done)
    }
}
