//! Every key a configuration may have: its kind, its default, and what becomes of it.
//!
//! The table is the only list of keys: the check for unknown keys, the environment variables and the reference page
//! are made from it. What a key's value must mean beyond its kind is known to `config::build` alone.

mod backend;
mod block;
mod keys;
mod oidc;
mod own;
pub(crate) mod remark;
mod renamed;
mod tree;

use std::sync::LazyLock;

pub(crate) use block::Block;
pub(crate) use renamed::{RENAMED, Renamed};
pub(crate) use tree::{Branch, root};

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The path: names joined by dots, `[]` behind a list, `*` for a name of the operator's choice.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The default as the operator would write it; empty if there is none.
    pub default: &'static str,
    /// What becomes of it.
    pub status: Status,
    /// What it does or why, where status and name do not say it; empty otherwise.
    pub note: &'static str,
    /// The present name of a deprecated key; empty otherwise.
    pub now: &'static str,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does what Authelia's documentation says.
    Supported,
    /// It is accepted, and what it is for is not needed here.
    NotNeeded,
    /// It is accepted, and what it is for is not there yet.
    NoEffectYet,
    /// It stops the start: whoever wrote it relies on something that is not there yet.
    Refused,
    /// An older name that is still taken.
    Deprecated,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// A duration.
    Duration,
    /// A duration or one of these words.
    DurationOr(&'static [&'static str]),
    /// Any text.
    Text,
    /// Any text, never shown.
    Secret,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A text or a list of texts.
    Texts,
    /// A text, a list of texts, or a list of lists.
    TextLists,
    /// A list of whole numbers.
    Counts,
    /// An address to listen at.
    Address,
    /// An absolute URL.
    Url,
    /// Anything; the value is not looked at.
    Any,
}

/// A row of the tables: path, kind, default.
type Row = (&'static str, Kind, &'static str);

static SCHEMA: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let rows = [
        keys::KEYS,
        backend::KEYS,
        oidc::KEYS,
        own::KEYS,
        renamed::KEYS,
    ];
    let mut schema: Vec<Key> = rows.into_iter().flatten().map(key).collect();
    schema.sort_by_key(|key| key.path);
    schema
});

fn key((path, kind, default): &Row) -> Key {
    let (status, note, now) = match (renamed::of(path), block::of(path)) {
        (Some(renamed), _) => (Status::Deprecated, renamed.note, renamed.to),
        (None, Some(block)) if block.status != Status::Supported => (block.status, block.note, ""),
        (None, _) => (Status::Supported, remark::of(path), ""),
    };
    Key {
        path,
        kind: *kind,
        default,
        status,
        note,
        now,
    }
}

/// Every key, in the order of paths.
#[must_use]
pub fn schema() -> &'static [Key] {
    &SCHEMA
}
