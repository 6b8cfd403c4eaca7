//! What the storage counts. Atomics: read them from any thread at any time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, UNIX_EPOCH};

use super::ballast::free_bytes;

/// Upper bounds of the flush histogram, in microseconds; the last bucket has none.
pub const FLUSH_BUCKETS_US: [u64; 10] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000,
];

/// Counters and gauges of one data directory.
#[derive(Debug)]
pub(crate) struct StoreMetrics {
    directory: PathBuf,
    flushes: AtomicU64,
    flush_us_sum: AtomicU64,
    flush_us_last: AtomicU64,
    flush_us_max: AtomicU64,
    flush_buckets: [AtomicU64; FLUSH_BUCKETS_US.len() + 1],
    written_bytes: AtomicU64,
    log_entries: AtomicU64,
    log_bytes: AtomicU64,
    engine_bytes: AtomicU64,
}

/// What the storage has counted, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoreNumbers {
    /// Group commits, each ended by one `fdatasync`.
    pub flushes: u64,
    /// All flush durations together, in microseconds.
    pub flush_us_sum: u64,
    /// The newest flush duration, in microseconds.
    pub flush_us_last: u64,
    /// The longest flush duration, in microseconds.
    pub flush_us_max: u64,
    /// Flushes per bucket of [`FLUSH_BUCKETS_US`], and those above; not cumulative.
    pub flush_buckets: [u64; FLUSH_BUCKETS_US.len() + 1],
    /// Bytes of log records written.
    pub written_bytes: u64,
    /// Entries of the log that are kept, in memory and on disk.
    pub log_entries: u64,
    /// Their encoded bytes; in memory they take about twice that.
    pub log_bytes: u64,
    /// Bytes of the engine's files, as of the start and the newest purge.
    pub engine_bytes: u64,
    /// Bytes free on the file system; `None` if nobody can tell.
    pub free_bytes: Option<u64>,
}

impl StoreMetrics {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            flushes: AtomicU64::default(),
            flush_us_sum: AtomicU64::default(),
            flush_us_last: AtomicU64::default(),
            flush_us_max: AtomicU64::default(),
            flush_buckets: Default::default(),
            written_bytes: AtomicU64::default(),
            log_entries: AtomicU64::default(),
            log_bytes: AtomicU64::default(),
            engine_bytes: AtomicU64::default(),
        }
    }

    pub(crate) fn flushed(&self, took: Duration, bytes: u64) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.flushes.fetch_add(1, Relaxed);
        self.flush_us_sum.fetch_add(us, Relaxed);
        self.flush_us_last.store(us, Relaxed);
        self.flush_us_max.fetch_max(us, Relaxed);
        self.written_bytes.fetch_add(bytes, Relaxed);
        let bucket = FLUSH_BUCKETS_US.partition_point(|bound| *bound < us);
        if let Some(count) = self.flush_buckets.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn log_is(&self, entries: u64, bytes: u64) {
        self.log_entries.store(entries, Relaxed);
        self.log_bytes.store(bytes, Relaxed);
    }

    pub(crate) fn engine_is(&self, bytes: u64) {
        self.engine_bytes.store(bytes, Relaxed);
    }

    /// When the newest snapshot was finished, in milliseconds since the Unix epoch, and its size; asks the file system.
    pub(crate) fn newest_snapshot(&self) -> Option<(u64, u64)> {
        let entries = std::fs::read_dir(self.directory.join(super::SNAPSHOTS)).ok()?;
        let snapshots = entries.flatten().filter(|entry| {
            let path = entry.path();
            path.extension().is_some_and(|kind| kind == "snapshot")
        });
        let found = snapshots.filter_map(|entry| {
            let file = entry.metadata().ok()?;
            let since_epoch = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((u64::try_from(since_epoch.as_millis()).ok()?, file.len()))
        });
        found.max()
    }

    /// All numbers now; asks the file system for the free space.
    pub(crate) fn numbers(&self) -> StoreNumbers {
        StoreNumbers {
            flushes: self.flushes.load(Relaxed),
            flush_us_sum: self.flush_us_sum.load(Relaxed),
            flush_us_last: self.flush_us_last.load(Relaxed),
            flush_us_max: self.flush_us_max.load(Relaxed),
            flush_buckets: std::array::from_fn(|bucket| {
                self.flush_buckets
                    .get(bucket)
                    .map_or(0, |count| count.load(Relaxed))
            }),
            written_bytes: self.written_bytes.load(Relaxed),
            log_entries: self.log_entries.load(Relaxed),
            log_bytes: self.log_bytes.load(Relaxed),
            engine_bytes: self.engine_bytes.load(Relaxed),
            free_bytes: free_bytes(&self.directory),
        }
    }
}
