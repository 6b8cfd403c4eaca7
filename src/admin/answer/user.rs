//! The documents of `storage user …`.

use serde::{Deserialize, Serialize};

/// A user to be added. It may hold a password, so it is not `Debug`.
#[derive(Serialize, Deserialize)]
pub(crate) struct UserOrder {
    pub(crate) user: String,
    /// The name if not given.
    pub(crate) displayname: Option<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) disabled: bool,
    /// In plain, for the node to hash; `None`: nobody can log in by password.
    pub(crate) password: Option<String>,
}

/// What is to change of a user; what is not given stays.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserChange {
    pub(crate) user: String,
    pub(crate) displayname: Option<String>,
    pub(crate) emails: Option<Vec<String>>,
    pub(crate) groups: Option<Vec<String>>,
}

/// A password to be set, in plain, for the node to hash; so it is not `Debug`.
#[derive(Serialize, Deserialize)]
pub(crate) struct PasswordOrder {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Who is meant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserTarget {
    pub(crate) user: String,
}

/// Which password counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PasswordState {
    /// None: nobody can log in by password.
    None,
    /// One that the cluster keeps.
    Set,
    /// The one that the users file declares.
    Declared,
    /// One that was set in place of the one that the users file declares.
    Changed,
}

/// One user.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserLine {
    pub(crate) user: String,
    pub(crate) displayname: String,
    pub(crate) emails: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) disabled: bool,
    pub(crate) password: PasswordState,
}

/// A user was changed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserChanged {
    /// The name, as it is kept.
    pub(crate) user: String,
    /// Sessions that ended by it.
    pub(crate) ended: u64,
    /// What the operator should look at.
    pub(crate) notices: Vec<String>,
}

/// Users of a file to be taken into the cluster.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportOrder {
    /// How messages call the file.
    pub(crate) file: String,
    /// What is in it.
    pub(crate) text: String,
    /// Whether users who are there already are replaced.
    pub(crate) replace: bool,
    /// Whether nothing is changed.
    pub(crate) dry_run: bool,
}

/// What an import has done, or would do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub(crate) dry_run: bool,
    /// Who was not there before.
    pub(crate) added: Vec<String>,
    /// In whose place the users of the file were put.
    pub(crate) replaced: Vec<String>,
    /// Who was there, other than the file says, and was left so.
    pub(crate) kept: Vec<String>,
    /// Who was there as the file says.
    pub(crate) unchanged: Vec<String>,
    /// Sessions that ended by it.
    pub(crate) ended: u64,
    /// What is accepted but will surprise.
    pub(crate) notices: Vec<String>,
}
