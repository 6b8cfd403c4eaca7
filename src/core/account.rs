//! Accounts: what is known of a user for logging in and for sites, and the passwords that take the place of others.
//!
//! The users file and the cluster describe users alike. Those of a file stay in it; the cluster keeps whole accounts of
//! its own users, and of a file's users only the passwords that were changed since. Passwords come as hashes and are
//! never looked at here.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Timestamp, UserName};

/// What a password is checked against: salt, costs and key as text, in a form that whoever makes one has checked; most
/// often a PHC string. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(Arc<str>);

impl PasswordHash {
    /// Takes the text as it is.
    #[must_use]
    pub fn of_phc(phc: &str) -> Self {
        Self(Arc::from(phc))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    #[must_use]
    pub fn phc(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// SHA-256 of the text, by which a [`PasswordOverride`] names the password it takes the place of.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// What is known of a user for logging in and for sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name, as their source spells it.
    pub name: UserName,
    /// What pages and headers call the user.
    pub display_name: String,
    /// E-mail addresses; the first is the one headers carry. May be empty.
    pub emails: Vec<String>,
    /// Groups; none with a control character. Sites are not told of one with a comma.
    pub groups: Vec<String>,
    /// The password; without one nobody can log in by password.
    pub password: Option<PasswordHash>,
    /// Whether the user may not log in.
    pub disabled: bool,
}

impl Account {
    /// SHA-256 over every field, by which a change names what it was made from.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        // Length before content: no two different accounts have the same bytes.
        let mut field = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        };
        field(self.name.as_str());
        field(&self.display_name);
        field(self.password.as_ref().map_or("", PasswordHash::as_str));
        field(if self.disabled { "disabled" } else { "enabled" });
        field(&self.emails.len().to_string());
        self.emails.iter().for_each(|email| field(email));
        field(&self.groups.len().to_string());
        self.groups.iter().for_each(|group| field(group));
        hasher.finalize().into()
    }
}

/// A password in place of the one that the users file declares. It counts as long as the file declares the same, so that
/// an operator's later edit of the password wins, and an edit of anything else brings no old password back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordOverride {
    /// [`PasswordHash::digest`] of the password in the file.
    pub replaces: [u8; 32],
    /// The password that counts instead.
    pub password: PasswordHash,
    /// When it was set, in replicated time.
    pub set_at: Timestamp,
}
