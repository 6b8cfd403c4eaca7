//! Users declared in a file, `users_database.yml`, in Authelia's format.
//!
//! Parsing is pure and finds all mistakes at once. Nothing here reads a file, watches one or checks a password; the
//! hashes are only looked at for their form.

mod entry;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_core::{Account, UserName};
use sha2::{Digest as _, Sha256};

pub use source::{FileSource, ReadUsers, UsersError};

use crate::config::{
    Body, Findings, Node, Notice, Place, Problem, UserBackend, View, nearest, tree,
};

/// How names are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Take an e-mail address for a name.
    pub search_email: bool,
    /// Ignore case in names; the names in the file must then be lower case.
    pub case_insensitive: bool,
}

impl From<&UserBackend> for Options {
    fn from(backend: &UserBackend) -> Self {
        Self {
            search_email: backend.search_email,
            case_insensitive: backend.case_insensitive,
        }
    }
}

/// All users of a file. Immutable: a changed file makes a new one.
#[derive(Debug, Clone)]
pub struct Users {
    entries: BTreeMap<String, Arc<Account>>,
    /// Names by e-mail address in lower case; empty unless addresses are searched.
    by_email: BTreeMap<String, String>,
    options: Options,
    notices: Vec<Notice>,
}

/// Parses the text of a users file; JSON is taken, too.
///
/// # Errors
/// Every mistake found, in the order of the file.
pub fn parse(text: &str, file: &str, options: Options) -> Result<Users, Vec<Problem>> {
    let mut findings = Findings::default();
    let root = tree(text, file, &mut findings);
    let mut users = Users {
        entries: BTreeMap::new(),
        by_email: BTreeMap::new(),
        options,
        notices: Vec::new(),
    };
    if let Some(root) = &root {
        users.fill(root, &mut findings);
    }
    if findings.problems.is_empty() {
        users.notices = findings.notices;
        return Ok(users);
    }
    findings
        .problems
        .sort_by_key(|problem| (problem.place.line, problem.place.column));
    Err(findings.problems)
}

impl Users {
    /// The user that logs in as `name`: by exact name, by name in lower case, or by e-mail address, as configured.
    ///
    /// The entry's own `name` is the one to go on with. A disabled user is found as well.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Account>> {
        if self.options.case_insensitive {
            let lower = name.to_lowercase();
            return self.entries.get(&lower).or_else(|| self.of_email(&lower));
        }
        self.entries
            .get(name)
            .or_else(|| self.of_email(&name.to_lowercase()))
    }

    /// The user of exactly that name, disabled or not.
    #[must_use]
    pub fn named(&self, name: &UserName) -> Option<&Arc<Account>> {
        self.entries.get(name.as_str())
    }

    fn of_email(&self, lower: &str) -> Option<&Arc<Account>> {
        self.entries.get(self.by_email.get(lower)?)
    }

    /// Every user, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.entries.values()
    }

    /// How many users there are, disabled ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is accepted but will surprise.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// SHA-256 over the digests of all entries in the order of names: equal where members know the same users,
    /// whatever the file's layout.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for entry in self.entries.values() {
            hasher.update(entry.digest());
        }
        hasher.finalize().into()
    }

    fn fill(&mut self, root: &Node, findings: &mut Findings) {
        const ADVICE: &str = "write `users:` and below it one section per user name";
        if !matches!(root.body, Body::Map(_)) {
            findings.problem(
                &root.at,
                "",
                format!("must be a section of keys, is {}", root.shown()),
                ADVICE,
            );
            return;
        }
        for entry in root.entries() {
            if entry.name != "users" {
                unknown(&entry.at, &entry.name, &entry.name, &["users"], findings);
            }
        }
        let mut places: BTreeMap<&str, &Place> = BTreeMap::new();
        match root.child("users").map(|node| (node, &node.body)) {
            Some((_, Body::Map(users))) if !users.is_empty() => {
                for user in users {
                    let path = format!("users.{}", user.name);
                    let view = View::of_entry(user, &path);
                    self.name_rules(&user.name, &user.at, &path, findings);
                    if let Some(account) = entry::read(&user.name, &user.value, &view, findings) {
                        places.insert(&user.name, &user.at);
                        self.entries.insert(user.name.clone(), Arc::new(account));
                    }
                }
            }
            Some((node, Body::Scalar { .. } | Body::List(_))) => {
                let message = format!("must be a section of users, is {}", node.shown());
                findings.problem(&node.at, "users", message, ADVICE);
            }
            _ => findings.problem(&root.at, "users", "is missing or empty", ADVICE),
        }
        if self.options.search_email {
            self.index_emails(&places, findings);
        }
    }

    fn name_rules(&self, name: &str, at: &Place, path: &str, findings: &mut Findings) {
        if let Err(error) = UserName::parse(name) {
            findings.problem(at, path, error.to_string(), "rename the user");
        }
        if self.options.case_insensitive && name.to_lowercase() != name {
            let advice = format!(
                "write `{}`, or set `search.case_insensitive: false`",
                name.to_lowercase()
            );
            findings.problem(
                at,
                path,
                "must be lower case with `search.case_insensitive`",
                advice,
            );
        }
    }

    /// An address that leads to two users would let one of them log in as the other.
    fn index_emails(&mut self, places: &BTreeMap<&str, &Place>, findings: &mut Findings) {
        for (name, entry) in &self.entries {
            let Some(at) = places.get(name.as_str()) else {
                continue;
            };
            for email in &entry.emails {
                let lower = email.to_lowercase();
                let path = format!("users.{name}.email");
                if let Some(other) = self
                    .entries
                    .get(&lower)
                    .filter(|other| other.name != entry.name)
                {
                    let message = format!("`{email}` is the name of the user `{}`", other.name);
                    findings.problem(
                        at,
                        &path,
                        message,
                        "with `search.email` every address leads to one user",
                    );
                } else if let Some(other) = self.by_email.insert(lower, name.clone()) {
                    let message = format!("`{email}` is also the address of `{other}`");
                    findings.problem(
                        at,
                        &path,
                        message,
                        "with `search.email` every address leads to one user",
                    );
                }
            }
        }
    }
}

/// Reports a key that is not among `known`.
fn unknown(at: &Place, path: &str, name: &str, known: &[&str], findings: &mut Findings) {
    let advice = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are {}", known.join(", ")),
    };
    findings.problem(at, path, "is not a key of the users file", advice);
}

#[cfg(test)]
mod tests;
