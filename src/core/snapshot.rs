//! The state as bytes: frames in a fixed order, records in key order, so that equal states are equal bytes.
//!
//! `Head{now, counts}`, then runs of at most [`RUN`] records: sessions, users, attempts, second factors, requests
//! (oldest first), then `End{counts}`. Each run is one frame of the [codec](crate::codec), so damage anywhere is noticed.
//!
//! From the second set of commands on, `Set{set}` comes before the head. Every member can read what is written, because
//! it knows the set in force. Then comes one of two forms, the oldest that holds all of the state:
//!
//! | form | head and end | records |
//! |---|---|---|
//! | 1 | `SnapshotHead`, `SnapshotEnd`, 5 counts | the five above |
//! | 2 | `SnapshotHead2`, `SnapshotEnd2`, 7 counts | the five above, accounts, overridden passwords |
//!
//! With the first set of commands that is the first form alone, so that a program that knows no other can load it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::codec::{self, CodecError, Kind};
use crate::state::{RecentRequests, RememberedRequest, User};
use crate::{
    Account, Attempts, Authenticators, Command, PasswordOverride, Session, SessionKey, State,
    StateView, Subject, Timestamp, UserName,
};

/// Records in one frame: large enough to be quick, small enough to stay far below the frame limit.
const RUN: usize = 512;

/// Records of each kind, in file order: sessions, users, attempts, second factors, requests, accounts, overrides.
type Counts = [u64; 7];
/// Those of form 1.
type Counts1 = [u64; 5];

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
            self.accounts.len(),
            self.overrides.len(),
        ];
        let counts: Counts = lengths.map(|length| length as u64);
        if self.set > 1 {
            out.write_all(&codec::encode(Kind::SnapshotSet, &self.set)?)?;
        }
        let old = in_form_1(&counts);
        let head = match old {
            Some(counts) => codec::encode(Kind::SnapshotHead, &(self.now, counts))?,
            None => codec::encode(Kind::SnapshotHead2, &(self.now, counts))?,
        };
        out.write_all(&head)?;
        write_runs(out, Kind::SnapshotSessions, &self.sessions.sorted())?;
        write_runs(out, Kind::SnapshotUsers, &self.users.sorted())?;
        write_runs(out, Kind::SnapshotAttempts, &self.attempts.sorted())?;
        let authenticators = self.authenticators.sorted();
        write_runs(out, Kind::SnapshotAuthenticators, &authenticators)?;
        write_runs(out, Kind::SnapshotRequests, &self.requests)?;
        let accounts = self.accounts.sorted();
        let accounts: Vec<&Account> = accounts.into_iter().map(|(_, account)| account).collect();
        write_runs(out, Kind::SnapshotAccounts, &accounts)?;
        write_runs(out, Kind::SnapshotOverrides, &self.overrides.sorted())?;
        let end = match old {
            Some(counts) => codec::encode(Kind::SnapshotEnd, &counts)?,
            None => codec::encode(Kind::SnapshotEnd2, &counts)?,
        };
        out.write_all(&end)?;
        Ok(())
    }
}

/// The counts of form 1, if it holds everything.
fn in_form_1(counts: &Counts) -> Option<Counts1> {
    let [sessions, users, attempts, authenticators, requests, 0, 0] = *counts else {
        return None;
    };
    Some([sessions, users, attempts, authenticators, requests])
}

/// Everything that a snapshot holds.
struct Records {
    /// The set of commands that is in force.
    set: u32,
    now: Timestamp,
    sessions: Vec<(SessionKey, Session)>,
    users: Vec<(UserName, User)>,
    attempts: Vec<(Subject, Attempts)>,
    authenticators: Vec<(UserName, Authenticators)>,
    requests: Vec<RememberedRequest>,
    accounts: Vec<Account>,
    overrides: Vec<(UserName, PasswordOverride)>,
}

impl Records {
    fn read(input: &mut impl Read) -> Result<Self, SnapshotError> {
        let mut head = next_frame(input)?;
        let mut set = 1;
        if codec::frame_kind(&head) == Some(Kind::SnapshotSet as u16) {
            set = set_of(&head)?;
            head = next_frame(input)?;
        }
        let (now, counts, is_form_1) =
            match codec::decode::<(Timestamp, Counts1)>(Kind::SnapshotHead, &head) {
                Ok((now, [a, b, c, d, e])) => (now, [a, b, c, d, e, 0, 0], true),
                Err(CodecError::Kind { found, .. }) if found == Kind::SnapshotHead2 as u16 => {
                    let (now, counts): (Timestamp, Counts) =
                        codec::decode(Kind::SnapshotHead2, &head)?;
                    (now, counts, false)
                }
                Err(error) => return Err(error.into()),
            };
        let [
            sessions,
            users,
            attempts,
            authenticators,
            requests,
            accounts,
            overrides,
        ] = counts;
        let records = Self {
            set,
            now,
            sessions: read_runs(input, Kind::SnapshotSessions, sessions)?,
            users: read_runs(input, Kind::SnapshotUsers, users)?,
            attempts: read_runs(input, Kind::SnapshotAttempts, attempts)?,
            authenticators: read_runs(input, Kind::SnapshotAuthenticators, authenticators)?,
            requests: read_runs(input, Kind::SnapshotRequests, requests)?,
            accounts: read_runs(input, Kind::SnapshotAccounts, accounts)?,
            overrides: read_runs(input, Kind::SnapshotOverrides, overrides)?,
        };
        let found: Counts = if is_form_1 {
            let [a, b, c, d, e]: Counts1 = read_frame(input, Kind::SnapshotEnd)?;
            [a, b, c, d, e, 0, 0]
        } else {
            read_frame(input, Kind::SnapshotEnd2)?
        };
        if found != counts {
            return Err(SnapshotError::Counts {
                announced: Box::new(counts),
                found: Box::new(found),
            });
        }
        Ok(records)
    }
}

impl State {
    /// Takes over the snapshot in `input`. Nothing changes unless all of it is sound; readers see each record before or
    /// after.
    ///
    /// # Errors
    /// [`SnapshotError`] says what is wrong; the state is as before.
    pub fn load(&mut self, input: &mut impl Read) -> Result<(), SnapshotError> {
        let records = Records::read(input)?;
        let kept: HashSet<&SessionKey> = records.sessions.iter().map(|(key, _)| key).collect();
        for (key, _) in self.reader.sessions.view().iter() {
            if !kept.contains(key) {
                self.reader.ended.note(*key, records.now);
            }
        }
        self.sessions_of.clear();
        for (key, session) in &records.sessions {
            self.sessions_of
                .entry(session.user.clone())
                .or_default()
                .insert(*key);
        }
        self.requests = RecentRequests::restore(records.requests);
        self.users.replace_all(records.users);
        self.reader.attempts.replace_all(records.attempts);
        self.reader
            .authenticators
            .replace_all(records.authenticators);
        self.reader.overrides.replace_all(records.overrides);
        self.reader
            .by_email
            .replace_all(by_email(&records.accounts));
        let accounts = records.accounts.into_iter();
        let accounts = accounts.map(|account| (account.name.clone(), account));
        self.reader.accounts.replace_all(accounts);
        self.reader.sessions.replace_all(records.sessions);
        self.set_in_force(records.set);
        self.set_now(records.now);
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

fn by_email(accounts: &[Account]) -> BTreeMap<String, BTreeSet<UserName>> {
    let mut by_email: BTreeMap<String, BTreeSet<UserName>> = BTreeMap::new();
    for account in accounts {
        for email in &account.emails {
            let names = by_email.entry(email.to_lowercase()).or_default();
            names.insert(account.name.clone());
        }
    }
    by_email
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
