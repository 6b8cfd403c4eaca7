//! `authentication_backend`: where users come from and how new passwords are hashed.

use std::path::PathBuf;
use std::time::Duration;

use crate::authn::digest::Recipe;

/// `authentication_backend`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBackend {
    /// The file that users are declared in; without one the cluster keeps them.
    pub file: Option<UsersFile>,
    /// How new passwords are hashed.
    pub password: Recipe,
    /// Whether an e-mail address is taken for a user name at login.
    pub search_email: bool,
    /// Whether case is ignored in user names; names are then kept in lower case.
    pub case_insensitive: bool,
    /// How often a session's user is looked up again.
    pub refresh_interval: Refresh,
}

/// `authentication_backend.file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersFile {
    /// The users file.
    pub path: PathBuf,
    /// Whether the file is read again when it changes.
    pub watch: bool,
    /// Names declared in `extra_attributes`.
    pub extra_attributes: Vec<String>,
}

/// `authentication_backend.refresh_interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// At every request.
    Always,
    /// Only at login.
    Never,
    /// When the last look-up is older than this.
    Every(Duration),
}
