//! What the disk holds, checked before a node trusts it.
//!
//! Every entry decodes, none is missing, and nothing that the [mark](super::mark) says was durable is gone. A log that
//! fails this is refused as it is: a shorter one would let the node vote and answer as if it had never acknowledged
//! the rest.

use std::path::Path;

use quorate_core::codec::{self, Kind};
use serde::de::DeserializeOwned;

use super::engine::{EngineError, LogEngine, MetaKey, Op};
use super::error::Damage;
use super::mark::Mark;
use super::window::Window;
use super::{Entry, LogId, OpenError};

/// The log in `engine`. Entries that a cut-off purge left behind are removed.
pub(crate) fn recover(
    dir: &Path,
    engine: &mut impl LogEngine,
    mark: &Mark,
) -> Result<Window, OpenError> {
    let records = engine.scan().map_err(|error| unreadable(dir, error))?;
    let mut window = Window::default();
    window.purged = record(dir, engine, MetaKey::Purged, Kind::LogId)?;
    window.vote = record(dir, engine, MetaKey::Vote, Kind::Vote)?;
    let first = window.purged.map_or(0, |purged: LogId| purged.index + 1);
    let (leftover, kept): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|(index, _)| *index < first);
    if !leftover.is_empty() {
        engine
            .write(&[Op::RemoveUpTo(first - 1)])
            .map_err(|error| OpenError::io(dir, "purge the log", error))?;
    }
    load(&mut window, first, kept).map_err(|damage| OpenError::damaged(dir, damage))?;
    check(&window, mark).map_err(|damage| OpenError::damaged(dir, damage))?;
    let committed: Option<LogId> = record(dir, engine, MetaKey::Committed, Kind::LogId)?;
    let last = window.last().map(|last| last.index);
    // It only spares the next leader some work, so one that points beyond the log is dropped.
    window.committed = committed.filter(|committed| Some(committed.index) <= last);
    Ok(window)
}

/// How the operator sees an engine that cannot be opened or read.
pub(crate) fn unreadable(dir: &Path, error: EngineError) -> OpenError {
    match error {
        EngineError::Io(error) => OpenError::io(dir, "read the log", error),
        EngineError::Damaged(detail) => OpenError::damaged(dir, Damage::Engine { detail }),
    }
}

fn load(window: &mut Window, first: u64, records: Vec<(u64, Vec<u8>)>) -> Result<(), Damage> {
    for (expected, (index, record)) in (first..).zip(records) {
        if index != expected {
            return Err(Damage::Hole {
                expected,
                found: index,
            });
        }
        let entry: Entry = codec::decode(Kind::LogEntry, &record)
            .map_err(|source| Damage::Entry { index, source })?;
        if entry.log_id.index != index {
            return Err(Damage::Hole {
                expected: index,
                found: entry.log_id.index,
            });
        }
        window.put(entry, record.len() as u64);
    }
    Ok(())
}

fn check(window: &Window, mark: &Mark) -> Result<(), Damage> {
    if let Some(marked) = mark.vote()
        && window.vote.is_none_or(|vote| vote < marked)
    {
        return Err(Damage::VoteLost {
            term: marked.leader_id.term,
        });
    }
    let Some(marked) = mark.last() else {
        return Ok(());
    };
    let is_short = window.last().is_none_or(|last| last.index < marked.index);
    let is_another = window
        .log_id(marked.index)
        .is_some_and(|there| there != marked);
    if is_short || is_another {
        return Err(Damage::TailLost {
            acknowledged: marked.index,
        });
    }
    Ok(())
}

fn record<T: DeserializeOwned>(
    dir: &Path,
    engine: &mut impl LogEngine,
    key: MetaKey,
    kind: Kind,
) -> Result<Option<T>, OpenError> {
    let bytes = engine.meta(key).map_err(|error| unreadable(dir, error))?;
    let decoded = bytes.map(|bytes| codec::decode(kind, &bytes)).transpose();
    decoded.map_err(|source| {
        let name = key.name();
        OpenError::damaged(dir, Damage::Record { name, source })
    })
}
