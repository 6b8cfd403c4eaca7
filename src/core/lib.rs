//! What is true and what is allowed.
//!
//! This crate holds the replicated records, the commands that change them, and the access decision. It decides
//! and never acts: no clock, no random source, no file, no socket, no configuration. Time and randomness are
//! arguments. Every replica that applies the same proposals in the same order holds the same bytes.
//!
//! # Rules of determinism
//!
//! 1. [`State::apply`] depends on the state and the proposal only: not on configuration, program version, node,
//!    locale or features.
//! 2. The leader stamps [`Proposal::at`]; `apply` uses `max(state.now, at)`, so replicated time never runs back.
//! 3. Integers only, and hash order never reaches bytes: snapshots and digests are written in key order.
//! 4. A shipped [`Command`] variant keeps its meaning for ever. New behaviour is a new variant. An unknown variant
//!    does not decode, and a node that meets one stops.
//! 5. Expiry and clean-up are commands that the leader proposes.
//! 6. No plaintext secret is stored: sessions are known by the SHA-256 of their token.
//! 7. Slow work happens before proposing; the proposal carries the outcome and the version of what it was checked
//!    against.

#![warn(missing_docs)]

pub mod access;
mod account;
mod apply;
mod authenticator;
pub mod codec;
mod command;
mod ended;
mod id;
mod regulation;
mod session;
mod shard;
mod snapshot;
mod state;
mod time;

pub use account::{Account, PasswordHash, PasswordOverride};
pub use authenticator::{Authenticators, NewTotp, Totp, TotpAlgorithm};
pub use command::{Budget, Command, NewSession, Outcome, Proposal, Rejection, Reply, TotpUse};
pub use id::{InvalidName, RequestId, ReservationId, SessionKey, UserName};
pub use regulation::{Attempts, Subject};
pub use session::{Level, Session};
pub use shard::{ShardedMap, View};
pub use snapshot::SnapshotError;
pub use state::{Reader, State, StateView};
pub use time::Timestamp;
