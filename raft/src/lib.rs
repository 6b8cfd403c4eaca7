//! How truth is agreed and kept: openraft over sled, node-to-node transport, leases.
//!
//! The door is [`Node`]: start one, read its state, propose commands. Everything that openraft and sled are stays behind
//! it, and nothing in here knows cookies, pages or configuration files.

#![warn(missing_docs)]

mod answer;
mod backup;
mod census;
mod clock;
mod config;
mod election;
mod expiry;
mod formation;
mod freshness;
#[cfg(fuzzing)]
pub mod fuzz;
mod heal;
mod lease;
mod log;
mod machine;
mod membership;
mod node;
mod proposer;
mod random;
mod read;
mod rebuild;
mod spread;
mod store;
mod transport;
mod trim;
mod types;
mod versions;
mod vote_watch;

pub use backup::{SnapshotSummary, TakenSnapshot, inspect_snapshot};
pub use census::Digest;
pub use config::{ClusterConfig, NodeConfig, Secret};
pub use formation::Formation;
pub use heal::{HealError, Healed, heal};
pub use membership::{Change, ChangeError, ChangeRefusal, Changed};
pub use node::{
    MemberNumbers, MemberStatus, Node, Numbers, ProposeError, Role, SnapshotNumbers, StartError,
    Status, Suffrage,
};
pub use proposer::Committed;
pub use rebuild::{NewNode, RebuildError, Rebuilt, recover, restore};
pub use spread::{Spread, SpreadNumbers};
pub use store::{ClusterIdError, Damage, FLUSH_BUCKETS_US, OpenError, StoreFailure, StoreNumbers};
pub use transport::authority::AuthorityError;
pub use types::Member;
