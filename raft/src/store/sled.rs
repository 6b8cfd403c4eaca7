//! The log in sled 0.34, with what sled needs to keep its promises.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `log` | index (8 bytes, big endian), part (2 bytes, big endian, from 0) | up to [`PART_BYTES`] of the entry's record |
//! | `meta` | name of the [`MetaKey`] | record |
//!
//! - `flush` calls `sync_file_range`, which writes neither the file's size nor the disk's cache. An `fdatasync` of our
//!   own on the `db` file follows every flush, and precedes every open.
//! - sled moves what is live out of a segment of its file and then uses the segment again; all it waits for is
//!   `sync_file_range`. If the file has grown meanwhile, a power cut could find the segment overwritten and the copy gone,
//!   because the new length is not durable. So a small part of a segment is written between two `fdatasync`s: a segment is
//!   used again only after another one has been filled.
//! - A leaf beyond 128 KiB goes to a file in `blobs/` that is never synced. Leaves hold 16 items, so values stay small.
//! - A kill while sled opens can leave `snap.*.generating`, with which it never opens again. These files only shorten
//!   the next start; they are removed.
//! - Damage makes sled panic in places. The panics are caught; the log is refused.

use std::any::Any;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::sled::{Batch, Config, Db, IVec, Mode, Tree};

use super::directory::{create_directory, sync_directory};
use super::engine::{EngineError, LogEngine, MetaKey, Op};

/// The longest value. 16 of them stay well below the 128 KiB beyond which sled does not sync.
const PART_BYTES: usize = 4096;
/// sled's page cache. The log itself is read from memory, so a small one does.
const CACHE_BYTES: u64 = 32 << 20;
/// How long sled's own lock is waited for, and how often it is tried.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// sled's unit of use and reuse in a new directory; four times what is usual. An older directory keeps its own.
const SEGMENT_BYTES: usize = 2 << 20;
/// The part of a segment, about, that is written or removed in values before it is made durable: 97 KiB in a new
/// directory, 24 KiB in one with segments of 512 KiB. sled writes several times as much: whole leaves again and again, and
/// what it moves to free segments.
///
/// An entry is written whole, so one that is longer comes alone between two syncs; the proposer bounds it at 256 KiB. In
/// the segments of an older directory there is little left beside such an entry.
const SYNCED_PART: usize = 21;
/// What a key takes beside its value, about.
const KEY_BYTES: usize = 64;

/// The log in sled.
#[derive(Debug)]
pub(crate) struct SledEngine {
    log: Tree,
    meta: Tree,
    /// Bytes of values written or removed since the last sync, about.
    unsynced: usize,
    /// How many of them are made durable at once.
    synced_after: usize,
    /// Our own descriptor of sled's `db` file, for `fdatasync`. Opened once, so that it sees every write-back error.
    data: File,
    /// Last, so that it is dropped last.
    db: Db,
}

impl SledEngine {
    /// Opens or creates the log in `dir`; a new one is durable on return.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] if sled cannot make sense of its files, also without its `snap.*`.
    pub(crate) fn open(dir: &Path) -> Result<Self, EngineError> {
        create_directory(dir)?;
        let data_path = dir.join("db");
        let is_new = !data_path.exists();
        remove_snapshots(dir, ".generating")?;
        if !is_new {
            // What a killed process left in the page cache must be durable before sled writes a `snap.*` about it.
            File::open(&data_path)?.sync_data()?;
        }
        let (db, log, meta) = match open_trees(dir) {
            Err(EngineError::Damaged(detail)) if remove_snapshots(dir, "")? > 0 => {
                tracing::warn!(%detail, "sled's snapshot is damaged; its log is read from the start");
                open_trees(dir)?
            }
            opened => opened?,
        };
        let engine = Self {
            log,
            meta,
            unsynced: 0,
            synced_after: segment_bytes(dir) / SYNCED_PART,
            data: File::options().read(true).write(true).open(&data_path)?,
            db,
        };
        engine.db.flush().map_err(engine_error)?;
        engine.data.sync_all()?;
        if is_new {
            File::open(dir.join("conf"))?.sync_all()?;
        }
        sync_directory(dir)?;
        Ok(engine)
    }

    #[cfg(test)]
    pub(super) fn synced_after(&self) -> usize {
        self.synced_after
    }

    fn apply(&mut self, run: &mut Run) -> io::Result<()> {
        let Run { tree, batch, bytes } = std::mem::take(run);
        match tree {
            Some(Which::Log) => self.log.apply_batch(batch)?,
            Some(Which::Meta) => self.meta.apply_batch(batch)?,
            None => return Ok(()),
        }
        self.sync_if_much(bytes)
    }

    /// Removes whole entries, in the order of `range`, so that a crash leaves no hole and no half entry.
    fn remove(
        &mut self,
        range: impl Iterator<Item = ::sled::Result<(IVec, IVec)>>,
    ) -> io::Result<()> {
        let mut batch = Batch::default();
        let (mut bytes, mut last) = (0, None);
        for item in range {
            let (key, value) = item?;
            let index = key.get(..8).map(<[u8]>::to_vec);
            if bytes >= self.synced_after && index != last {
                self.log.apply_batch(std::mem::take(&mut batch))?;
                self.sync_if_much(std::mem::take(&mut bytes))?;
            }
            bytes += value.len() + KEY_BYTES;
            batch.remove(key);
            last = index;
        }
        self.log.apply_batch(batch)?;
        self.sync_if_much(bytes)
    }

    fn sync_if_much(&mut self, written: usize) -> io::Result<()> {
        self.unsynced += written;
        if self.unsynced >= self.synced_after {
            self.sync()?;
        }
        Ok(())
    }

    fn sync_if_any(&mut self) -> io::Result<()> {
        if self.unsynced > 0 {
            self.sync()?;
        }
        Ok(())
    }

    /// All that was written is on stable storage on return.
    fn sync(&mut self) -> io::Result<()> {
        self.unsynced = 0;
        self.db.flush()?;
        #[cfg(test)]
        if super::tests::child::is_sled_alone() {
            return Ok(());
        }
        self.data.sync_data()
    }
}

impl LogEngine for SledEngine {
    fn write(&mut self, batch: &[Op]) -> io::Result<()> {
        let mut run = Run::default();
        for op in batch {
            match op {
                Op::Put { index, record } => {
                    if run.turns_to(Which::Log) {
                        self.apply(&mut run)?;
                    }
                    if self.unsynced + run.bytes + record.len() > self.synced_after {
                        self.apply(&mut run)?;
                        self.sync_if_any()?;
                    }
                    run.put(*index, record)?;
                }
                Op::SetMeta(key, record) => {
                    if run.turns_to(Which::Meta) {
                        self.apply(&mut run)?;
                    }
                    run.set(*key, record);
                }
                Op::RemoveFrom(index) => {
                    self.apply(&mut run)?;
                    let log = self.log.clone();
                    self.remove(log.range(key(*index, 0)..).rev())?;
                }
                Op::RemoveUpTo(index) => {
                    self.apply(&mut run)?;
                    let log = self.log.clone();
                    self.remove(log.range(..=key(*index, u16::MAX)))?;
                }
            }
        }
        self.apply(&mut run)?;
        self.sync()
    }

    fn scan(&mut self) -> Result<Vec<(u64, Vec<u8>)>, EngineError> {
        let mut entries: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut next_part = 0;
        for item in &self.log {
            let (key, value) = item.map_err(engine_error)?;
            let (index, part) = split(&key)?;
            match entries.last_mut() {
                Some((last, record)) if *last == index && part == next_part => {
                    record.extend_from_slice(&value);
                }
                last if part == 0 && last.as_ref().is_none_or(|(last, _)| *last != index) => {
                    entries.push((index, value.to_vec()));
                    next_part = 0;
                }
                _ => {
                    return Err(EngineError::Damaged(format!(
                        "part {next_part} of entry {index} is missing"
                    )));
                }
            }
            next_part += 1;
        }
        Ok(entries)
    }

    fn meta(&mut self, key: MetaKey) -> Result<Option<Vec<u8>>, EngineError> {
        let value = self.meta.get(key.name()).map_err(engine_error)?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn size(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Log,
    Meta,
}

/// Neighbouring changes of one tree, applied together.
#[derive(Default)]
struct Run {
    tree: Option<Which>,
    batch: Batch,
    /// Of values and keys, about.
    bytes: usize,
}

impl Run {
    /// Whether what has been gathered must be applied before a change of `tree` is added.
    fn turns_to(&self, tree: Which) -> bool {
        self.tree.is_some_and(|current| current != tree)
    }

    fn put(&mut self, index: u64, record: &[u8]) -> io::Result<()> {
        self.tree = Some(Which::Log);
        for (part, bytes) in record.chunks(PART_BYTES).enumerate() {
            let part = u16::try_from(part)
                .map_err(|_| io::Error::other(format!("entry {index} has too many parts")))?;
            self.batch.insert(&key(index, part), bytes);
            self.bytes += bytes.len() + KEY_BYTES;
        }
        Ok(())
    }

    fn set(&mut self, key: MetaKey, record: &[u8]) {
        self.tree = Some(Which::Meta);
        self.bytes += record.len() + KEY_BYTES;
        self.batch.insert(key.name(), record);
    }
}

fn key(index: u64, part: u16) -> [u8; 10] {
    let ([a, b, c, d, e, f, g, h], [i, j]) = (index.to_be_bytes(), part.to_be_bytes());
    [a, b, c, d, e, f, g, h, i, j]
}

fn split(key: &[u8]) -> Result<(u64, u16), EngineError> {
    match <[u8; 10]>::try_from(key) {
        Ok([a, b, c, d, e, f, g, h, i, j]) => Ok((
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            u16::from_be_bytes([i, j]),
        )),
        Err(_) => Err(EngineError::Damaged(format!(
            "a key of {} bytes",
            key.len()
        ))),
    }
}

/// Opens sled and its two trees. After a failed attempt a thread of sled may hold its file for a moment; nobody else
/// can, because the data directory is locked.
fn open_trees(dir: &Path) -> Result<(Db, Tree, Tree), EngineError> {
    let begun = Instant::now();
    loop {
        match open_trees_once(dir) {
            Err(EngineError::Io(error))
                if error.to_string().contains("could not acquire lock")
                    && begun.elapsed() < LOCK_PATIENCE =>
            {
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// A panic within is an error.
fn open_trees_once(dir: &Path) -> Result<(Db, Tree, Tree), EngineError> {
    let open = || {
        let db = Config::new()
            .path(dir)
            .mode(Mode::LowSpace)
            .segment_size(segment_bytes(dir))
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()?;
        let log = db.open_tree("log")?;
        let meta = db.open_tree("meta")?;
        Ok((db, log, meta))
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(engine_error),
        Err(panic) => Err(EngineError::Damaged(panic_text(panic))),
    }
}

/// The segment size that the directory was made with, as sled's `conf` says it; sled opens it with no other.
pub(super) fn segment_bytes(dir: &Path) -> usize {
    // A checksum follows the text.
    let conf = fs::read(dir.join("conf")).unwrap_or_default();
    let conf = String::from_utf8_lossy(&conf);
    let mut lines = conf.lines();
    let own = lines.find_map(|line| line.strip_prefix("segment_size: ")?.trim().parse().ok());
    own.unwrap_or(SEGMENT_BYTES)
}

/// What a panic inside sled says, in one line.
pub(super) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast::<&str>()
            .map_or_else(|_| String::new(), |text| (*text).to_owned()),
    };
    format!("sled panicked: {}", text.lines().next().unwrap_or_default())
}

/// Removes sled's `snap.*` files whose names end in `suffix` and says how many there were.
fn remove_snapshots(dir: &Path, suffix: &str) -> io::Result<usize> {
    let mut doomed: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(suffix) {
            doomed.push(entry.path());
        }
    }
    for path in &doomed {
        fs::remove_file(path)?;
    }
    if !doomed.is_empty() {
        sync_directory(dir)?;
    }
    Ok(doomed.len())
}

fn engine_error(error: ::sled::Error) -> EngineError {
    match error {
        ::sled::Error::Io(error) if !is_about_content(error.kind()) => EngineError::Io(error),
        error => EngineError::Damaged(error.to_string()),
    }
}

/// Whether it is the bytes that are wrong, and not the disk.
fn is_about_content(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}
