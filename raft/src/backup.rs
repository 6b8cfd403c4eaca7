//! The whole state as one stream: taken from a running cluster, looked into, and made into a new data directory.
//!
//! The stream is a snapshot file, see [`machine`](crate::machine). It is not encrypted here.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use quorate_core::{Command, Proposal, RequestId, SnapshotError, State};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::machine::read_snapshot;
use crate::node::{Node, ProposeError};
use crate::random;
use crate::store::SnapshotMeta;

/// How long a snapshot may take to be written.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(120);

/// How often to look whether it is there.
const AGAIN: Duration = Duration::from_millis(50);

/// A snapshot of a running cluster.
#[derive(Debug)]
pub struct TakenSnapshot {
    /// The newest log index in it.
    pub index: u64,
    /// The cluster, 32 hexadecimal digits.
    pub cluster: String,
    /// It, from its beginning; it stays readable when a newer one replaces it.
    pub file: std::fs::File,
}

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSummary {
    /// The newest log index in it.
    pub index: u64,
    /// The term of that entry.
    pub term: u64,
    /// Replicated time, in milliseconds since the Unix epoch.
    pub replicated_time_ms: u64,
    /// Sessions, expired ones that have not been removed included.
    pub sessions: usize,
    /// The names of the members.
    pub members: Vec<String>,
}

impl Node {
    /// A durable snapshot that holds everything that was acknowledged before this call. Any member can take it.
    ///
    /// # Errors
    /// [`ProposeError::Unavailable`] without a leader, or if the snapshot is not written within two minutes.
    pub async fn take_snapshot(&self) -> Result<TakenSnapshot, ProposeError> {
        self.read_index().await?;
        let node = &self.0;
        let wanted = self.applied();
        let deadline = Instant::now() + SNAPSHOT_TIMEOUT;
        let unavailable = |why: String| ProposeError::Unavailable { why };
        loop {
            let taken = node.raft.get_snapshot().await;
            let taken = taken.map_err(|error| unavailable(error.to_string()))?;
            if let Some(snapshot) = taken
                && let Some(last) = snapshot.meta.last_log_id
                && last.index >= wanted
            {
                let cluster = node.peers.cluster().map(|id| id.to_string());
                return Ok(TakenSnapshot {
                    index: last.index,
                    cluster: cluster.unwrap_or_default(),
                    file: snapshot.snapshot.into_std().await,
                });
            }
            // Again and again: while an older one is being written, the wish for a newer one is dropped.
            self.trigger_snapshot().await;
            let mut metrics = node.raft.data_metrics();
            let changed = metrics.wait_for(|m| m.snapshot.is_some_and(|id| id.index >= wanted));
            let _ = timeout_at(Instant::now() + AGAIN, changed).await;
            if Instant::now() > deadline {
                return Err(unavailable(
                    "the snapshot was not written in time".to_owned(),
                ));
            }
        }
    }
}

/// Reads all of a snapshot and says what it holds.
///
/// # Errors
/// If any of it is not sound.
pub fn inspect_snapshot(input: &mut impl Read) -> Result<SnapshotSummary, SnapshotError> {
    let mut state = State::new();
    let meta = read_snapshot(input, None, &mut state)?;
    Ok(summary(&meta, &state))
}

pub(crate) fn summary(meta: &SnapshotMeta, state: &State) -> SnapshotSummary {
    let last = meta.last_log_id.unwrap_or_default();
    let members = meta.last_membership.nodes();
    let mut members: Vec<String> = members.map(|(_, member)| member.name.clone()).collect();
    members.sort_unstable();
    SnapshotSummary {
        index: last.index,
        term: last.leader_id.term,
        replicated_time_ms: state.now().0,
        sessions: state.reader().session_count(),
        members,
    }
}

/// Ends every session, as the command for each user would; says how many.
pub(crate) fn end_all_sessions(state: &mut State) -> usize {
    let before = state.reader().session_count();
    let sessions = state.reader().sessions();
    let users: BTreeSet<_> = sessions.iter().map(|(_, s)| s.user.clone()).collect();
    for user in users {
        let proposal = Proposal {
            id: RequestId(random::number()),
            at: state.now(),
            command: Command::KillUser { user, keep: None },
        };
        state.apply(&proposal);
    }
    before - state.reader().session_count()
}
