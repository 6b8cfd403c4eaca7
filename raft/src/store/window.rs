//! The log as Raft sees it: all entries that are not purged, in memory, so that reading never waits for a disk.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use openraft::LogState;

use super::{Entry, LogId, Vote};
use crate::types::{TypeConfig, newest_set};

/// Entries and pointers of the log, which may be ahead of the disk by what is being written.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The last log id that is no longer there.
    pub(crate) purged: Option<LogId>,
    /// What has been saved.
    pub(crate) vote: Option<Vote>,
    /// The newest log id known to be committed.
    pub(crate) committed: Option<LogId>,
    entries: BTreeMap<u64, Held>,
    bytes: u64,
}

#[derive(Debug)]
struct Held {
    entry: Entry,
    /// Encoded length.
    bytes: u64,
}

impl Window {
    /// Adds or replaces an entry of `bytes` encoded bytes. One that is purged already stays so.
    pub(crate) fn put(&mut self, entry: Entry, bytes: u64) {
        let index = entry.log_id.index;
        if self.purged.is_some_and(|purged| index <= purged.index) {
            return;
        }
        self.bytes += bytes;
        if let Some(old) = self.entries.insert(index, Held { entry, bytes }) {
            self.bytes -= old.bytes;
        }
    }

    /// The newest set of commands in the entries, at least 1.
    pub(crate) fn newest_set(&self) -> u32 {
        let sets = self.entries.values().map(|held| newest_set(&held.entry));
        sets.max().unwrap_or(1)
    }

    /// Removes the entry at `since` and all after it.
    pub(crate) fn truncate(&mut self, since: u64) {
        for held in self.entries.split_off(&since).into_values() {
            self.bytes -= held.bytes;
        }
    }

    /// Removes the entries up to `upto`, inclusive.
    pub(crate) fn purge(&mut self, upto: LogId) {
        let rest = self.entries.split_off(&(upto.index + 1));
        for held in std::mem::replace(&mut self.entries, rest).into_values() {
            self.bytes -= held.bytes;
        }
        self.purged = self.purged.max(Some(upto));
    }

    /// The log id of the last entry; of the last purged one, if there is no entry.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.entries
            .last_key_value()
            .map(|(_, held)| held.entry.log_id)
            .or(self.purged)
    }

    /// The log id of the entry at `index`.
    pub(crate) fn log_id(&self, index: u64) -> Option<LogId> {
        self.entries.get(&index).map(|held| held.entry.log_id)
    }

    /// The entries in `range`; those that are not there are left out.
    pub(crate) fn range(&self, range: impl RangeBounds<u64>) -> Vec<Entry> {
        self.range_upto(range, u64::MAX)
    }

    /// The first entries in `range`: one at least, and no more than encode to `bytes_max`.
    pub(crate) fn range_upto(&self, range: impl RangeBounds<u64>, bytes_max: u64) -> Vec<Entry> {
        let is_empty = match (range.start_bound(), range.end_bound()) {
            // `BTreeMap::range` panics on these.
            (std::ops::Bound::Included(start), std::ops::Bound::Excluded(end)) => start >= end,
            (std::ops::Bound::Included(start), std::ops::Bound::Included(end)) => start > end,
            (std::ops::Bound::Excluded(start), std::ops::Bound::Excluded(end)) => start >= end,
            (std::ops::Bound::Excluded(start), std::ops::Bound::Included(end)) => start >= end,
            _ => false,
        };
        if is_empty {
            return Vec::new();
        }
        let mut bytes = 0u64;
        self.entries
            .range(range)
            .take_while(|(_, held)| {
                let is_first = bytes == 0;
                bytes = bytes.saturating_add(held.bytes);
                is_first || bytes <= bytes_max
            })
            .map(|(_, held)| held.entry.clone())
            .collect()
    }

    /// Entries, and their encoded bytes together.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.entries.len() as u64, self.bytes)
    }

    /// What openraft wants to know at the start.
    pub(crate) fn state(&self) -> LogState<TypeConfig> {
        LogState {
            last_purged_log_id: self.purged,
            last_log_id: self.last(),
        }
    }
}
