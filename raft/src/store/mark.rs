//! How far the log was durable at least: a second, tiny opinion beside the engine's.
//!
//! An engine that loses the end of its files opens without a word and looks like a shorter log. The mark notices: it
//! names a vote and a log id that were durable when it was written. It is never ahead of the log, so it needs no sync
//! of its own, with one exception: before entries are removed from the end, the mark is lowered and synced.
//!
//! | bytes of `mark` | content |
//! |---|---|
//! | 0–4095 | slot 0: frame `DurableMark` of [`Slot`], then zeros |
//! | 4096–8191 | slot 1: likewise |
//!
//! Slots are written in turn; the valid one of the higher sequence counts, so a torn write loses nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use quorate_core::codec::{self, CodecError, Kind};
use serde::{Deserialize, Serialize};

use super::directory::{private_file, read_file, replace_file};
use super::error::Damage;
use super::{LogId, OpenError, Vote};

const FILE: &str = "mark";
const SLOT_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    sequence: u64,
    vote: Option<Vote>,
    last: Option<LogId>,
}

/// The mark of an opened log.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    slot: Slot,
}

impl Mark {
    /// The mark in `dir`; a new one, durable on return, if there is none and no record either.
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::io(dir, "read or write `mark`", error);
        let path = dir.join(FILE);
        let slot = match read_file(&path).map_err(failed)? {
            Some(bytes) => newest(&bytes)
                .map_err(|source| OpenError::damaged(dir, Damage::File { name: FILE, source }))?,
            None if super::holds_records(dir) => {
                return Err(OpenError::damaged(dir, Damage::Missing { name: FILE }));
            }
            None => {
                let mut bytes =
                    codec::encode(Kind::DurableMark, &Slot::default()).map_err(|source| {
                        OpenError::damaged(dir, Damage::File { name: FILE, source })
                    })?;
                bytes.resize(2 * SLOT_BYTES, 0);
                replace_file(&path, &bytes).map_err(failed)?;
                Slot::default()
            }
        };
        let file = private_file().open(&path).map_err(failed)?;
        Ok(Self { file, slot })
    }

    /// The newest vote known to have been durable.
    pub(crate) fn vote(&self) -> Option<Vote> {
        self.slot.vote
    }

    /// The newest log id known to have been durable and not removed from the end since.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.slot.last
    }

    /// Notes what is durable now. Not synced: after a power cut the mark may be an older one.
    pub(crate) fn raise(&mut self, vote: Option<Vote>, last: Option<LogId>) -> io::Result<()> {
        if (self.slot.vote, self.slot.last) == (vote, last) {
            return Ok(());
        }
        self.write(vote, last)
    }

    /// Notes that entries after `last` are about to be removed; durable on return.
    pub(crate) fn lower(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.write(self.slot.vote, last)?;
        self.file.sync_data()
    }

    fn write(&mut self, vote: Option<Vote>, last: Option<LogId>) -> io::Result<()> {
        let slot = Slot {
            sequence: self.slot.sequence + 1,
            vote,
            last,
        };
        let bytes = codec::encode(Kind::DurableMark, &slot).map_err(io::Error::other)?;
        self.file
            .write_all_at(&bytes, (slot.sequence % 2) * SLOT_BYTES as u64)?;
        self.slot = slot;
        Ok(())
    }
}

fn newest(bytes: &[u8]) -> Result<Slot, CodecError> {
    let (first, second) = bytes.split_at(bytes.len().min(SLOT_BYTES));
    match (slot(first), slot(second)) {
        (Ok(a), Ok(b)) if a.sequence < b.sequence => Ok(b),
        (Ok(a), _) => Ok(a),
        (Err(_), Ok(b)) => Ok(b),
        (Err(error), Err(_)) => Err(error),
    }
}

fn slot(bytes: &[u8]) -> Result<Slot, CodecError> {
    let length = codec::frame_bytes(bytes)?.unwrap_or(codec::HEADER_BYTES);
    let frame = bytes.get(..length).ok_or(CodecError::Truncated {
        have: bytes.len(),
        want: length,
    })?;
    codec::decode(Kind::DurableMark, frame)
}
