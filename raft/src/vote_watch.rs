//! The log store, with a word to the leases before a vote is stored.
//!
//! A leader must stop granting leases before any message of a newer term leaves its node, and Raft sends none before it
//! has stored the vote for that term. So the leases are told first.

use std::fmt::Debug;
use std::ops::RangeBounds;
use std::sync::Arc;

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogId, LogState, OptionalSend, RaftLogReader, StorageError, Vote};

use crate::freshness::Freshness;
use crate::store::{Entry, LogStore};
use crate::types::TypeConfig;

type Result<T> = std::result::Result<T, StorageError<u64>>;

/// See the module.
pub(crate) struct VoteWatch {
    log: LogStore,
    freshness: Arc<Freshness>,
}

impl VoteWatch {
    pub(crate) fn new(log: LogStore, freshness: Arc<Freshness>) -> Self {
        Self { log, freshness }
    }
}

impl RaftLogReader<TypeConfig> for VoteWatch {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>> {
        self.log.try_get_log_entries(range).await
    }
}

impl RaftLogStorage<TypeConfig> for VoteWatch {
    type LogReader = <LogStore as RaftLogStorage<TypeConfig>>::LogReader;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>> {
        self.log.get_log_state().await
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.log.get_log_reader().await
    }

    async fn save_vote(&mut self, vote: &Vote<u64>) -> Result<()> {
        self.freshness.voted(vote);
        self.log.save_vote(vote).await
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<u64>>> {
        let vote = self.log.read_vote().await?;
        if let Some(vote) = &vote {
            self.freshness.voted(vote);
        }
        Ok(vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId<u64>>) -> Result<()> {
        self.log.save_committed(committed).await
    }

    async fn read_committed(&mut self) -> Result<Option<LogId<u64>>> {
        self.log.read_committed().await
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<TypeConfig>) -> Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.log.append(entries, callback).await
    }

    async fn truncate(&mut self, log_id: LogId<u64>) -> Result<()> {
        self.log.truncate(log_id).await
    }

    async fn purge(&mut self, log_id: LogId<u64>) -> Result<()> {
        self.log.purge(log_id).await
    }
}
