//! How the operator of one machine talks to the node on it: HTTP and JSON over a unix socket in the data directory.
//!
//! Whoever may open the socket may do everything, so only root and the user that runs the node may. A command of the
//! command line is one `POST` to `/v1/…`; the answer is 200 with a document, or another status with
//! `{"error": "…"}`, one sentence for the operator.

pub(crate) mod answer;
pub(crate) mod backup;
mod ban;
mod client;
mod listen;
mod member;
mod refusal;
mod reload;
mod router;
mod session;
mod status;
mod totp;
mod user;

use std::path::{Path, PathBuf};

pub(crate) use client::{call, stream};
pub(crate) use listen::{AdminListener, serve};
pub(crate) use router::router;

/// The socket of the node whose data directory is `data_dir`.
#[must_use]
pub(crate) fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}
