//! Who may answer a read from its own memory, and what a revocation waits for.
//!
//! A session check must be local, and a revocation that was acknowledged must be final on every node.
//! Both hold by a read lease of length `D` on monotonic clocks of which only the *rate* must be right:
//! no clock is ever compared with another.
//!
//! | rule | who | what | where |
//! |---|---|---|---|
//! | 1 | follower | stamps every message to the leader with its incarnation, its clock and what its readers see | [`FollowerLease::stamp`] |
//! | 2 | leader | grants only with a fresh quorum and to a member that is past the floor | [`LeaderLeases::grant_for`] |
//! | 3 | follower | counts the lease from its own sending; the lease dies with the process | [`FollowerLease::accept`] |
//! | 4 | both | answer from memory only while the lease, or the leader's quorum round, is young enough | [`FollowerLease::may_read`], [`LeaderLeases::may_read`], [`LeaseCell::may_read`] |
//! | 5 | leader | acknowledges a revocation once nobody can still answer without it | [`LeaderLeases::acknowledge`] |
//! | – | both | a node that stops gives up its lease by word, so that nobody waits for it | [`LeaderLeases::farewell`] |
//!
//! Why rule 5 is enough. Take a revocation at index `w`, acknowledged in term `T`, and any lease under
//! which a node could read.
//! - *Granted in `T`, before the acknowledgement:* that incarnation reported `applied >= w`, or the lease
//!   has ended (`lease_until` is stretched by the drift, so it ends no earlier than the node's own count).
//! - *Granted in `T`, after it:* the floor is at least `w`, so the node had applied `w` before the grant.
//! - *Granted by an earlier leader:* the newest round a quorum accepted from it was sent before some voter
//!   voted for a newer term, so it stopped granting at most `X` after the election of `T`, and the lease
//!   ended at most `D` later. Rule 5 waits for both, or for a report from the node in `T`, which proves
//!   that its durable term is `T` and that it takes no older grant any more.
//! - *Granted by a later leader:* its first entry lies behind `w` in the log (leader completeness), and the
//!   floor is never below that entry.
//!
//! None of these cases needs a lease to die with its term, nor the leader that acknowledges to be still the
//! leader.
//!
//! Three things are easy to get wrong, and the model beside this file shows each:
//! - *Lives.* What one incarnation reported says nothing about the lease of another, in the floor and in
//!   rule 5 alike: a report can be overtaken by the restart of its sender.
//! - *Joining.* A new member gets no grant before the entry that adds it is committed; else the next leader
//!   may not know of it ([`LeaderLeases::set_members`]).
//! - *Leaving.* A member is removed only after its leases have run out ([`LeaderLeases::removable_at`]).
//!
//! How the node drives it:
//! - *Before a message of a higher term leaves this node* (when its vote is made durable):
//!   [`FollowerLease::higher_term`], [`LeaseCell::higher_term`], and the [`LeaderLeases`] are dropped.
//! - *AppendEntries out:* read the clock, [`LeaderLeases::grant_for`], send. *Its answer:*
//!   [`LeaderLeases::accepted`] with that reading unless the vote was refused, [`LeaderLeases::heard`] with
//!   the stamp, [`LeaderLeases::reads_until`] into [`LeaseCell::publish`], [`LeaderLeases::acknowledge`].
//! - *AppendEntries in, accepted by Raft:* [`FollowerLease::accept`], or `higher_term` if it has no grant;
//!   [`LeaseCell::publish`]; the answer carries a [`FollowerLease::stamp`] made after that.
//! - *Applied and visible:* a follower pushes a stamp; the leader publishes and acknowledges again.
//! - *Committed:* [`LeaderLeases::committed_revocation`] for every command that *can* revoke, whatever its
//!   reply. A second logout that finds no session must wait like the first, which may not be final yet.
//!
//! Nothing here knows a socket, a task, openraft or a clock: time is always an argument.
//!
//! Source: Gray and Cheriton, "Leases" (1989); Ongaro's Raft thesis §6.4.1 for reads under a lease.

mod barrier;
mod boot;
mod cell;
mod farewell;
mod follower;
mod leader;
#[cfg(test)]
mod model;
mod quorum;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use boot::Boot;
pub(crate) use cell::LeaseCell;
pub(crate) use follower::FollowerLease;
pub(crate) use leader::LeaderLeases;
pub(crate) use quorum::Members;

/// A node's number in the membership.
pub(crate) type NodeId = u64;

/// `X`: how old the newest round that a quorum accepted may be for a leader to grant or to read. 300 ms is
/// three heartbeats, so one lost heartbeat does not interrupt reads. It adds to what a revocation waits for
/// after an election.
pub(crate) const QUORUM_AGE_MAX: Duration = Duration::from_millis(300);

/// How long a committed revocation may wait before members that have not applied it get no more grants.
/// Without it a member that hears heartbeats but does not apply would renew its lease for ever and hold up
/// the acknowledgement for ever; with zero, members would starve under a steady stream of revocations.
pub(crate) const REVOCATION_GRACE: Duration = Duration::from_millis(200);

/// ρ, in percent: how far the rate of any clock may be from true. Quartz stays below 0.02 %, and NTP slews
/// by at most 0.05 %, so 2 % is two orders of magnitude of room.
const DRIFT_PERCENT: u32 = 2;

/// One life of one process, drawn at random when it starts.
///
/// It has no order. Two incarnations of one node never share a lease: what an earlier life had applied says
/// nothing about the memory of a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Incarnation(pub(crate) u64);

/// What a member tells the leader with every message (rule 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The life that speaks.
    pub(crate) incarnation: Incarnation,
    /// The term it was in; a leader believes only stamps of its own term.
    pub(crate) term: u64,
    /// Its own clock when it sent this. Only itself can read it.
    pub(crate) q: Boot,
    /// The newest log index that its readers already see (not what its log holds).
    pub(crate) applied: u64,
}

/// The leader's answer to a stamp: "your lease counts from `q`" (rules 2 and 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The life it is for; any other refuses it.
    pub(crate) incarnation: Incarnation,
    /// The stamp's `q`, handed back.
    pub(crate) q: Boot,
}

/// What becomes of a lease when the node sees a higher term.
///
/// Rule 5 is right either way (see the module's argument), so this is a choice between a second line of
/// defence and reads that go on while the others elect a leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TermChange {
    /// The lease ends at once: no local reads from the first vote until the new leader's first grant.
    Drop,
    /// The lease runs to its end: losing the leader interrupts no local read if `D` outlasts the election.
    Keep,
}

/// How long `span`, counted by one clock, can last on another: `span · (1+ρ)/(1−ρ)`, rounded up.
///
/// The clock that counts may run slow and the one that waits fast. Cannot overflow: the arithmetic is in
/// 128 bits, and a result past 2^64 ns (584 years) becomes that bound, which only makes a leader wait.
fn stretched(span: Duration) -> Duration {
    let slow = u128::from(100 - DRIFT_PERCENT);
    let fast = u128::from(100 + DRIFT_PERCENT);
    // At most 2^94 ns times 102: far below 2^128.
    let ns = (span.as_nanos() * fast).div_ceil(slow);
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}
