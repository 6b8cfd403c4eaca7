//! The users as this node knows them now, wherever they come from: the users file, or the cluster.
//!
//! Looking somebody up reads memory and waits for nothing. What the cluster keeps comes from the reader of the
//! replicated state; whoever must not miss a change reads behind what makes it sure.

use std::sync::Arc;

use quorate_core::{Account, Reader, UserName};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::file::{FileSource, Options, UsersError};
use crate::config::{Notice, UserBackend};

/// Where users come from.
#[derive(Debug)]
pub enum UserSource {
    /// The users file of this node. The cluster keeps the passwords that were changed since.
    File(FileSource),
    /// The cluster itself.
    Replicated(ReplicatedSource),
}

/// Users that the cluster keeps.
#[derive(Debug)]
pub struct ReplicatedSource {
    options: Options,
    /// Always the same: all members have what the log says.
    digest: watch::Sender<[u8; 32]>,
}

impl UserSource {
    /// What the configuration asks for; a users file is read for the first time.
    ///
    /// # Errors
    /// [`UsersError`] if the file cannot be read or has mistakes; all of them are told.
    pub fn load(backend: &UserBackend) -> Result<Self, UsersError> {
        let options = Options::from(backend);
        match &backend.file {
            Some(file) => FileSource::load(file.path.clone(), options).map(Self::File),
            None => {
                let digest = Sha256::digest("authentication_backend.replicated").into();
                Ok(Self::Replicated(ReplicatedSource {
                    options,
                    digest: watch::Sender::new(digest),
                }))
            }
        }
    }

    /// Who logs in with what was typed, with the password that counts: by name, or by e-mail address, as configured.
    /// `None` for a disabled user as well.
    #[must_use]
    pub fn search(&self, typed: &str, reader: &Reader) -> Option<Arc<Account>> {
        let found = match self {
            Self::File(file) => with_override(file.current().get(typed)?, reader),
            Self::Replicated(source) => source.search(typed, reader)?,
        };
        Some(found).filter(|account| !account.disabled)
    }

    /// The user of exactly that name, as a session has it; `None` for a disabled user as well. The password need not
    /// be the one that counts.
    #[must_use]
    pub fn of_session(&self, name: &UserName, reader: &Reader) -> Option<Arc<Account>> {
        let found = match self {
            Self::File(file) => file.current().named(name).cloned(),
            Self::Replicated(_) => reader.account(name),
        };
        found.filter(|account| !account.disabled)
    }

    /// The user of exactly that name, disabled or not, as their source describes them.
    #[must_use]
    pub fn named(&self, name: &UserName, reader: &Reader) -> Option<Arc<Account>> {
        match self {
            Self::File(file) => file.current().named(name).cloned(),
            Self::Replicated(_) => reader.account(name),
        }
    }

    /// Every user, in the order of names.
    #[must_use]
    pub fn all(&self, reader: &Reader) -> Vec<Account> {
        match self {
            Self::File(file) => file
                .current()
                .iter()
                .map(|user| Account::clone(user))
                .collect(),
            Self::Replicated(_) => {
                let accounts = reader.accounts();
                let sorted = accounts.sorted().into_iter();
                sorted.map(|(_, account)| account.clone()).collect()
            }
        }
    }

    /// How many there are, disabled ones included.
    #[must_use]
    pub fn count(&self, reader: &Reader) -> usize {
        match self {
            Self::File(file) => file.current().len(),
            Self::Replicated(_) => reader.account_count(),
        }
    }

    /// The users file, if users come from one.
    #[must_use]
    pub fn file(&self) -> Option<&FileSource> {
        match self {
            Self::File(file) => Some(file),
            Self::Replicated(_) => None,
        }
    }

    /// By which members see that they have the same users.
    #[must_use]
    pub fn digest(&self) -> watch::Receiver<[u8; 32]> {
        match self {
            Self::File(file) => file.digest(),
            Self::Replicated(source) => source.digest.subscribe(),
        }
    }

    /// What is accepted but will surprise.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.file()
            .map(|file| file.current().notices().to_vec())
            .unwrap_or_default()
    }
}

impl ReplicatedSource {
    fn search(&self, typed: &str, reader: &Reader) -> Option<Arc<Account>> {
        let lower = typed.to_lowercase();
        let name = match self.options.case_insensitive {
            true => &lower,
            false => typed,
        };
        let by_name = UserName::parse(name).ok();
        let by_name = by_name.and_then(|name| reader.account(&name));
        if by_name.is_some() || !self.options.search_email {
            return by_name;
        }
        reader.account(&reader.name_of_email(&lower)?)
    }
}

/// A user of the file with the password that counts.
#[must_use]
pub fn with_override(account: &Arc<Account>, reader: &Reader) -> Arc<Account> {
    let set = reader.password_override(&account.name);
    let set = set.filter(|set| is_in_force(account, set.replaces));
    match set {
        Some(set) => Arc::new(Account {
            password: Some(set.password.clone()),
            ..Account::clone(account)
        }),
        None => Arc::clone(account),
    }
}

/// Whether a password in place of the one with the digest `replaces` counts for a user as the file declares them.
#[must_use]
pub fn is_in_force(account: &Account, replaces: [u8; 32]) -> bool {
    let declared = account.password.as_ref();
    declared.is_some_and(|declared| declared.digest() == replaces)
}

/// An error with its causes, on one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| {
        line + ": " + &cause.to_string()
    })
}
