//! Making a data directory offline: of a backup, or of what one survivor has left.
//!
//! The result is a new cluster of one, with a new cluster id and a new node id, so that whoever of the old cluster comes
//! back is refused instead of being believed. The others join it with empty data directories.
//!
//! It is built in `staged.tmp`, which becomes `staged` when all of it is durable. Then, file by file, what was there goes
//! to `replaced-…` and the new takes its place. As long as `staged` is there no node opens the directory, and the same
//! command goes on where it was interrupted.

mod recover;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use openraft::{LeaderId, Membership, Vote};
use quorate_core::{SnapshotError, State};

use crate::backup::{SnapshotSummary, end_all_sessions, summary};
use crate::machine::{read_snapshot, write_snapshot};
use crate::store::{
    self, IdentityHandle, Lock, LogId, OpenError, Options, SnapshotMeta, StoredMembership,
    create_directory, sync_directory,
};
use crate::transport::authority::AuthorityError;
use crate::{Member, random};

pub use recover::recover;

/// What makes up a data directory, the identity last: it says that the rest is there.
const PARTS: [&str; 4] = ["mark", "log", "snapshots", "identity"];

/// Whose the new data directory is.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// Its name.
    pub name: String,
    /// Where the others will reach it; may be empty in a cluster of one.
    pub address: String,
    /// Its data directory.
    pub data_dir: PathBuf,
}

/// What a new data directory holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rebuilt {
    /// The id of the new cluster.
    pub cluster: String,
    /// How many sessions were ended.
    pub sessions_ended: usize,
    /// What is there.
    #[serde(flatten)]
    pub summary: SnapshotSummary,
    /// Where the files that were there before are.
    pub replaced: Option<PathBuf>,
}

/// Why no data directory was made. Nothing was thrown away.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is a node's data already.
    #[error(
        "data directory `{}`: not empty; a backup is restored into a new cluster, so stop all nodes of the old one and \
         move their data directories away",
        path.display()
    )]
    NotEmpty {
        /// The data directory.
        path: PathBuf,
    },
    /// There is nothing to recover from.
    #[error("data directory `{}`: holds no member's data", path.display())]
    Nothing {
        /// The data directory.
        path: PathBuf,
    },
    /// The cluster is alive.
    #[error(
        "a quorum of the cluster still answers ({names}); start this node instead, and remove lost members with \
         `quorate cluster remove`"
    )]
    QuorumAnswers {
        /// The voters that answer, this node's own vote counted.
        names: String,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The snapshot is not sound.
    #[error("the snapshot is not sound")]
    Snapshot(#[from] SnapshotError),
    /// The secret is none.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The disk fails, or the store.
    #[error("the data directory cannot be written")]
    Io(#[from] io::Error),
}

/// Makes a new cluster of one of the snapshot in `input`, in an empty data directory. All sessions end unless
/// `keeps_sessions`: some may have been ended after the snapshot was taken. Durable on return. Blocks on the disk.
///
/// # Errors
/// [`RebuildError`] says what to do.
pub fn restore(
    input: &mut impl Read,
    node: &NewNode,
    keeps_sessions: bool,
) -> Result<Rebuilt, RebuildError> {
    create_directory(&node.data_dir)?;
    let _lock = Lock::take(&node.data_dir)?;
    finish(&node.data_dir)?;
    if PARTS.iter().any(|part| node.data_dir.join(part).exists()) {
        let path = node.data_dir.clone();
        return Err(RebuildError::NotEmpty { path });
    }
    let mut state = State::new();
    let meta = read_snapshot(input, None, &mut state)?;
    rebuild(node, meta, state, keeps_sessions)
}

/// Builds the new directory and puts it in place of what is there.
fn rebuild(
    node: &NewNode,
    old: SnapshotMeta,
    mut state: State,
    keeps_sessions: bool,
) -> Result<Rebuilt, RebuildError> {
    let sessions_ended = if keeps_sessions {
        0
    } else {
        end_all_sessions(&mut state)
    };
    let (id, cluster) = (random::node_id(), random::number());
    let last = old.last_log_id.unwrap_or_default();
    let stage = node.data_dir.join("staged.tmp");
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    create_directory(&stage)?;
    let meta = meta(node, id, last);
    stage_files(&stage, node, (id, cluster), &meta, &state)?;
    let staged = node.data_dir.join(store::STAGED);
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    fs::rename(&stage, &staged)?;
    sync_directory(&node.data_dir)?;
    let replaced = install(&node.data_dir, &format!("replaced-{cluster:032x}"))?;
    Ok(Rebuilt {
        cluster: format!("{cluster:032x}"),
        sessions_ended,
        summary: summary(&meta, &state),
        replaced,
    })
}

/// This node alone is the member, as of the last entry of the old log.
fn meta(node: &NewNode, id: u64, last: LogId) -> SnapshotMeta {
    let member = Member {
        name: node.name.clone(),
        address: node.address.clone(),
    };
    let voters = vec![BTreeSet::from([id])];
    let membership = Membership::new(voters, BTreeMap::from([(id, member)]));
    SnapshotMeta {
        last_log_id: Some(last),
        last_membership: StoredMembership::new(Some(last), membership),
        snapshot_id: format!("rebuilt-{id:016x}"),
    }
}

fn stage_files(
    stage: &Path,
    node: &NewNode,
    (id, cluster): (u64, u128),
    meta: &SnapshotMeta,
    state: &State,
) -> Result<(), RebuildError> {
    let options = Options {
        name: node.name.clone(),
        node_id_if_new: id,
        ballast_bytes: 0,
    };
    let identity = IdentityHandle::open(stage, &options)?;
    identity.set_cluster_id(cluster).map_err(io::Error::other)?;
    let last = meta.last_log_id.unwrap_or_default();
    // Above every vote that the old cluster can have seen at that entry, so terms go on rising.
    let vote = Vote {
        leader_id: LeaderId::new(last.leader_id.term + 1, id),
        committed: false,
    };
    store::write_purged_log(stage, vote, last)?;
    write_snapshot(&stage.join("snapshots"), meta, &state.view())?;
    Ok(())
}

/// Goes on with what an earlier restore or recover has left unfinished; then the directory is not empty any more.
fn finish(dir: &Path) -> io::Result<()> {
    if dir.join(store::STAGED).exists() {
        install(dir, "replaced-resumed")?;
    }
    Ok(())
}

/// Puts `staged` in place; where the files that were there are now.
fn install(dir: &Path, replaced: &str) -> io::Result<Option<PathBuf>> {
    let (staged, replaced) = (dir.join(store::STAGED), dir.join(replaced));
    for part in PARTS {
        let (new, place) = (staged.join(part), dir.join(part));
        if !new.exists() {
            // Put in place before an interruption.
            continue;
        }
        if place.exists() {
            create_directory(&replaced)?;
            fs::rename(&place, replaced.join(part))?;
        }
        fs::rename(&new, &place)?;
    }
    sync_directory(dir)?;
    fs::remove_dir_all(&staged)?;
    sync_directory(dir)?;
    Ok(replaced.exists().then_some(replaced))
}
