//! The users file of this node, read again when it changes.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::{Options, Users};
use crate::authn::users::chain;
use crate::config::{Notice, Problem};

/// How often a watched file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// The users file and what it held when it was last read without a mistake.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    options: Options,
    /// The file's time of change before it was read for the first time.
    loaded_from: Option<SystemTime>,
    current: RwLock<Arc<Users>>,
    /// Of the file's text.
    digest: watch::Sender<[u8; 32]>,
}

/// What the users file held when it was read, not yet taken over.
#[derive(Debug)]
pub struct ReadUsers {
    users: Users,
    digest: [u8; 32],
}

impl ReadUsers {
    /// What is accepted but will surprise.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        self.users.notices()
    }
}

/// Why the users file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file cannot be read.
    #[error("the users file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The file has mistakes; each is one line.
    #[error("the users file has {} mistakes", .0.len())]
    Mistakes(Vec<Problem>),
}

impl FileSource {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// [`UsersError`] if it cannot be read or has mistakes; all of them are told.
    pub fn load(path: PathBuf, options: Options) -> Result<Self, UsersError> {
        // Before it is read: a change in between is noticed by `watch`.
        let loaded_from = changed_at(&path);
        let (users, digest) = read(&path, &options)?;
        Ok(Self {
            path,
            options,
            loaded_from,
            current: RwLock::new(Arc::new(users)),
            digest: watch::Sender::new(digest),
        })
    }

    /// All users as they are now.
    #[must_use]
    pub fn current(&self) -> Arc<Users> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The SHA-256 of the file as it was last read, for members to see that they have the same users.
    #[must_use]
    pub fn digest(&self) -> watch::Receiver<[u8; 32]> {
        self.digest.subscribe()
    }

    /// Reads the file again. With a mistake in it, the users stay as they were.
    ///
    /// # Errors
    /// As [`FileSource::load`].
    pub fn reload(&self) -> Result<(), UsersError> {
        self.replace(self.read()?);
        Ok(())
    }

    /// Reads the file and leaves the users as they are.
    ///
    /// # Errors
    /// As [`FileSource::load`].
    pub fn read(&self) -> Result<ReadUsers, UsersError> {
        let (users, digest) = read(&self.path, &self.options)?;
        Ok(ReadUsers { users, digest })
    }

    /// Takes over what was read.
    pub fn replace(&self, read: ReadUsers) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(read.users);
        drop(current);
        self.digest.send_replace(read.digest);
    }

    /// Reads the file again and logs how that went.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(()) => {
                tracing::info!(path = %self.path.display(), users = self.current().len(), "users file read again");
                self.log_notices();
            }
            Err(UsersError::Mistakes(problems)) => {
                for problem in problems {
                    tracing::error!(%problem, "users file not taken over; the users stay as they were");
                }
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "users file not taken over; the users stay as they were");
            }
        }
    }

    /// Logs what the file holds that is accepted but will surprise.
    pub fn log_notices(&self) {
        for notice in self.current().notices() {
            tracing::warn!("{notice}");
        }
    }

    /// Reads the file again whenever its time of change is another than when it was loaded or last seen here, for as long as the process lives.
    pub async fn watch(&self) {
        let mut known = self.loaded_from;
        let mut tick = tokio::time::interval(WATCH_INTERVAL);
        loop {
            tick.tick().await;
            let changed_at = changed_at(&self.path);
            if changed_at.is_some() && changed_at != known {
                known = changed_at;
                self.reload_and_log();
            }
        }
    }
}

fn changed_at(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// The users in a file, and the SHA-256 of its text.
fn read(path: &std::path::Path, options: &Options) -> Result<(Users, [u8; 32]), UsersError> {
    let unreadable = |source| UsersError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let users = super::parse(&text, &path.display().to_string(), options.clone())
        .map_err(UsersError::Mistakes)?;
    Ok((users, Sha256::digest(&text).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_between_loading_and_watching_is_noticed() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("users.yml");
        let text = |name: &str| {
            let hash = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
            format!("users:\n  {name}:\n    password: '{hash}'\n")
        };
        std::fs::write(&path, text("john")).expect("written");
        let source = Arc::new(FileSource::load(path.clone(), Options::default()).expect("loaded"));
        let mut digest = source.digest();
        std::fs::write(&path, text("zoe")).expect("written");
        let later = changed_at(&path).expect("a time") + Duration::from_secs(5);
        let file = std::fs::File::options().write(true).open(&path);
        let file = file.expect("the file");
        file.set_modified(later).expect("a time of change");
        let watching = tokio::spawn({
            let source = Arc::clone(&source);
            async move { source.watch().await }
        });
        tokio::time::timeout(Duration::from_secs(20), digest.changed())
            .await
            .expect("noticed")
            .expect("watched");
        assert!(source.current().get("zoe").is_some());
        watching.abort();
    }
}
