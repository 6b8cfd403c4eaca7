//! The integration tests of the program: real `quorate serve` processes, seen from outside.
//!
//! One binary, so that everything is linked once. [`harness`] starts and breaks things; every other module is one area
//! of tests. `tests/setup` installs what they need beside Rust. [`tidy`] is the exception: it starts nothing and reads
//! the sources.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot get what it needs must stop where it stands"
)]

mod abuse;
mod browser;
mod cluster;
mod command;
mod conformance;
mod grpc;
mod harness;
mod portal;
mod proxy;
mod proxy_protocol;
mod refusal;
mod telemetry;
mod tidy;
