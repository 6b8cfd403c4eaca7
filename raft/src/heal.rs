//! Putting a damaged data directory aside, so that its node comes back as a new one and gets everything from the others.
//!
//! What goes may be the last copy of something acknowledged, so it goes only while a quorum of the others proves that it
//! needs none of it: their leader has to find a majority of the voters without this node. They then have every entry that
//! was ever committed, and the damaged copy counts no more than a lost disk. It is kept nevertheless, under another name.
//!
//! The identity goes first. Whatever is left after an interruption is damaged, too, and never a node that votes under its
//! old identity with an emptier log.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quorate_core::Reader;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::wall_time;
use crate::store::{self, Damage, Lock, OpenError, Options, create_directory, sync_directory};
use crate::transport::authority::{Authority, AuthorityError};
use crate::transport::message::{Answer, ClusterId, Introduction, Request};
use crate::transport::peers::Peers;
use crate::versions::Versions;
use crate::{ClusterConfig, Member, NodeConfig, random};

/// What is put aside, in this order.
const PARTS: [&str; 4] = ["identity", "mark", "log", "snapshots"];

/// How long one member may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the others may take to be a quorum: an election may be under way.
const QUORUM_PATIENCE: Duration = Duration::from_secs(6);
const PAUSE: Duration = Duration::from_millis(200);

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Healed {
    /// What was wrong, in one line.
    pub damage: String,
    /// Where the damaged files are now.
    pub moved_to: PathBuf,
    /// The member that leads the quorum of the others.
    pub leader: String,
}

/// Why nothing was put aside. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum HealError {
    /// There is nothing in the directory.
    #[error("data directory `{}`: holds no member's data; start the node, and it joins", path.display())]
    Nothing {
        /// The data directory.
        path: PathBuf,
    },
    /// There is nothing wrong with it.
    #[error("data directory `{}`: sound, all of it opens and decodes; there is nothing to heal, start the node", path.display())]
    Sound {
        /// The data directory.
        path: PathBuf,
    },
    /// Nobody else has a copy.
    #[error(
        "data directory `{}`: damaged, and a cluster of one has no other copy; move the directory away and restore a \
         backup with `quorate cluster restore`",
        path.display()
    )]
    Alone {
        /// The data directory.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        damage: Damage,
    },
    /// It may be the last copy of something.
    #[error(
        "data directory `{}`: damaged, but it stays where it is, because it may be the last copy of what was acknowledged: \
         {why}; start the other members first, or if a majority of them is lost for good, run `quorate cluster recover` on \
         a member whose data directory is sound",
        path.display()
    )]
    NoQuorum {
        /// The data directory.
        path: PathBuf,
        /// What is missing.
        why: String,
        /// What is wrong with it.
        #[source]
        damage: Damage,
    },
    /// The directory cannot be used, and not because of damage.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The secret is none.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The disk fails.
    #[error("the damaged files cannot be moved")]
    Io(#[from] io::Error),
}

/// Checks the data directory of a node that does not run. If it is damaged and a quorum of the others goes on without it,
/// its files go to the folder `moved_to` in it, which must not exist; the next start joins as a new node. Durable on
/// return.
///
/// # Errors
/// [`HealError`] says what to do; nothing has changed, except by [`HealError::Io`], after which the same call goes on.
pub async fn heal(config: &NodeConfig, moved_to: &str) -> Result<Healed, HealError> {
    let path = config.data_dir.clone();
    if !PARTS.iter().any(|part| path.join(part).exists()) {
        return Err(HealError::Nothing { path });
    }
    let damage = damage(config)?;
    // Held until all is done, so that no node starts meanwhile.
    let _lock = Lock::take(&path)?;
    let others = config.cluster.as_ref().map(|settings| {
        let others = settings.members.iter().filter(|m| m.name != config.name);
        (settings, others.cloned().collect::<Vec<Member>>())
    });
    let Some((settings, others)) = others.filter(|(_, others)| !others.is_empty()) else {
        return Err(HealError::Alone { path, damage });
    };
    let leader = match quorum_of(config, settings, &others).await? {
        Ok(leader) => leader,
        Err(why) => return Err(HealError::NoQuorum { path, why, damage }),
    };
    let moved_to = put_aside(&path, moved_to)?;
    let damage = one_line(&damage);
    Ok(Healed {
        damage,
        moved_to,
        leader,
    })
}

/// What is wrong with the directory.
fn damage(config: &NodeConfig) -> Result<Damage, HealError> {
    let options = Options {
        name: config.name.clone(),
        node_id_if_new: random::node_id(),
        ballast_bytes: 0,
    };
    match store::open(&config.data_dir, &options) {
        Ok(opened) => {
            drop(opened);
            let path = config.data_dir.clone();
            Err(HealError::Sound { path })
        }
        Err(OpenError::Damaged { damage, .. }) => Ok(damage),
        Err(other) => Err(other.into()),
    }
}

/// The name of the leader that finds a majority of the voters without this node; or what is missing, in words.
async fn quorum_of(
    config: &NodeConfig,
    settings: &ClusterConfig,
    others: &[Member],
) -> Result<Result<String, String>, HealError> {
    let authority = Arc::new(Authority::new(&settings.secret, &config.name, wall_time())?);
    let peers = |node, cluster| {
        let own = Member {
            name: config.name.clone(),
            address: settings.advertise.clone(),
        };
        let configured = settings.members.clone();
        let versions = Versions::new(config.command_set, Reader::default());
        let life = (random::incarnation(), versions);
        let authority = Some(Arc::clone(&authority));
        Arc::new(Peers::new(node, own, configured, authority, cluster, life))
    };
    let give_up = Instant::now() + QUORUM_PATIENCE;
    loop {
        let stranger = peers(random::node_id(), None);
        let answers = greet(&stranger, others).await;
        stranger.close();
        let found = match leader_of(&answers, &config.name) {
            Ok(Found {
                cluster,
                own_id,
                leader: (id, at),
            }) => {
                // As the member that this node was: a leader counts for nobody else.
                let member = peers(own_id, Some(cluster));
                let asked = member.call(Some(id), &at, Request::ReadIndex, ANSWER_TIMEOUT);
                let asked = asked.await;
                member.close();
                match asked {
                    Ok(_) => return Ok(Ok(at.name)),
                    Err(error) => format!(
                        "`{}` leads, and finds no majority of the voters without this node: {error}",
                        at.name
                    ),
                }
            }
            Err(why) => why,
        };
        if Instant::now() >= give_up {
            return Ok(Err(found));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks all of `others` who they are.
async fn greet(peers: &Arc<Peers>, others: &[Member]) -> Vec<Introduction> {
    let mut asked = JoinSet::new();
    for other in others {
        let (peers, other) = (Arc::clone(peers), other.clone());
        asked.spawn(async move {
            let call = peers.call(None, &other, Request::Hello, ANSWER_TIMEOUT);
            match call.await {
                Ok(Answer::Hello(introduction)) => Some(introduction),
                _ => None,
            }
        });
    }
    asked.join_all().await.into_iter().flatten().collect()
}

/// What the others say of the cluster and of this node's place in it.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    cluster: ClusterId,
    own_id: u64,
    leader: (u64, Member),
}

/// What the answers of the others come to; or what is missing, in words.
fn leader_of(answers: &[Introduction], own_name: &str) -> Result<Found, String> {
    let members: Vec<&Introduction> = answers.iter().filter(|i| !i.members.is_empty()).collect();
    let Some(cluster) = members.iter().find_map(|i| i.cluster) else {
        let names: Vec<&str> = answers.iter().map(|i| i.name.as_str()).collect();
        return Err(match names.as_slice() {
            [] => "no other member answers".to_owned(),
            names => format!("{} answers and has no data either", names.join(", ")),
        });
    };
    if members.iter().any(|i| i.cluster != Some(cluster)) {
        return Err("the others belong to different clusters".to_owned());
    }
    let roster: BTreeMap<u64, &Member> = members
        .iter()
        .flat_map(|i| i.members.iter().map(|(id, member)| (*id, member)))
        .collect();
    let own_id = roster.iter().find(|(_, member)| member.name == own_name);
    let Some((own_id, _)) = own_id else {
        return Err(format!(
            "cluster {cluster} of the others has no member `{own_name}`"
        ));
    };
    let leader = members.iter().find_map(|i| {
        let id = i.leader.filter(|leader| leader != own_id)?;
        Some((id, (*roster.get(&id)?).clone()))
    });
    let Some(leader) = leader else {
        let names: Vec<&str> = members.iter().map(|i| i.name.as_str()).collect();
        return Err(format!(
            "{} answers and follows no leader, so fewer than a majority of the voters runs",
            names.join(", ")
        ));
    };
    Ok(Found {
        cluster,
        own_id: *own_id,
        leader,
    })
}

fn put_aside(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let aside = dir.join(name);
    create_directory(&aside)?;
    for part in PARTS {
        match fs::rename(dir.join(part), aside.join(part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Each for itself: a later one must never be gone while an earlier one is still there.
        sync_directory(dir)?;
        sync_directory(&aside)?;
    }
    Ok(aside)
}

/// The chain of causes.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduction(name: &str, cluster: u128, leader: Option<u64>) -> Introduction {
        let members = [(1, "n1"), (2, "n2"), (3, "n3")].map(|(id, name)| {
            let (name, address) = (name.to_owned(), format!("{name}:1"));
            (id, Member { name, address })
        });
        Introduction {
            name: name.to_owned(),
            node: 2,
            cluster: Some(ClusterId(cluster)),
            members: BTreeMap::from(members),
            leader,
        }
    }

    #[test]
    fn the_leader_of_the_others_is_found_by_what_any_of_them_says() {
        let found = leader_of(
            &[introduction("n2", 7, None), introduction("n3", 7, Some(3))],
            "n1",
        );
        let found = found.unwrap();
        assert_eq!((found.own_id, found.leader.0), (1, 3));
        assert_eq!(found.leader.1.name, "n3");
    }

    #[test]
    fn without_a_leader_of_one_cluster_that_knows_this_node_there_is_none() {
        let blank = Introduction {
            members: BTreeMap::new(),
            cluster: None,
            ..introduction("n2", 7, None)
        };
        for (answers, own, why) in [
            (vec![], "n1", "no other member answers"),
            (vec![blank], "n1", "has no data either"),
            (vec![introduction("n2", 7, None)], "n1", "follows no leader"),
            // The leader that they still follow is the damaged node itself.
            (
                vec![introduction("n2", 7, Some(1))],
                "n1",
                "follows no leader",
            ),
            (
                vec![introduction("n2", 7, Some(2)), introduction("n3", 8, None)],
                "n1",
                "different clusters",
            ),
            (
                vec![introduction("n2", 7, Some(2))],
                "n9",
                "has no member `n9`",
            ),
        ] {
            let said = leader_of(&answers, own).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
