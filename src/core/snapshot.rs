//! The state as bytes: frames in a fixed order, records in key order, so that equal states are equal bytes.
//!
//! `Head{now, counts}`, then runs of at most [`RUN`] records: sessions, users, attempts, second factors, requests
//! (oldest first), then `End{counts}`. Each run is one frame of the [codec](crate::codec), so damage anywhere is noticed.
//!
//! As long as only the first set of commands is in force, that is all, so that a program that knows no other can load
//! it. From the second set on, `Set{set}` comes before the head. Every member can read what is written, because it knows
//! the set in force.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::codec::{self, CodecError, Kind};
use crate::state::{RecentRequests, RememberedRequest, User};
use crate::{
    Attempts, Authenticators, Command, Session, SessionKey, State, StateView, Subject, Timestamp,
    UserName,
};

/// Records in one frame: large enough to be quick, small enough to stay far below the frame limit.
const RUN: usize = 512;

/// Records of each kind, in file order: sessions, users, attempts, second factors, requests.
type Counts = [u64; 5];

/// Why a snapshot could not be written or loaded.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file or connection failed.
    #[error("the snapshot could not be read or written")]
    Io(#[from] io::Error),
    /// A record is damaged or of another version.
    #[error("the snapshot holds a record that is not one")]
    Codec(#[from] CodecError),
    /// A newer program wrote it, or a member that may use commands which this program does not know.
    #[error(
        "the snapshot needs command set {found}, and this version of Quorate knows sets up to {known}; start the newer \
         version again"
    )]
    Newer {
        /// The set that is in force in it.
        found: u32,
        /// The newest set of this program.
        known: u32,
    },
    /// Whole records are missing.
    #[error("the snapshot announces {announced:?} records and ends with {found:?}")]
    Counts {
        /// What the head says.
        announced: Box<Counts>,
        /// What the end says.
        found: Box<Counts>,
    },
}

impl SnapshotError {
    /// Whether the snapshot is as it was written, and holds what this program does not know: a newer one wrote it.
    #[must_use]
    pub const fn is_newer(&self) -> bool {
        match self {
            Self::Newer { .. } => true,
            Self::Codec(error) => error.is_newer(),
            Self::Io(_) | Self::Counts { .. } => false,
        }
    }
}

impl StateView {
    /// Writes the snapshot to `out`, which should be buffered.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] as `out` fails; [`SnapshotError::Codec`] never in practice.
    pub fn write_to(&self, out: &mut impl Write) -> Result<(), SnapshotError> {
        let lengths = [
            self.sessions.len(),
            self.users.len(),
            self.attempts.len(),
            self.authenticators.len(),
            self.requests.len(),
        ];
        let counts: Counts = lengths.map(|length| length as u64);
        if self.set > 1 {
            out.write_all(&codec::encode(Kind::SnapshotSet, &self.set)?)?;
        }
        out.write_all(&codec::encode(Kind::SnapshotHead, &(self.now, counts))?)?;
        write_runs(out, Kind::SnapshotSessions, &self.sessions.sorted())?;
        write_runs(out, Kind::SnapshotUsers, &self.users.sorted())?;
        write_runs(out, Kind::SnapshotAttempts, &self.attempts.sorted())?;
        let authenticators = self.authenticators.sorted();
        write_runs(out, Kind::SnapshotAuthenticators, &authenticators)?;
        write_runs(out, Kind::SnapshotRequests, &self.requests)?;
        out.write_all(&codec::encode(Kind::SnapshotEnd, &counts)?)?;
        Ok(())
    }
}

impl State {
    /// Takes over the snapshot in `input`. Nothing changes unless all of it is sound; readers see each record before or
    /// after.
    ///
    /// # Errors
    /// [`SnapshotError`] says what is wrong; the state is as before.
    pub fn load(&mut self, input: &mut impl Read) -> Result<(), SnapshotError> {
        let mut first = next_frame(input)?;
        let mut set = 1;
        if codec::frame_kind(&first) == Some(Kind::SnapshotSet as u16) {
            set = set_of(&first)?;
            first = next_frame(input)?;
        }
        let (now, counts): (Timestamp, Counts) = codec::decode(Kind::SnapshotHead, &first)?;
        let [sessions, users, attempts, authenticators, requests] = counts;
        let sessions: Vec<(SessionKey, Session)> =
            read_runs(input, Kind::SnapshotSessions, sessions)?;
        let users: Vec<(UserName, User)> = read_runs(input, Kind::SnapshotUsers, users)?;
        let attempts: Vec<(Subject, Attempts)> =
            read_runs(input, Kind::SnapshotAttempts, attempts)?;
        let authenticators: Vec<(UserName, Authenticators)> =
            read_runs(input, Kind::SnapshotAuthenticators, authenticators)?;
        let requests: Vec<RememberedRequest> = read_runs(input, Kind::SnapshotRequests, requests)?;
        let found: Counts = read_frame(input, Kind::SnapshotEnd)?;
        if found != counts {
            return Err(SnapshotError::Counts {
                announced: Box::new(counts),
                found: Box::new(found),
            });
        }
        let kept: HashSet<&SessionKey> = sessions.iter().map(|(key, _)| key).collect();
        for (key, _) in self.reader.sessions.view().iter() {
            if !kept.contains(key) {
                self.reader.ended.note(*key, now);
            }
        }
        self.sessions_of.clear();
        for (key, session) in &sessions {
            self.sessions_of
                .entry(session.user.clone())
                .or_default()
                .insert(*key);
        }
        self.requests = RecentRequests::restore(requests);
        self.users.replace_all(users);
        self.reader.attempts.replace_all(attempts);
        self.reader.authenticators.replace_all(authenticators);
        self.reader.sessions.replace_all(sessions);
        self.set_in_force(set);
        self.set_now(now);
        Ok(())
    }
}

/// The set that is in force in a snapshot which begins with `frame`.
fn set_of(frame: &[u8]) -> Result<u32, SnapshotError> {
    let known = Command::SET;
    let found: u32 = codec::decode(Kind::SnapshotSet, frame)?;
    if found > known {
        return Err(SnapshotError::Newer { found, known });
    }
    Ok(found)
}

fn write_runs<T: Serialize>(
    out: &mut impl Write,
    kind: Kind,
    records: &[T],
) -> Result<(), SnapshotError> {
    for run in records.chunks(RUN) {
        out.write_all(&codec::encode(kind, run)?)?;
    }
    Ok(())
}

fn read_runs<T: DeserializeOwned>(
    input: &mut impl Read,
    kind: Kind,
    count: u64,
) -> Result<Vec<T>, SnapshotError> {
    let mut records = Vec::new();
    while (records.len() as u64) < count {
        let run: Vec<T> = read_frame(input, kind)?;
        records.extend(run);
    }
    Ok(records)
}

fn read_frame<T: DeserializeOwned>(input: &mut impl Read, kind: Kind) -> Result<T, SnapshotError> {
    Ok(codec::decode(kind, &next_frame(input)?)?)
}

fn next_frame(input: &mut impl Read) -> Result<Vec<u8>, SnapshotError> {
    let mut frame = vec![0; codec::HEADER_BYTES];
    input.read_exact(&mut frame)?;
    let whole = codec::frame_bytes(&frame)?.unwrap_or(codec::HEADER_BYTES);
    frame.resize(whole, 0);
    input.read_exact(frame.get_mut(codec::HEADER_BYTES..).unwrap_or_default())?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    fn bytes(set: u32) -> Vec<u8> {
        let state = State::new();
        state.set_in_force(set);
        let mut bytes = Vec::new();
        state.view().write_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_first_set_is_not_named_so_that_the_first_version_can_load_the_snapshot() {
        let bytes = bytes(1);
        assert_eq!(codec::frame_kind(&bytes), Some(Kind::SnapshotHead as u16));
        let mut state = State::new();
        state.load(&mut bytes.as_slice()).unwrap();
        assert_eq!(state.reader().set(), 1);
    }

    #[test]
    fn a_snapshot_that_needs_a_newer_program_is_refused_and_says_so() {
        let mut state = State::new();
        let error = state.load(&mut bytes(Command::SET + 1).as_slice());
        let error = error.unwrap_err();
        assert!(error.is_newer(), "{error}");
        assert_eq!(state.reader().set(), 1);
    }
}
