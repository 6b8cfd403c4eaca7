//! The log, the vote and the identity of a node on disk; what a data directory holds, and how it is opened.
//!
//! | path | content |
//! |---|---|
//! | `lock` | locked while a process uses the directory |
//! | `identity` | whose it is, see [`identity`] |
//! | `mark` | how far the log was durable at least, see [`mark`] |
//! | `log/` | sled's files: the log and the vote, see [`sled`] |
//! | `snapshots/` | the newest snapshot, see [`machine`](crate::machine) |
//! | `ballast` | space held back for a full disk, see [`ballast`] |
//!
//! It knows openraft's entries and votes, and nothing of what proposals mean or how nodes talk.

mod ballast;
mod covered;
mod directory;
mod engine;
mod error;
mod failure;
mod identity;
mod log;
mod mark;
mod metrics;
mod recover;
mod sled;
#[cfg(test)]
mod tests;
mod window;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

pub use error::{Damage, OpenError};
pub use failure::StoreFailure;
pub use identity::ClusterIdError;

pub(crate) use covered::Covered;
pub(crate) use directory::{Lock, create_directory, private_file, sync_directory};
pub(crate) use failure::{Failures, Fatal};
pub(crate) use identity::IdentityHandle;
pub(crate) use log::LogStore;
pub(crate) use metrics::StoreMetrics;
pub use metrics::{FLUSH_BUCKETS_US, StoreNumbers};

use quorate_core::codec::{self, Kind};

use self::ballast::Ballast;
use self::engine::{LogEngine, MetaKey, Op};
use self::mark::Mark;
use self::sled::SledEngine;
use self::window::Window;
use self::writer::{Shared, Write, Writer};
use crate::machine::Machine;
use crate::types::{Member, TypeConfig};

pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, Member>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, Member>;
pub(crate) type Snapshot = openraft::Snapshot<TypeConfig>;

/// How to open a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The configured name of this node.
    pub(crate) name: String,
    /// The Raft node id that a new directory gets: random, never used before. An existing one keeps its own.
    pub(crate) node_id_if_new: u64,
    /// Space held back for a full disk; 0 for none. See [`Options::BALLAST_BYTES`].
    pub(crate) ballast_bytes: u64,
}

impl Options {
    /// The usual [`Options::ballast_bytes`]: room for sled's segments and a few purges.
    pub(crate) const BALLAST_BYTES: u64 = 16 << 20;
}

/// An opened data directory. It is free again when the log, its readers' store and the machine are dropped.
pub(crate) struct Opened {
    /// For openraft.
    pub(crate) log: LogStore,
    /// For openraft. Take its reader and its applied index first.
    pub(crate) machine: Machine,
    /// Whose directory it is.
    pub(crate) identity: IdentityHandle,
    /// The newest set of commands that is in the state or in the log.
    pub(crate) newest_set: u32,
    /// What the storage counts.
    pub(crate) metrics: Arc<StoreMetrics>,
    /// Resolves when the storage has failed for good; then the process must stop.
    pub(crate) fatal: Fatal,
}

impl Opened {
    /// Whether a node that knows sets of commands up to `known` can use it. What this program does not know does not
    /// even decode; this is for a node that behaves like an older version.
    pub(crate) fn check_set(&self, known: u32, dir: &Path) -> Result<(), OpenError> {
        if self.newest_set <= known {
            return Ok(());
        }
        Err(OpenError::NewerCommands {
            path: dir.to_owned(),
            what: format!("a command of set {}", self.newest_set),
        })
    }
}

impl std::fmt::Debug for Opened {
    /// Only whose it is: the state and the log are long, and nothing for a log line.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Opened");
        out.field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Opens the data directory `dir`, or creates it. Blocks on the disk: call it outside the runtime or on a blocking
/// thread. Waits a moment for another process that is about to leave the directory.
///
/// # Errors
/// [`OpenError`] says what to do. Nothing is lost by an error: the same call succeeds once its cause is gone.
pub(crate) fn open(dir: &Path, options: &Options) -> Result<Opened, OpenError> {
    create_directory(dir).map_err(|error| {
        // A file in the way is reported as existing already.
        let is_file = error.kind() == std::io::ErrorKind::AlreadyExists;
        if is_file && !dir.is_dir() {
            return OpenError::NotADirectory {
                path: dir.to_owned(),
            };
        }
        OpenError::io(dir, "create it", error)
    })?;
    let lock = Arc::new(Lock::take(dir)?);
    let ballast = Ballast::new(dir, options.ballast_bytes);
    match open_locked(dir, options, &lock) {
        Err(OpenError::DiskFull { path }) => {
            let is_released = ballast.release();
            if !is_released.map_err(|error| OpenError::io(dir, "remove `ballast`", error))? {
                return Err(OpenError::DiskFull { path });
            }
            tracing::warn!(data_dir = %dir.display(), "the disk is full; the space held back for this is given up");
            open_locked(dir, options, &lock)
        }
        Ok(opened) => {
            ballast.restore();
            Ok(opened)
        }
        failed => failed,
    }
}

/// Whether `dir` holds more than the files that are made before the first record.
pub(crate) fn holds_records(dir: &Path) -> bool {
    [LOG, SNAPSHOTS].iter().any(|name| dir.join(name).exists())
}

/// An unfinished restore or recover, see [`rebuild`](crate::rebuild).
pub(crate) const STAGED: &str = "staged";
const LOG: &str = "log";
const SNAPSHOTS: &str = "snapshots";

fn open_locked(dir: &Path, options: &Options, lock: &Arc<Lock>) -> Result<Opened, OpenError> {
    if dir.join(STAGED).exists() {
        let path = dir.to_owned();
        return Err(OpenError::Unfinished { path });
    }
    let identity = IdentityHandle::open(dir, options)?;
    let shared = Shared {
        covered: Covered::default(),
        metrics: Arc::new(StoreMetrics::new(dir.to_owned())),
        failures: Failures::new(),
    };
    let fatal = shared.failures.watch();
    let metrics = Arc::clone(&shared.metrics);
    let (queue, window, thread) = start_writer(dir, options, lock, shared.clone())?;
    let machine = Machine::open(
        dir,
        &dir.join(SNAPSHOTS),
        window.purged,
        identity.node_id(),
        (shared.covered, shared.failures, Arc::clone(lock)),
    );
    let machine = match machine {
        Ok(machine) => machine,
        Err(error) => {
            // The caller may try again, so the engine must be closed.
            drop(queue);
            let _ = thread.join();
            return Err(error);
        }
    };
    Ok(Opened {
        newest_set: machine.reader().set().max(window.newest_set()),
        log: LogStore::new(window, identity.node_id(), queue, Arc::clone(&metrics)),
        machine,
        identity,
        metrics,
        fatal,
    })
}

/// Starts the thread that owns the log and waits until it has checked what is on disk.
fn start_writer(
    dir: &Path,
    options: &Options,
    lock: &Arc<Lock>,
    shared: Shared,
) -> Result<(Sender<Write>, Window, JoinHandle<()>), OpenError> {
    let (queue, writes) = mpsc::channel();
    let (ready, opened) = mpsc::sync_channel(1);
    let owned = dir.to_owned();
    let ballast = Ballast::new(dir, options.ballast_bytes);
    let lock = Arc::clone(lock);
    let work = move || {
        // Held until the engine is closed.
        let _lock = lock;
        match open_log(&owned, ballast, shared) {
            Ok((writer, window)) => {
                if ready.send(Ok(window)).is_ok() {
                    writer.run(&writes);
                }
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    };
    let thread = std::thread::Builder::new()
        .name("log-writer".to_owned())
        .spawn(work)
        .map_err(|error| OpenError::io(dir, "start the log's writer", error))?;
    match opened.recv() {
        Ok(opened) => Ok((queue, opened?, thread)),
        Err(_) => {
            // The thread ended by a panic inside sled.
            let detail = thread
                .join()
                .err()
                .map_or_else(String::new, sled::panic_text);
            Err(OpenError::damaged(dir, Damage::Engine { detail }))
        }
    }
}

/// Writes the log of the new directory `dir`, which has nothing but an identity, as one whose entries up to `purged` have been purged; durable on return.
pub(crate) fn write_purged_log(dir: &Path, vote: Vote, purged: LogId) -> std::io::Result<()> {
    // The mark is made first: without it nobody could say how far a log was durable.
    drop(Mark::open(dir).map_err(std::io::Error::other)?);
    let log = dir.join(LOG);
    create_directory(&log)?;
    let mut engine = SledEngine::open(&log).map_err(std::io::Error::other)?;
    let encode = |kind, value: &LogId| codec::encode(kind, value).map_err(std::io::Error::other);
    let vote = codec::encode(Kind::Vote, &vote).map_err(std::io::Error::other)?;
    engine.write(&[
        Op::SetMeta(MetaKey::Vote, vote),
        Op::SetMeta(MetaKey::Purged, encode(Kind::LogId, &purged)?),
        Op::SetMeta(MetaKey::Committed, encode(Kind::LogId, &purged)?),
    ])
}

fn open_log(
    dir: &Path,
    ballast: Ballast,
    shared: Shared,
) -> Result<(Writer<SledEngine>, Window), OpenError> {
    let mark = Mark::open(dir)?;
    let log = dir.join(LOG);
    if !log.exists() && mark.last().is_none() && mark.vote().is_none() {
        create_directory(&log).map_err(|error| OpenError::io(dir, "create `log`", error))?;
    } else if !log.exists() {
        return Err(OpenError::damaged(dir, Damage::Missing { name: LOG }));
    }
    let mut engine = SledEngine::open(&log).map_err(|error| recover::unreadable(dir, error))?;
    let window = recover::recover(dir, &mut engine, &mark)?;
    let writer = Writer::new(engine, mark, ballast, &window, shared);
    Ok((writer, window))
}
