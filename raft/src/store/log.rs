//! The log and the vote as openraft wants them.
//!
//! Reads come from the [window](super::window) in memory. Writes change it at once and go to the
//! [writer](super::writer) in order; only the vote is waited for here, because openraft waits for entries itself.

use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError, RwLock};

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{AnyError, LogState, OptionalSend, RaftLogReader, StorageError, StorageIOError};
use quorate_core::codec::{self, Kind};
use tokio::sync::oneshot;

use super::metrics::StoreMetrics;
use super::window::Window;
use super::writer::Write;
use super::{Entry, LogId, Vote};
use crate::types::TypeConfig;

/// Encoded bytes of entries that one request to another node may carry; a single larger entry goes alone.
const REPLICATED_BYTES_MAX: u64 = 1 << 20;

/// Reads the log from memory; any number of these at any time.
#[derive(Clone)]
pub(crate) struct LogReader(Arc<RwLock<Window>>);

impl LogReader {
    fn look<R>(&self, look: impl FnOnce(&Window) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RaftLogReader<TypeConfig> for LogReader {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError<u64>> {
        Ok(self.look(|window| window.range(range)))
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError<u64>> {
        Ok(self.look(|window| window.range_upto(start..end, REPLICATED_BYTES_MAX)))
    }
}

/// The log of one data directory.
pub(crate) struct LogStore {
    window: LogReader,
    queue: Sender<Write>,
    metrics: Arc<StoreMetrics>,
    /// What the first `read_vote` answers; see [`LogStore::new`].
    vote_at_start: Option<Vote>,
}

impl LogStore {
    /// The log that holds `window`, written through `queue`.
    ///
    /// A node that was the leader when it stopped does not go on as one: its first `read_vote` answers its own vote as
    /// not committed, so that it has to be elected again. It may have acknowledged entries whose commit it no longer
    /// knows of, and would answer reads without them. Source: openraft issue 1511.
    pub(crate) fn new(
        window: Window,
        node_id: u64,
        queue: Sender<Write>,
        metrics: Arc<StoreMetrics>,
    ) -> Self {
        let vote_at_start = window.vote.map(|vote| Vote {
            committed: vote.committed && vote.leader_id.node_id != node_id,
            ..vote
        });
        let (entries, bytes) = window.size();
        metrics.log_is(entries, bytes);
        Self {
            window: LogReader(Arc::new(RwLock::new(window))),
            queue,
            metrics,
            vote_at_start,
        }
    }

    fn change<R>(&self, change: impl FnOnce(&mut Window) -> R) -> R {
        let mut window = self
            .window
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut window);
        let (entries, bytes) = window.size();
        self.metrics.log_is(entries, bytes);
        result
    }

    fn send(&self, write: Write) -> io::Result<()> {
        self.queue.send(write).map_err(|unsent| {
            let error = io::Error::other("the log's writer has stopped");
            unsent.0.fail(&error);
            error
        })
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError<u64>> {
        self.window.try_get_log_entries(range).await
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError<u64>> {
        self.window.limited_get_log_entries(start, end).await
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogReader;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError<u64>> {
        Ok(self.window.look(Window::state))
    }

    async fn get_log_reader(&mut self) -> LogReader {
        self.window.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError<u64>> {
        let (done, saved) = oneshot::channel();
        self.send(Write::Vote { vote: *vote, done })
            .map_err(vote_error)?;
        let saved = saved
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the log's writer has stopped")));
        saved.map_err(vote_error)?;
        self.vote_at_start = None;
        self.change(|window| window.vote = Some(*vote));
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError<u64>> {
        match self.vote_at_start.take() {
            Some(vote) => Ok(Some(vote)),
            None => Ok(self.window.look(|window| window.vote)),
        }
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError<u64>> {
        let Some(committed) = committed else {
            return Ok(());
        };
        self.change(|window| window.committed = Some(committed));
        self.send(Write::Committed(committed)).map_err(logs_error)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError<u64>> {
        Ok(self.window.look(|window| window.committed))
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError<u64>>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let mut records = Vec::with_capacity(entries.len());
        for entry in &entries {
            let record = codec::encode(Kind::LogEntry, entry).map_err(|error| {
                StorageIOError::write_log_entry(entry.log_id, AnyError::new(&error))
            })?;
            records.push((entry.log_id, record));
        }
        self.change(|window| {
            for (entry, (_, record)) in entries.into_iter().zip(&records) {
                window.put(entry, record.len() as u64);
            }
        });
        self.send(Write::Append {
            records,
            done: callback,
        })
        .map_err(logs_error)
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError<u64>> {
        let since = log_id.index;
        let last = self.change(|window| {
            window.truncate(since);
            window.last()
        });
        self.send(Write::Truncate { since, last })
            .map_err(logs_error)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError<u64>> {
        self.change(|window| window.purge(log_id));
        self.send(Write::Purge(log_id)).map_err(logs_error)
    }
}

fn logs_error(error: io::Error) -> StorageError<u64> {
    StorageIOError::write_logs(AnyError::new(&error)).into()
}

fn vote_error(error: io::Error) -> StorageError<u64> {
    StorageIOError::write_vote(AnyError::new(&error)).into()
}
