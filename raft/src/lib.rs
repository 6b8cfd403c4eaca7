//! How truth is agreed and kept: openraft over sled, node-to-node transport, leases.

#![warn(missing_docs)]

mod types;

pub use types::Member;
