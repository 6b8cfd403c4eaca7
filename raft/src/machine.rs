//! The replicated state behind the log: applies what is committed, and turns into a snapshot and back.
//!
//! It decides nothing: [`State::apply`] does. Memory holds the state, a snapshot file what the log no longer holds; a
//! restart loads the newest snapshot and openraft applies the rest of the log again.

mod file;
mod snapshots;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use openraft::storage::RaftStateMachine;
use openraft::{
    AnyError, EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageError, StorageIOError,
};
use quorate_core::{Reader, Reply, SnapshotError, State, StateView};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

pub(crate) use self::file::read as read_snapshot;
use self::snapshots::Snapshots;
pub(crate) use self::snapshots::write_alone as write_snapshot;
use crate::store::{
    Covered, Entry, Failures, Lock, LogId, OpenError, Snapshot, SnapshotMeta, StoreFailure,
    StoredMembership,
};
use crate::types::{Batch, TypeConfig};

/// The state as it is now, with the index of the newest entry in it.
#[derive(Clone)]
pub(crate) struct Views {
    state: Arc<Mutex<State>>,
    applied: watch::Receiver<u64>,
}

impl Views {
    /// Takes microseconds, and waits for a batch that is being applied or a snapshot that is being installed.
    pub(crate) fn take(&self) -> (u64, StateView) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Written under the same lock, so the two belong together.
        let applied = *self.applied.borrow();
        (applied, state.view())
    }
}

/// The state machine of one data directory.
pub(crate) struct Machine {
    /// Locked by nobody else but a blocking task that installs a snapshot, while openraft waits for it.
    state: Arc<Mutex<State>>,
    reader: Reader,
    node_id: u64,
    last_applied: Option<LogId>,
    membership: StoredMembership,
    applied: watch::Sender<u64>,
    snapshots: Arc<Snapshots>,
    /// Where the snapshot that is being received goes.
    receiving: Option<PathBuf>,
    failures: Failures,
}

impl Machine {
    /// The state in the newest sound snapshot in `snapshots`, or an empty one.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] if no sound snapshot reaches `purged`, the last log id that is not in the log.
    pub(crate) fn open(
        data_dir: &Path,
        snapshots: &Path,
        purged: Option<LogId>,
        node_id: u64,
        (covered, failures, lock): (Covered, Failures, Arc<Lock>),
    ) -> Result<Self, OpenError> {
        let (snapshots, state, meta) = Snapshots::open(data_dir, snapshots, purged, covered, lock)?;
        let last_applied = meta.last_log_id;
        Ok(Self {
            reader: state.reader(),
            state: Arc::new(Mutex::new(state)),
            node_id,
            last_applied,
            membership: meta.last_membership,
            applied: watch::Sender::new(last_applied.map_or(0, |last| last.index)),
            snapshots: Arc::new(snapshots),
            receiving: None,
            failures,
        })
    }

    /// For everybody who asks about the state.
    pub(crate) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The index of the last applied entry, 0 before the first. It is published when the readers already see what the
    /// entry changed, so a node may promise by it that it answers nothing older.
    pub(crate) fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    /// For who wants the whole state at one point of the log.
    pub(crate) fn views(&self) -> Views {
        Views {
            state: Arc::clone(&self.state),
            applied: self.applied(),
        }
    }

    fn meta(&self) -> SnapshotMeta {
        let id = self.last_applied.map_or((0, 0, 0), |last| {
            (last.leader_id.term, last.leader_id.node_id, last.index)
        });
        SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
            // Equal ids are equal bytes: a node's state at a log id is always the same.
            snapshot_id: format!("{}-{:016x}-{}-{:016x}", id.0, id.1, id.2, self.node_id),
        }
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(
        &mut self,
    ) -> Result<(Option<LogId>, StoredMembership), StorageError<u64>> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Vec<Reply>>, StorageError<u64>>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        // openraft does not notice when its state machine panics; see that the node does.
        let alarm = self.failures.alarm("the state machine");
        let mut replies = Vec::new();
        let mut last = self.last_applied;
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                last = Some(entry.log_id);
                replies.push(match entry.payload {
                    EntryPayload::Blank => Vec::new(),
                    EntryPayload::Normal(Batch(proposals)) => proposals
                        .iter()
                        .map(|proposal| state.apply(proposal))
                        .collect(),
                    EntryPayload::Membership(membership) => {
                        self.membership = StoredMembership::new(Some(entry.log_id), membership);
                        Vec::new()
                    }
                });
            }
            self.last_applied = last;
            self.applied.send_replace(last.map_or(0, |last| last.index));
        }
        alarm.disarm();
        Ok(replies)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        SnapshotBuilder {
            view: state.view(),
            meta: self.meta(),
            snapshots: Arc::clone(&self.snapshots),
            failures: self.failures.clone(),
        }
    }

    async fn begin_receiving_snapshot(
        &mut self,
    ) -> Result<Box<tokio::fs::File>, StorageError<u64>> {
        let begun = self.snapshots.begin(self.receiving.take());
        let (path, file) = begun.map_err(|error| self.failed(None, &error.into()))?;
        self.receiving = Some(path);
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        mut snapshot: Box<tokio::fs::File>,
    ) -> Result<(), StorageError<u64>> {
        let flushed = snapshot.flush().await;
        flushed.map_err(|error| self.failed(Some(meta), &error.into()))?;
        let file = snapshot.into_std().await;
        let (wanted, received) = (meta.clone(), self.receiving.take());
        let (state, snapshots) = (Arc::clone(&self.state), Arc::clone(&self.snapshots));
        let applied = self.applied.clone();
        let alarm = self.failures.alarm("the installation of a snapshot");
        let work = move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            snapshots.install(&wanted, file, received, &mut state)?;
            applied.send_replace(wanted.last_log_id.map_or(0, |last| last.index));
            Ok(())
        };
        let installed = tokio::task::spawn_blocking(work).await;
        installed
            .unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
            .map_err(|error| self.failed(Some(meta), &error))?;
        self.membership = meta.last_membership.clone();
        self.last_applied = meta.last_log_id;
        alarm.disarm();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError<u64>> {
        let current = self.snapshots.current();
        current.map_err(|error| self.failed(None, &error.into()))
    }
}

impl Machine {
    /// Lets the log be purged as if snapshots held all of it.
    #[cfg(test)]
    pub(crate) fn pretend_covered(&self) {
        self.snapshots.pretend_covered();
    }

    fn failed(&self, meta: Option<&SnapshotMeta>, error: &SnapshotError) -> StorageError<u64> {
        snapshot_failed(&self.failures, meta, error)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.snapshots.close();
    }
}

/// Writes the state at one point of the log to a file, off the threads that apply and read.
pub(crate) struct SnapshotBuilder {
    view: StateView,
    meta: SnapshotMeta,
    snapshots: Arc<Snapshots>,
    failures: Failures,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError<u64>> {
        let (view, meta) = (self.view.clone(), self.meta.clone());
        let snapshots = Arc::clone(&self.snapshots);
        let built = tokio::task::spawn_blocking(move || snapshots.build(&meta, &view)).await;
        built
            .unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
            .map_err(|error| snapshot_failed(&self.failures, Some(&self.meta), &error))
    }
}

fn snapshot_failed(
    failures: &Failures,
    meta: Option<&SnapshotMeta>,
    error: &SnapshotError,
) -> StorageError<u64> {
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    failures.report(StoreFailure::Snapshot { detail });
    StorageIOError::write_snapshot(meta.map(SnapshotMeta::signature), AnyError::new(error)).into()
}
