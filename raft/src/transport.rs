//! How nodes talk: mutual TLS 1.3 from the cluster's secret, and requests and answers in frames.
//!
//! Each node dials every other node once and keeps that connection for its own requests; the answers come back on it.
//! Who may say what is decided by whoever answers ([`crate::answer`]); here are only bytes, bounds and time limits.
//!
//! | from whom | frame | when |
//! |---|---|---|
//! | dialling node | [`Greeting`](message::Greeting) | first |
//! | accepting node | [`Greeting`](message::Greeting) | in reply |
//! | dialling node | [`Request`](message::Request) with an id | any time, at most [`REQUESTS_MAX`] unanswered |
//! | accepting node | answer with the same id | in any order |
//!
//! A frame is one [`quorate_core::codec`] frame of kind `Message`. Whatever is not one, or is longer than
//! [`FRAME_BYTES_MAX`], closes the connection. A frame's memory grows with the bytes that arrive, not with the length
//! it announces.

pub(crate) mod authority;
pub(crate) mod frame;
pub(crate) mod link;
pub(crate) mod listener;
pub(crate) mod lives;
pub(crate) mod message;
pub(crate) mod network;
pub(crate) mod peers;

use std::time::Duration;

/// The longest frame, 8 MiB: a run of log entries or a piece of a snapshot, with room to spare.
pub(crate) const FRAME_BYTES_MAX: usize = 8 << 20;

/// The newest version of the messages that this program speaks.
pub(crate) const PROTOCOL: u16 = 2;

/// The oldest version of the messages that this program still speaks. Nodes whose versions do not overlap refuse each
/// other by a greeting that says so.
pub(crate) const PROTOCOL_OLDEST: u16 = 1;

/// Requests one connection may have unanswered; more wait for their turn.
pub(crate) const REQUESTS_MAX: usize = 512;

/// Connections the listener holds at a time; far more than a cluster needs.
pub(crate) const CONNECTIONS_MAX: usize = 128;

/// How long connecting may take, name resolution, TLS and greeting included.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that has carried nothing for this long is closed by the accepting side; the other dials again when it
/// has something to say.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// After an unanswered request, a connection that has been silent this long is taken for dead and dialled anew, so that
/// a healed network is found sooner than TCP would.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(2);
