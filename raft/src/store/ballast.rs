//! Space held back for the day the disk is full.
//!
//! sled cannot even open without space for its segments. The ballast is given up then, so that the node can start, take
//! a snapshot and purge its log. It is taken back when there is plenty.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::directory::{private_file, remove_file};

/// Taken back once this many times its size is free.
const PLENTY: u64 = 4;

/// The file `ballast` in a data directory.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(crate) fn new(dir: &Path, bytes: u64) -> Self {
        Self {
            path: dir.join("ballast"),
            bytes,
        }
    }

    /// Gives the space up; says whether there was any.
    pub(crate) fn release(&self) -> io::Result<bool> {
        let is_held = self.path.exists();
        remove_file(&self.path)?;
        Ok(is_held)
    }

    /// Holds the space again if it is missing and there is plenty. A file system that cannot is no reason to stop.
    pub(crate) fn restore(&self) {
        let held = self.path.metadata().map_or(0, |data| data.len());
        if held == self.bytes {
            return;
        }
        let is_plenty = free_bytes(&self.path).is_some_and(|free| free / PLENTY >= self.bytes);
        if is_plenty && let Err(error) = self.allocate() {
            tracing::warn!(cause = %error, "no space could be held back for a full disk");
            let _ = remove_file(&self.path);
        }
    }

    fn allocate(&self) -> io::Result<()> {
        remove_file(&self.path)?;
        if self.bytes > 0 {
            let file = private_file().open(&self.path)?;
            fallocate(&file, FallocateFlags::empty(), 0, self.bytes)?;
        }
        Ok(())
    }
}

/// Bytes that this process may still write on the file system of `path` or its directory; `None` if nobody can tell.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let stat = statvfs(path)
        .or_else(|_| statvfs(path.parent().unwrap_or(path)))
        .ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
