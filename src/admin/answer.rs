//! The documents that travel over the admin socket, as the node writes them and the command line reads them.
//!
//! `--output json` prints them as they are. Fields are added, never renamed.

mod user;

use quorate_raft::Change;
use serde::{Deserialize, Serialize};

pub(crate) use user::{
    ImportOrder, Imported, PasswordOrder, PasswordState, UserChange, UserChanged, UserLine,
    UserOrder, UserTarget,
};

/// Any answer that is not 200.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// One sentence.
    pub(crate) error: String,
}

/// What `cluster add` and its like ask for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MemberChange {
    /// What is to change.
    pub(crate) change: Change,
    /// Even if it loses quorum.
    pub(crate) force: bool,
}

/// The state of one node at one index of the log: equal on all nodes that have applied as much.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StateDigest {
    /// The index of the newest entry that is in it.
    pub(crate) applied: u64,
    /// SHA-256 of the state as a snapshot would hold it, in hexadecimal.
    pub(crate) digest: String,
}

/// Which sessions are meant. None of the fields: all of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SessionFilter {
    /// Those of this user.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// Those whose id begins so: hexadecimal digits, 8 at least.
    #[serde(default)]
    pub(crate) id: Option<String>,
}

/// One session.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SessionLine {
    /// The first 8 bytes of SHA-256 of its secret, in hexadecimal.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) user: String,
    /// The cookie domain it is good for.
    pub(crate) domain: String,
    /// 1 or 2.
    pub(crate) factors: u8,
    /// When it was opened, in milliseconds since the Unix epoch.
    pub(crate) opened_at_ms: u64,
    /// When it was last used, as far as the members have told one another.
    pub(crate) seen_at_ms: u64,
    /// When it ends at the latest.
    pub(crate) expires_at_ms: u64,
}

/// How many sessions were ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// How many.
    pub(crate) ended: u64,
}

/// A one-time password device to be set up. What is not given is as the configuration's `totp` says.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TotpOrder {
    /// For whom.
    pub(crate) user: String,
    /// Base 32; random if not given.
    pub(crate) secret: Option<String>,
    /// The length of a random one.
    #[serde(default)]
    pub(crate) secret_bytes: Option<usize>,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub(crate) algorithm: Option<String>,
    /// 6 or 8.
    pub(crate) digits: Option<u8>,
    /// Seconds.
    pub(crate) period_s: Option<u32>,
    /// Whom the authenticator app names.
    pub(crate) issuer: Option<String>,
    /// Whether to replace an older device.
    pub(crate) force: bool,
}

/// A user's one-time password device, with its secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct TotpDevice {
    pub(crate) user: String,
    pub(crate) issuer: String,
    pub(crate) algorithm: String,
    pub(crate) digits: u8,
    pub(crate) period_s: u32,
    /// Base 32 without padding.
    pub(crate) secret: String,
    /// What a QR code holds.
    pub(crate) uri: String,
}

/// One user, or all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct UserFilter {
    #[serde(default)]
    pub(crate) user: Option<String>,
}

/// What is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BanKind {
    User,
    Ip,
}

/// Who is meant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BanTarget {
    pub(crate) kind: BanKind,
    /// A user's name or an address.
    pub(crate) name: String,
}

/// A ban to be imposed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BanOrder {
    pub(crate) target: BanTarget,
    /// `None`: until it is lifted.
    pub(crate) for_ms: Option<u64>,
}

/// A ban was imposed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Banned {
    /// Sessions that ended by it.
    pub(crate) ended: u64,
}

/// One ban.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BanLine {
    /// A user's name or an address.
    pub(crate) subject: String,
    /// When it ends, in milliseconds since the Unix epoch; `None`: when it is lifted.
    pub(crate) until_ms: Option<u64>,
    /// Whether only second factors are refused.
    pub(crate) second_factor_only: bool,
}

/// The files were read again and taken over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// How many access rules there are now.
    pub(crate) rules: usize,
    /// How many users there are now.
    pub(crate) users: usize,
    /// What is accepted but will surprise, and what waits for a restart.
    pub(crate) notices: Vec<String>,
}
