//! The directory of snapshots: one is kept, the newest.
//!
//! | name | content |
//! |---|---|
//! | `<index>-<term>.snapshot` | a snapshot, see [`file`](super::file); numbers with 20 digits, so names sort by age |
//! | `<n>.tmp` | one that is being written or received; removed at the next start |
//!
//! A snapshot gets its name when all of it is durable, and older ones go when the name is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quorate_core::{SnapshotError, State, StateView};

use super::file;
use crate::store::{
    Covered, Damage, Lock, LogId, OpenError, Snapshot, SnapshotMeta, create_directory,
    private_file, sync_directory,
};

const SUFFIX: &str = ".snapshot";

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Snapshots {
    dir: PathBuf,
    /// The one that is kept. Locked while files get or lose their names.
    kept: Mutex<Option<Kept>>,
    temporaries: AtomicU64,
    covered: Covered,
    _lock: Arc<Lock>,
}

#[derive(Debug, Clone)]
struct Kept {
    meta: SnapshotMeta,
    path: PathBuf,
}

impl Snapshots {
    /// Opens `dir`, creating it if need be; the state in the newest sound snapshot and what that is.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] if no sound one reaches `purged`.
    pub(super) fn open(
        data_dir: &Path,
        dir: &Path,
        purged: Option<LogId>,
        covered: Covered,
        lock: Arc<Lock>,
    ) -> Result<(Self, State, SnapshotMeta), OpenError> {
        let failed = |error| OpenError::io(data_dir, "read its snapshots", error);
        create_directory(dir).map_err(failed)?;
        let names = tidy(dir).map_err(failed)?;
        let (state, kept) = newest_sound(dir, &names, purged)
            .map_err(|damage| OpenError::damaged(data_dir, damage))?;
        let meta = kept
            .as_ref()
            .map(|kept| kept.meta.clone())
            .unwrap_or_default();
        if let Some(last) = meta.last_log_id {
            covered.extend_to(last.index);
        }
        let snapshots = Self {
            dir: dir.to_owned(),
            kept: Mutex::new(kept),
            temporaries: AtomicU64::new(0),
            covered,
            _lock: lock,
        };
        Ok((snapshots, state, meta))
    }

    /// The newest snapshot, if there is one, with a file of its own to read.
    pub(super) fn current(&self) -> io::Result<Option<Snapshot>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(opened).transpose()
    }

    /// Writes `view` to a file and keeps it. Blocks on the disk. If a newer snapshot was installed meanwhile, that one
    /// is returned.
    pub(super) fn build(
        &self,
        meta: &SnapshotMeta,
        view: &StateView,
    ) -> Result<Snapshot, SnapshotError> {
        let (path, file) = self.temporary()?;
        file::write(&file, meta, view)?;
        Ok(self.keep(meta, &path)?)
    }

    /// A new file to receive a snapshot into; an `abandoned` one is removed.
    pub(super) fn begin(&self, abandoned: Option<PathBuf>) -> io::Result<(PathBuf, File)> {
        if let Some(path) = abandoned {
            fs::remove_file(path)?;
        }
        self.temporary()
    }

    /// Loads what was received into `file` and keeps it. Blocks on the disk. `received` is where the file is, if it was
    /// made by [`Snapshots::begin`]. Nothing changes unless all of it is sound.
    pub(super) fn install(
        &self,
        meta: &SnapshotMeta,
        file: File,
        received: Option<PathBuf>,
        state: &mut State,
    ) -> Result<(), SnapshotError> {
        let (path, file) = match received {
            Some(path) if is_same(&path, &file)? => (path, file),
            abandoned => {
                abandoned.map_or(Ok(()), fs::remove_file)?;
                self.copy(file)?
            }
        };
        file.sync_all()?;
        file::load(&file, Some(meta), state)?;
        self.keep(meta, &path)?;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn pretend_covered(&self) {
        self.covered.extend_to(u64::MAX);
    }

    /// No further snapshot will come.
    pub(super) fn close(&self) {
        self.covered.close();
    }

    fn temporary(&self) -> io::Result<(PathBuf, File)> {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{number}.tmp"));
        let file = private_file().truncate(true).open(&path)?;
        Ok((path, file))
    }

    fn copy(&self, mut from: File) -> io::Result<(PathBuf, File)> {
        let (path, mut file) = self.temporary()?;
        io::Seek::rewind(&mut from)?;
        io::copy(&mut from, &mut file)?;
        Ok((path, file))
    }

    /// Gives the durable file at `temporary` its name; the name is durable on return, and older files are gone.
    fn keep(&self, meta: &SnapshotMeta, temporary: &Path) -> io::Result<Snapshot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newer) = kept
            .as_ref()
            .filter(|kept| kept.meta.last_log_id > meta.last_log_id)
        {
            fs::remove_file(temporary)?;
            return opened(newer);
        }
        let name = name(meta.last_log_id);
        let this = Kept {
            meta: meta.clone(),
            path: self.dir.join(&name),
        };
        fs::rename(temporary, &this.path)?;
        sync_directory(&self.dir)?;
        let snapshot = opened(&this)?;
        *kept = Some(this);
        if let Some(last) = meta.last_log_id {
            self.covered.extend_to(last.index);
        }
        for other in names(&self.dir)? {
            if other != name {
                fs::remove_file(self.dir.join(other))?;
            }
        }
        Ok(snapshot)
    }
}

/// Writes the one snapshot of the new directory `dir`; durable on return.
pub(crate) fn write_alone(
    dir: &Path,
    meta: &SnapshotMeta,
    view: &StateView,
) -> Result<(), SnapshotError> {
    create_directory(dir)?;
    let file = private_file().open(dir.join(name(meta.last_log_id)))?;
    file::write(&file, meta, view)?;
    Ok(sync_directory(dir)?)
}

fn opened(kept: &Kept) -> io::Result<Snapshot> {
    let file = File::open(&kept.path)?;
    Ok(Snapshot {
        meta: kept.meta.clone(),
        snapshot: Box::new(tokio::fs::File::from_std(file)),
    })
}

fn name(last: Option<LogId>) -> String {
    let (index, term) = last.map_or((0, 0), |last| (last.index, last.leader_id.term));
    format!("{index:020}-{term:020}{SUFFIX}")
}

/// The names of the snapshots in `dir`, in no order.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(SUFFIX) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes what was being written when the last process ended; the names of the snapshots, newest first.
fn tidy(dir: &Path) -> io::Result<Vec<String>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_file(path)?;
        }
    }
    let mut names = names(dir)?;
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// Loads the newest sound snapshot. One that is damaged is passed over only if the log still holds what an older one,
/// or none, lacks.
fn newest_sound(
    dir: &Path,
    names: &[String],
    purged: Option<LogId>,
) -> Result<(State, Option<Kept>), Damage> {
    let mut first_damage = None;
    for name in names {
        let path = dir.join(name);
        let mut state = State::new();
        let loaded = File::open(&path)
            .map_err(SnapshotError::from)
            .and_then(|file| file::load(&file, None, &mut state));
        match loaded {
            Ok(meta) if is_enough(meta.last_log_id, purged) => {
                return Ok((state, Some(Kept { meta, path })));
            }
            Ok(_) => {}
            Err(source) => {
                tracing::warn!(snapshot = %path.display(), cause = %source, "a snapshot is not sound");
                let name = name.clone();
                first_damage.get_or_insert(Damage::Snapshot { name, source });
            }
        }
    }
    match (purged, first_damage) {
        (None, _) => Ok((State::new(), None)),
        (Some(_), Some(damage)) => Err(damage),
        (Some(purged), None) => Err(Damage::SnapshotMissing {
            purged: purged.index,
        }),
    }
}

fn is_enough(last: Option<LogId>, purged: Option<LogId>) -> bool {
    last.map(|last| last.index) >= purged.map(|purged| purged.index)
}

fn is_same(path: &Path, file: &File) -> io::Result<bool> {
    let (there, here) = match fs::metadata(path) {
        Ok(there) => (there, file.metadata()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok((there.dev(), there.ino()) == (here.dev(), here.ino()))
}
