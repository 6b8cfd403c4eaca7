//! How truth is agreed and kept: openraft over sled, node-to-node transport, leases.
//!
//! The door is [`Node`]: start one, read its state, propose commands. Everything that openraft and sled are stays behind
//! it, and nothing in here knows cookies, pages or configuration files.

#![warn(missing_docs)]

mod answer;
mod clock;
mod config;
mod election;
mod expiry;
mod formation;
mod freshness;
mod lease;
mod log;
mod machine;
mod node;
mod proposer;
mod random;
mod read;
mod store;
mod transport;
mod types;
mod vote_watch;

pub use config::{ClusterConfig, NodeConfig, Secret};
pub use formation::Formation;
pub use node::{MemberStatus, Node, ProposeError, Role, StartError, Status, Suffrage};
pub use proposer::Committed;
pub use store::{ClusterIdError, Damage, FLUSH_BUCKETS_US, OpenError, StoreFailure, StoreNumbers};
pub use transport::authority::AuthorityError;
pub use types::Member;
