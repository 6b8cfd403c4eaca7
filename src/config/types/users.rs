//! `authentication_backend`: the users file and how new passwords are hashed.

use std::path::PathBuf;
use std::time::Duration;

/// `authentication_backend`, with users from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersFile {
    /// The users file.
    pub path: PathBuf,
    /// Whether the file is read again when it changes.
    pub watch: bool,
    /// How new passwords are hashed.
    pub password: Argon2Params,
    /// Whether an e-mail address is taken for a user name at login.
    pub search_email: bool,
    /// Whether case is ignored in user names; names in the file are then lower case.
    pub case_insensitive: bool,
    /// How often a session's user is looked up again.
    pub refresh_interval: Refresh,
    /// Names declared in `extra_attributes`.
    pub extra_attributes: Vec<String>,
}

/// Parameters of a new Argon2 hash, within what RFC 9106 §3.1 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    /// The variant.
    pub variant: Argon2Variant,
    /// Passes.
    pub iterations: u32,
    /// Memory in KiB, at least 8 per lane.
    pub memory_kib: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Bytes of the hash.
    pub key_length: u32,
    /// Bytes of the salt.
    pub salt_length: u32,
}

/// A variant of Argon2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argon2Variant {
    /// `argon2id`.
    Id,
    /// `argon2i`.
    I,
    /// `argon2d`.
    D,
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
