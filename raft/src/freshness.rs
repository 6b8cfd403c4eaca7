//! Ties the leases to Raft on this node: who may answer from memory, and when a revocation is final.
//!
//! The rules are in [`crate::lease`], which knows no clock and no socket; here are the moments at which Raft and the
//! transport have something to tell it.
//!
//! | moment | told |
//! |---|---|
//! | Raft is about to store a vote ([`Freshness::voted`]) | the term is over: a leader's leases are dropped first |
//! | Raft has accepted an AppendEntries ([`Freshness::followed`]) | the grant in it |
//! | a member has accepted an AppendEntries of ours ([`Freshness::acknowledged`]) | the round, and its stamp |
//! | a member pushes how far it has applied ([`Freshness::reported`]) | its stamp |
//! | this node has won an election ([`Freshness::elected`]) | a new term of leases |

mod leaving;
mod revocation;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use openraft::metrics::RaftServerMetrics;
use openraft::{StoredMembership, Vote};
use tokio::sync::{Notify, watch};

use self::revocation::WAIT_US;
use crate::Member;
use crate::clock::{boot_time, wall_time};
use crate::lease::{
    Boot, FollowerLease, Grant, Incarnation, LeaderLeases, LeaseCell, Members, NodeId, Stamp,
    TermChange,
};
use crate::spread::Spread;
use crate::types::LeaderTerm;

/// The lease outlives the term in which it was granted, so that losing the leader interrupts no reads. That is safe:
/// see the argument in [`crate::lease`].
const ON_TERM_CHANGE: TermChange = TermChange::Keep;

type ServerMetrics = watch::Receiver<RaftServerMetrics<u64, Member>>;
type Membership = Arc<StoredMembership<u64, Member>>;

/// How far the wall clock may move against the boot clock between two messages before the boot clock is doubted. Both
/// are set anew when a paused machine is resumed, but by different amounts.
const CLOCKS_APART_MAX_MS: u64 = 100;

/// What one node knows of leases, as follower and as leader.
#[derive(Debug)]
pub(crate) struct Freshness {
    me: NodeId,
    length: Duration,
    cell: LeaseCell,
    /// The newest index that readers of this node see.
    applied: watch::Receiver<u64>,
    sides: Mutex<Sides>,
    /// Something has happened that may let a revocation be acknowledged.
    changed: Notify,
    server: OnceLock<ServerMetrics>,
    /// The highest revoking index this node has in its log, to be reported once it is applied.
    revoking: watch::Sender<u64>,
    /// How long revocations have waited here.
    revocation_wait: Spread<{ WAIT_US.len() }>,
}

#[derive(Debug)]
struct Sides {
    follower: FollowerLease,
    leader: Option<LeaderLeases>,
    /// The membership the leader's leases know.
    membership: Membership,
    /// The highest leadership this node has voted for or followed.
    highest: LeaderTerm,
    /// The wall clock minus the boot clock at the last look, in milliseconds.
    offset_ms: u64,
    /// This node has given up reading from memory for good.
    has_left: bool,
}

impl Freshness {
    /// Nothing may be read from memory yet. `applied` is what readers of this node see.
    pub(crate) fn new(
        me: NodeId,
        incarnation: Incarnation,
        length: Duration,
        applied: watch::Receiver<u64>,
    ) -> Self {
        let sides = Sides {
            follower: FollowerLease::new(incarnation, length, ON_TERM_CHANGE, 0),
            leader: None,
            membership: Membership::default(),
            highest: LeaderTerm::default(),
            offset_ms: clock_offset_ms(),
            has_left: false,
        };
        Self {
            me,
            length,
            cell: LeaseCell::new(ON_TERM_CHANGE),
            applied,
            sides: Mutex::new(sides),
            changed: Notify::new(),
            server: OnceLock::new(),
            revoking: watch::Sender::new(0),
            revocation_wait: Spread::new(WAIT_US),
        }
    }

    /// Lets the leases see memberships as soon as Raft publishes them. Before, this node does not lead.
    pub(crate) fn attach(&self, server: ServerMetrics) {
        // Set once, at start.
        let _ = self.server.set(server);
    }

    /// Whether a read that begins now may be answered from this node's memory. One atomic load and a clock.
    pub(crate) fn may_read(&self) -> bool {
        self.cell.may_read(boot_time())
    }

    /// How long [`Freshness::may_read`] stays true if nothing more is heard.
    pub(crate) fn remaining(&self) -> Duration {
        self.cell.remaining(boot_time())
    }

    /// What to send along with a message to the leader.
    pub(crate) fn stamp(&self) -> Stamp {
        let sides = self.sides();
        // In this order: the clock must not be older than what was applied by then.
        let applied = self.applied();
        sides.follower.stamp(applied, boot_time())
    }

    /// Raft is about to make `vote` durable. Called before, so that no message of its term can leave earlier.
    pub(crate) fn voted(&self, vote: &Vote<u64>) {
        self.seen(LeaderTerm::of(vote));
    }

    /// Raft on this node has accepted an AppendEntries of `leader`.
    pub(crate) fn followed(&self, leader: LeaderTerm, grant: Option<Grant>) {
        self.seen(leader);
        let mut sides = self.sides();
        self.check_clocks(&mut sides);
        let Some(grant) = grant.filter(|_| !sides.has_left) else {
            return;
        };
        if sides.follower.accept(grant, leader.number(), boot_time()) {
            self.cell
                .publish(leader.number(), sides.follower.lease_end());
        }
    }

    /// The grant for `member` in the AppendEntries that `leader`, this node, is about to send.
    pub(crate) fn grant(&self, leader: LeaderTerm, member: NodeId) -> Option<Grant> {
        let mut sides = self.sides();
        let now = boot_time();
        self.refresh(&mut sides, now);
        let leases = sides.leading(leader)?;
        leases.grant_for(member, now)
    }

    /// `member` has accepted the AppendEntries that `leader`, this node, sent it at `sent_at` or later.
    pub(crate) fn acknowledged(
        &self,
        leader: LeaderTerm,
        member: NodeId,
        sent_at: Boot,
        stamp: Stamp,
    ) {
        let mut sides = self.sides();
        let now = boot_time();
        self.check_clocks(&mut sides);
        self.refresh(&mut sides, now);
        let Some(leases) = sides.leading(leader) else {
            return;
        };
        leases.accepted(member, sent_at);
        leases.heard(member, stamp, now);
        self.publish(leases, now);
        drop(sides);
        self.changed.notify_waiters();
    }

    /// `member` has told how far it has applied.
    pub(crate) fn reported(&self, member: NodeId, stamp: Stamp) {
        let mut sides = self.sides();
        let now = boot_time();
        if let Some(leases) = &mut sides.leader {
            leases.heard(member, stamp, now);
        }
        drop(sides);
        self.changed.notify_waiters();
    }

    /// This node leads as `leader`, and `first_index` is its first entry or a later one.
    pub(crate) fn elected(&self, leader: LeaderTerm, first_index: u64) {
        let Some(server) = self.server.get() else {
            return;
        };
        let membership = Arc::clone(&server.borrow().membership_config);
        let mut sides = self.sides();
        let is_known = sides
            .leader
            .as_ref()
            .is_some_and(|leases| leases.term() == leader.number());
        // A vote for a newer term may have been stored while the news of the election was on its way.
        if is_known || sides.highest != leader || sides.has_left {
            return;
        }
        let now = boot_time();
        let leases = LeaderLeases::elected(
            self.me,
            leader.number(),
            self.length,
            first_index,
            members_of(&membership),
            now,
        );
        sides.membership = membership;
        self.publish(sides.leader.insert(leases), now);
        drop(sides);
        self.changed.notify_waiters();
    }

    /// To be called every now and then while this node leads: a leader that is the only voter has no other rounds.
    pub(crate) fn tick(&self) {
        let mut sides = self.sides();
        let now = boot_time();
        self.refresh(&mut sides, now);
        if let Some(leases) = &sides.leader {
            self.publish(leases, now);
        }
    }

    /// Notes that the log of this node holds a revoking entry at `index`.
    pub(crate) fn has_revoking(&self, index: u64) {
        self.revoking.send_if_modified(|highest| {
            let is_higher = index > *highest;
            *highest = index.max(*highest);
            is_higher
        });
    }

    /// The highest index noted by [`Freshness::has_revoking`].
    pub(crate) fn revoking(&self) -> watch::Receiver<u64> {
        self.revoking.subscribe()
    }

    /// Grants `member` nothing more, because it is about to be removed, and waits until its lease is over. False if
    /// this node does not lead.
    pub(crate) async fn retire(&self, member: NodeId) -> bool {
        loop {
            let removable_at = {
                let mut sides = self.sides();
                let Some(leases) = &mut sides.leader else {
                    return false;
                };
                leases.retire(member);
                leases.removable_at(member).unwrap_or(Boot::ZERO)
            };
            let left = removable_at.since(boot_time());
            if left.is_zero() {
                return true;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// Takes back [`Freshness::retire`].
    pub(crate) fn reinstate(&self, member: NodeId) {
        if let Some(leases) = &mut self.sides().leader {
            leases.reinstate(member);
        }
    }

    fn try_barrier(&self, leader: LeaderTerm, index: u64, is_noted: &mut bool) -> Attempt {
        /// Asked again at least this often, should anything be missed.
        const AGAIN: Duration = Duration::from_millis(100);
        let mut sides = self.sides();
        let now = boot_time();
        self.refresh(&mut sides, now);
        if sides.highest > leader {
            return Attempt::Deposed;
        }
        let Some(leases) = sides.leading(leader) else {
            // Won, but the news is still on its way to `elected`.
            return Attempt::Wait(AGAIN);
        };
        if !*is_noted {
            leases.committed_revocation(index, now);
            *is_noted = true;
        }
        if leases.acknowledge(index, self.applied(), now) {
            return Attempt::Final;
        }
        let deadline = leases.next_deadline(index, now);
        Attempt::Wait(deadline.map_or(AGAIN, |at| at.since(now).min(AGAIN)))
    }

    fn seen(&self, leader: LeaderTerm) {
        let mut sides = self.sides();
        if leader <= sides.highest {
            return;
        }
        sides.highest = leader;
        sides.leader = None;
        sides.follower.higher_term(leader.number());
        self.cell.higher_term(leader.number());
        drop(sides);
        self.changed.notify_waiters();
    }

    /// Takes over the newest membership. Looked at before every use, so the leases are never two memberships behind.
    fn refresh(&self, sides: &mut Sides, now: Boot) {
        let (Some(leases), Some(server)) = (&mut sides.leader, self.server.get()) else {
            return;
        };
        let newest = Arc::clone(&server.borrow().membership_config);
        if newest != sides.membership {
            let index = newest.log_id().map_or(0, |id| id.index);
            leases.set_members(members_of(&newest), index, now);
            sides.membership = newest;
        }
    }

    /// Ends every right to read if the two clocks have moved apart: the machine was stopped and resumed in a way that
    /// its boot clock may not show. A step of the wall clock looks the same and costs one renewal.
    fn check_clocks(&self, sides: &mut Sides) {
        let offset_ms = clock_offset_ms();
        let apart_ms = offset_ms.abs_diff(std::mem::replace(&mut sides.offset_ms, offset_ms));
        if apart_ms <= CLOCKS_APART_MAX_MS {
            return;
        }
        tracing::warn!(
            apart_ms,
            "the wall clock has jumped; reads wait for a new lease"
        );
        sides.follower.forget();
        if let Some(leases) = &mut sides.leader {
            leases.forget_rounds();
        }
        self.cell.forget();
    }

    fn publish(&self, leases: &LeaderLeases, now: Boot) {
        if let Some(until) = leases.reads_until(self.applied(), now) {
            self.cell.publish(leases.term(), until);
        }
    }

    fn applied(&self) -> u64 {
        *self.applied.borrow()
    }

    fn sides(&self) -> MutexGuard<'_, Sides> {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sides {
    /// The leases of this very leadership.
    fn leading(&mut self, leader: LeaderTerm) -> Option<&mut LeaderLeases> {
        let leases = self.leader.as_mut()?;
        (leases.term() == leader.number()).then_some(leases)
    }
}

enum Attempt {
    Final,
    Deposed,
    Wait(Duration),
}

fn clock_offset_ms() -> u64 {
    wall_time().0.wrapping_sub(boot_time().0 / 1_000_000)
}

fn members_of(membership: &StoredMembership<u64, Member>) -> Members {
    let membership = membership.membership();
    Members {
        voters: membership.get_joint_config().clone(),
        learners: membership.learner_ids().collect(),
    }
}
