//! Names of things. Each is parsed or derived once, and then proves what it is by its type.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the cluster knows a session by: SHA-256 of the token in the visitor's cookie, 32 bytes.
///
/// The token itself is never stored, so that neither the log nor a snapshot lets anyone in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey(pub [u8; 32]);

impl SessionKey {
    /// The key of the session whose cookie carries `token`.
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// Shows the first four bytes: enough to find a session in a log, too little to be one.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "SessionKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// Chosen at random by whoever proposes, so that a retry after an unknown outcome is applied once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u128);

/// Names one reserved guess; random, 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReservationId(pub u128);

/// A user's name as the user backend spells it: 1 to 256 bytes of UTF-8 without control characters. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserName(Arc<str>);

/// Why a text is not a [`UserName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// No characters at all.
    #[error("a user name must not be empty")]
    Empty,
    /// More than [`UserName::BYTES_MAX`] bytes.
    #[error("a user name has at most {} bytes", UserName::BYTES_MAX)]
    TooLong,
    /// A control character, which would break a header line.
    #[error("a user name must not contain control characters")]
    Control,
}

impl UserName {
    /// The longest name, in bytes. Longer ones are refused before they cost anything.
    pub const BYTES_MAX: usize = 256;

    /// Takes `name` as it is; nothing is trimmed or folded.
    ///
    /// # Errors
    /// [`InvalidName`] says which rule `name` breaks.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.len() > Self::BYTES_MAX {
            return Err(InvalidName::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidName::Control);
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
