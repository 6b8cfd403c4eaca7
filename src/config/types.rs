//! The validated configuration. Whoever holds one of these may rely on every rule stated here.
//!
//! Plain values with public fields; nothing is read or checked here.

mod cluster;
mod server;
mod session;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use quorate_core::access::Policy;
use quorate_core::access::rule::{Requirement, RuleSpec};

use super::place::{Notice, Place};
use super::secret::Secret;

pub use cluster::{ClusterConfig, Member, Reads};
pub use server::{
    AuthnStrategy, AuthzEndpoint, Implementation, Listen, RateLimit, RateLimits, Scheme, Server,
    StrategyKind, Timeouts, TlsFiles,
};
pub use session::{CookieDomain, PortalUrl, SameSite, Sessions};
pub(crate) use session::{WebUrl, covers};
pub use users::{Refresh, UserBackend, UsersFile};

/// The whole configuration, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// `server`.
    pub server: Server,
    /// `log`.
    pub log: Log,
    /// `theme`.
    pub theme: Theme,
    /// `session`.
    pub session: Sessions,
    /// `access_control` and `definitions.network`.
    pub access: AccessControl,
    /// `authentication_backend`.
    pub users: UserBackend,
    /// `regulation`.
    pub regulation: Regulation,
    /// `totp`.
    pub totp: Totp,
    /// `password_policy`.
    pub password_policy: PasswordPolicy,
    /// `telemetry`.
    pub telemetry: Telemetry,
    /// `storage`.
    pub storage: Storage,
    /// `cluster`.
    pub cluster: ClusterConfig,
    /// What the operator should read once.
    pub notices: Vec<Notice>,
    /// SHA-256 over the effective configuration without what may differ between members (addresses and files of
    /// this node, its name, its data directory, the log). Equal on members that decide alike. No secret can be
    /// guessed from it, so it may be published.
    pub digest: [u8; 32],
}

/// `log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// What is logged.
    pub level: LogLevel,
    /// How it looks.
    pub format: LogFormat,
    /// A file to write to instead of standard output. `%d` and `{datetime:…}` stand for the time.
    pub file_path: Option<String>,
    /// Whether to write to standard output besides the file.
    pub keep_stdout: bool,
}

/// `log.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures.
    Error,
    /// And what may become one.
    Warn,
    /// And what happened.
    Info,
    /// And every decision.
    Debug,
    /// And everything else.
    Trace,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object per line.
    Json,
}

/// `theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// Grey.
    Grey,
    /// White on black.
    Oled,
    /// As the browser prefers.
    Auto,
}

/// `access_control`.
#[derive(Debug, Clone)]
pub struct AccessControl {
    /// For a request that meets no rule.
    pub default_policy: Requirement,
    /// In the order of the file, each with the place it begins at. Their texts are untouched.
    pub rules: Vec<(RuleSpec, Place)>,
    /// `definitions.network`, and the older `access_control.networks`.
    pub networks: BTreeMap<String, Vec<IpNet>>,
    /// The rules compiled, with `default_policy` and `networks`.
    pub policy: Policy,
    /// Places of the fields of each rule, by `field` and `field[index]`.
    pub(crate) places: Vec<BTreeMap<String, Place>>,
}

impl AccessControl {
    /// Where `field` of the rule at `index` stands: `domain`, `resources[2]`, `query[0][1].value`. Falls back to
    /// what holds the field, then to the rule; an index past the last rule gives a place without a line.
    #[must_use]
    pub fn place(&self, index: usize, field: &str) -> Place {
        let mut field = field;
        while let Some(places) = self.places.get(index) {
            if let Some(place) = places.get(field) {
                return place.clone();
            }
            match field.rfind(['.', '[']).and_then(|end| field.get(..end)) {
                Some(shorter) => field = shorter,
                None => break,
            }
        }
        self.rules.get(index).map_or_else(
            || Place::whole("access_control"),
            |(_, place)| place.clone(),
        )
    }
}

/// `regulation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regulation {
    /// Whom failures are counted against.
    pub modes: RegulationModes,
    /// Failures that fill the budget; 0: failures are not counted.
    pub max_retries: u32,
    /// The window in which failures count together; at most `ban_time`.
    pub find_time: Duration,
    /// How long a ban lasts after the newest failure.
    pub ban_time: Duration,
}

/// `regulation.modes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegulationModes {
    /// Count by user.
    pub user: bool,
    /// Count by client address (`ip`).
    pub address: bool,
}

/// `totp`: one-time passwords. What a device was set up with goes with the device; the defaults here are for new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    /// Whether nobody can use one.
    pub is_disabled: bool,
    /// Whom the authenticator app names.
    pub issuer: String,
    /// The hash function of new devices.
    pub algorithm: quorate_core::TotpAlgorithm,
    /// Digits of new devices, 6 or 8.
    pub digits: u8,
    /// How long a password of a new device is valid, in seconds; 15 or more.
    pub period_s: u32,
    /// How many periods before and after the current one are accepted as well; at most 10.
    pub skew: u8,
    /// Bytes of new secrets, 20 to 128.
    pub secret_bytes: usize,
    /// Whether a password is accepted more than once.
    pub may_repeat: bool,
}

/// `password_policy`: what is asked of new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// Nothing.
    None,
    /// `standard`: length and kinds of characters.
    Form(PasswordForm),
    /// `zxcvbn`: how hard it is to guess.
    Score {
        /// 1 to 4.
        min_score: u32,
    },
}

/// `password_policy.standard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordForm {
    /// Characters, at least 1.
    pub min_length: u32,
    /// Characters; 0 for no limit.
    pub max_length: u32,
    /// Whether an upper-case letter is needed.
    pub require_uppercase: bool,
    /// Whether a lower-case letter is needed.
    pub require_lowercase: bool,
    /// Whether a digit is needed.
    pub require_number: bool,
    /// Whether another character is needed.
    pub require_special: bool,
}

/// `telemetry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// Where metrics are served, if they are.
    pub metrics: Option<Metrics>,
}

/// `telemetry.metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// The listener; plain HTTP.
    pub address: Listen,
    /// Begins with a slash; `/metrics` unless configured.
    pub path: String,
}

/// `storage`.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Key material for sealed secrets, 20 characters or more.
    pub encryption_key: Secret,
    /// The directory `storage.local.path` is in.
    pub local_dir: Option<PathBuf>,
}
