//! What one survivor has left, made into a new cluster.
//!
//! All of its log counts, also entries of which it never heard that they were committed: they may have been
//! acknowledged. What only the lost members had is lost, so sessions end unless they are to be kept: a logout may be
//! among it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::RaftLogReader;
use openraft::storage::RaftStateMachine;
use quorate_core::{Reader, State};
use tokio::task::JoinSet;

use super::{NewNode, PARTS, RebuildError, Rebuilt, finish, rebuild};
use crate::clock::wall_time;
use crate::membership::majority;
use crate::store::{self, Lock, Options, SnapshotMeta, StoredMembership};
use crate::transport::authority::Authority;
use crate::transport::link::CallError;
use crate::transport::message::{Answer, ClusterId, Request};
use crate::transport::peers::Peers;
use crate::versions::Versions;
use crate::{Member, NodeConfig, random};

/// How long a member of the old cluster may take to answer.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes a new cluster of one of the data directory of a member whose cluster has lost its quorum for good. Durable on
/// return.
///
/// # Errors
/// [`RebuildError`]; among them [`RebuildError::QuorumAnswers`] and a node that runs on the directory.
pub async fn recover(config: &NodeConfig, keeps_sessions: bool) -> Result<Rebuilt, RebuildError> {
    let dir = &config.data_dir;
    if dir.join(store::STAGED).exists() {
        let _lock = Lock::take(dir)?;
        finish(dir)?;
    }
    if !PARTS.iter().all(|part| dir.join(part).exists()) {
        return Err(RebuildError::Nothing { path: dir.clone() });
    }
    let (state, meta, id, cluster) = read_all(config).await?;
    refuse_if_alive(config, &meta.last_membership, (id, cluster)).await?;
    let advertise = config.cluster.as_ref().map(|c| c.advertise.clone());
    let node = NewNode {
        name: config.name.clone(),
        address: advertise.unwrap_or_default(),
        data_dir: dir.clone(),
    };
    let _lock = Lock::take(dir)?;
    rebuild(&node, meta, state, keeps_sessions)
}

/// The state with all of the log applied.
async fn read_all(
    config: &NodeConfig,
) -> Result<(State, SnapshotMeta, u64, Option<ClusterId>), RebuildError> {
    let options = Options {
        name: config.name.clone(),
        node_id_if_new: random::node_id(),
        ballast_bytes: 0,
    };
    let mut opened = store::open(&config.data_dir, &options)?;
    let failed = |error: openraft::StorageError<u64>| std::io::Error::other(error.to_string());
    let (last, _) = opened.machine.applied_state().await.map_err(failed)?;
    let next = last.map_or(0, |last| last.index + 1);
    let rest = opened.log.try_get_log_entries(next..).await;
    let applied = opened.machine.apply(rest.map_err(failed)?).await;
    applied.map_err(failed)?;
    let (last_log_id, last_membership) = opened.machine.applied_state().await.map_err(failed)?;
    let (_, view) = opened.machine.views().take();
    let mut bytes = Vec::new();
    view.write_to(&mut bytes)?;
    let mut state = State::new();
    state.load(&mut bytes.as_slice())?;
    let meta = SnapshotMeta {
        last_log_id,
        last_membership,
        snapshot_id: String::new(),
    };
    let cluster = opened.identity.cluster_id().map(ClusterId);
    Ok((state, meta, opened.identity.node_id(), cluster))
}

/// Greets the other voters. This node's own vote counts, since it could be started.
async fn refuse_if_alive(
    config: &NodeConfig,
    membership: &StoredMembership,
    (id, cluster): (u64, Option<ClusterId>),
) -> Result<(), RebuildError> {
    let Some(settings) = &config.cluster else {
        return Ok(());
    };
    let authority = Authority::new(&settings.secret, &config.name, wall_time())?;
    let own = Member {
        name: config.name.clone(),
        address: settings.advertise.clone(),
    };
    let peers = Arc::new(Peers::new(
        id,
        own,
        settings.members.clone(),
        Some(Arc::new(authority)),
        cluster,
        (
            random::incarnation(),
            Versions::new(config.command_set, Reader::default()),
        ),
    ));
    // A member that was healed has another id since; its name stays.
    let voters: Vec<u64> = membership.membership().voter_ids().collect();
    let named = membership.nodes().filter(|(n, _)| voters.contains(n));
    let named: BTreeMap<&str, &Member> = named.map(|(_, m)| (m.name.as_str(), m)).collect();
    let mut asked = JoinSet::new();
    for member in named.values().filter(|member| member.name != config.name) {
        let (peers, member) = (Arc::clone(&peers), Member::clone(member));
        asked.spawn(async move {
            let call = peers.call(None, &member, Request::Hello, HELLO_TIMEOUT);
            lives(&call.await, &member.name, cluster).then_some(member.name)
        });
    }
    let mut names: Vec<String> = asked.join_all().await.into_iter().flatten().collect();
    peers.close();
    let own_vote = usize::from(voters.contains(&id));
    if names.is_empty() || names.len() + own_vote < majority(named.len()) {
        return Ok(());
    }
    names.sort_unstable();
    let names = names.join(", ");
    Err(RebuildError::QuorumAnswers { names })
}

/// Whether the voter `name` may be a member of the cluster that runs. Who refuses to talk, for its version for example, is
/// taken for one: a second cluster beside a live one would be worse than a recovery refused.
fn lives(hello: &Result<Answer, CallError>, name: &str, cluster: Option<ClusterId>) -> bool {
    match hello {
        Ok(Answer::Hello(theirs)) => theirs.cluster == cluster && theirs.name == name,
        Err(CallError::Declined(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::message::{Introduction, Refusal};

    #[test]
    fn a_voter_lives_by_its_name_in_this_cluster_or_by_refusing_to_talk() {
        let ours = Some(ClusterId(1));
        let hello = |name: &str, cluster| {
            let introduction = Introduction {
                name: name.to_owned(),
                // Not the id that the membership on this disk has: the member was healed.
                node: 77,
                cluster,
                members: BTreeMap::default(),
                leader: None,
            };
            Ok(Answer::Hello(introduction))
        };
        let text = || "n2".to_owned();
        let refused = Refusal::WrongCluster {
            name: text(),
            cluster: ClusterId(2),
        };
        for (answer, expected) in [
            (hello("n2", ours), true),
            (hello("n2", Some(ClusterId(2))), false),
            (hello("n2", None), false),
            (hello("n3", ours), false),
            (Err(CallError::Declined(text())), true),
            (Err(CallError::Unreachable(text())), false),
            (Err(CallError::Timeout(text())), false),
            (Err(CallError::Lost(text())), false),
            (Err(CallError::Refused(refused)), false),
        ] {
            assert_eq!(lives(&answer, "n2", ours), expected, "{answer:?}");
        }
    }
}
