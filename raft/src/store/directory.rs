//! Files and directories that survive a power cut, and the lock on the data directory.
//!
//! A new or renamed file is durable only once its directory is synced; every function here says whether it does that.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use super::OpenError;

/// Only the user that runs Quorate may look: the log holds digests of tokens and password hashes.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const LOCK: &str = "lock";

/// How long to wait for the lock: a process that was just told to stop may still hold it.
const LOCK_PATIENCE: Duration = Duration::from_millis(1500);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Makes the names in `path` durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates the directory with its parents if it is missing; durable on return.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(path)?;
    sync_directory(path)?;
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Options for a new private file that is read and written.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(FILE_MODE);
    options
}

/// Puts `bytes` at `path` as a whole or not at all; durable on return. Leaves `<path>.tmp` behind if it fails.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = private_file().truncate(true).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// The content of a file that may be missing.
pub(crate) fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file that may be missing.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The exclusive hold on a data directory. The kernel ends it with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting up to [`LOCK_PATIENCE`] for a process that is about to stop.
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::io(dir, "take its lock", source);
        let mut file = private_file().open(dir.join(LOCK)).map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::InUse {
                        path: dir.to_owned(),
                        holder: holder(&mut file),
                    });
                }
            }
        }
        // Who holds it is only told to people; a full disk must not keep the node from starting.
        let _ = file.set_len(0);
        let _ = write!(file, "pid {}", std::process::id());
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let is_known = matches!(file.take(64).read_to_string(&mut text), Ok(length) if length > 0)
        && text.is_ascii();
    if is_known {
        text
    } else {
        "of unknown pid".to_owned()
    }
}
