//! Whole clusters in one process: real sockets, real TLS, real disks, each node on a runtime of its own that can be
//! killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

mod changing;
mod forming;
mod leaving;
mod refusing;
mod replicating;
mod stand;
