//! What a leader knows about the leases of one term, and when it grants one.
//!
//! Decides rules 2 and the leader's half of 4; rule 5 is in [`barrier`](super::barrier). Does not know how
//! messages travel, nor what the log holds: indexes and times are handed in.

use std::collections::BTreeMap;
use std::time::Duration;

use super::barrier::Revocations;
use super::quorum::Rounds;
use super::{Boot, Grant, Incarnation, Members, NodeId, QUORUM_AGE_MAX, Stamp, stretched};

/// How many lives of one member may hold a lease at once. More than one means that it restarted within `D`.
/// Past this number the newest life waits until a lease of an older one has run out.
const LIVES_MAX: usize = 8;

/// The leases of one term, kept by its leader.
///
/// Make one when this node is elected, and *drop it before this node's Raft lets out any message of a
/// higher term* (in practice: when the vote is made durable). The leader counts itself in every quorum on
/// the strength of that.
#[derive(Debug, Clone)]
pub(crate) struct LeaderLeases {
    pub(super) me: NodeId,
    pub(super) term: u64,
    pub(super) length: Duration,
    /// The index of the leader's first entry of the term, or any later one.
    pub(super) first_index: u64,
    /// From here on no lease that an earlier leader granted is alive.
    pub(super) old_leases_end: Boot,
    pub(super) members: Members,
    pub(super) rounds: Rounds,
    /// Everyone but the leader: members, and departed ones until their leases have run out.
    pub(super) others: BTreeMap<NodeId, Other>,
    pub(super) revocations: Revocations,
}

/// What the leader knows about one other node in this term.
#[derive(Debug, Clone, Default)]
pub(super) struct Other {
    /// The newest stamp, and when it arrived by the leader's clock (`p`).
    pub(super) newest: Option<(Stamp, Boot)>,
    /// The highest `applied` that any of its lives reported in this term.
    pub(super) applied: u64,
    /// The leases that may be alive, one per life.
    pub(super) leases: Vec<Granted>,
    /// The entry that made it a member, if that was in this term.
    pub(super) joined: u64,
    /// It gets no more grants, because it is about to leave.
    pub(super) retiring: bool,
    /// A life of it has said in this term that it reads no more: no lease of an earlier term is left.
    pub(super) is_free_of_old: bool,
}

/// One life's lease as the leader must assume it.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) incarnation: Incarnation,
    /// By the leader's clock, the lease is over from here on (`lease_until`).
    pub(super) until: Boot,
    /// The highest `applied` that this life reported in this term.
    pub(super) applied: u64,
}

impl LeaderLeases {
    /// Begins a term as its leader.
    ///
    /// `elected_at` is any moment at or after the winning vote, `first_index` the index of the leader's
    /// first entry of the term or any later one: erring late is safe for both. `length` is `D`.
    ///
    /// An earlier leader has lost its quorum by the time this one won. It may go on granting for `X` by its
    /// own clock, and such a lease lasts for `D` by its holder's, so nothing of it is left after
    /// `(D+X)·(1+ρ)/(1−ρ)` by this clock.
    pub(crate) fn elected(
        me: NodeId,
        term: u64,
        length: Duration,
        first_index: u64,
        members: Members,
        elected_at: Boot,
    ) -> Self {
        let wait = stretched(length.saturating_add(QUORUM_AGE_MAX));
        let mut leases = Self {
            me,
            term,
            length,
            first_index,
            old_leases_end: elected_at.plus_or_end(wait),
            members: Members::default(),
            rounds: Rounds::default(),
            others: BTreeMap::new(),
            revocations: Revocations::default(),
        };
        // What the log held before the term is committed once the first entry of the term is.
        leases.set_members(members, 0, elected_at);
        leases
    }

    /// Takes over the membership of the entry at `index` as soon as that is in the leader's log, committed
    /// or not, as Raft does.
    ///
    /// It must not fall two memberships behind: majorities meet only in neighbouring ones. A new member gets
    /// no grant before it has applied `index`, which proves that the entry is committed: otherwise the next
    /// leader may not have the entry, and would not wait for a member it does not know. For those that
    /// left, revocations still wait until their leases have run out.
    pub(crate) fn set_members(&mut self, members: Members, index: u64, now: Boot) {
        for id in members.all().into_iter().filter(|id| *id != self.me) {
            let other = self.others.entry(id).or_default();
            if !self.members.contains(id) {
                other.joined = index;
                other.retiring = false;
            }
        }
        let old_leases_end = self.old_leases_end;
        self.others.retain(|id, other| {
            members.contains(*id) || now < other.leases_end().max(old_leases_end)
        });
        self.rounds.retain(|id| members.contains(id));
        self.members = members;
    }

    /// Takes in the stamp of a message from `member` that arrived at `arrival`, or earlier.
    ///
    /// Returns false, and believes nothing, if it is of another term or from a stranger. A stamp that was
    /// overtaken by a newer one of the same life still counts for what it applied.
    pub(crate) fn heard(&mut self, member: NodeId, stamp: Stamp, arrival: Boot) -> bool {
        let Some(other) = self.others.get_mut(&member) else {
            return false;
        };
        if stamp.term != self.term {
            return false;
        }
        other.hear(stamp, arrival);
        true
    }

    /// Notes that `member` accepted (matching or conflicting, but not "higher vote") an AppendEntries of
    /// this term that this leader sent at `sent_at`, a reading taken *before* the send.
    pub(crate) fn accepted(&mut self, member: NodeId, sent_at: Boot) {
        if self.members.contains(member) {
            self.rounds.accepted(member, sent_at);
        }
    }

    /// Forgets every accepted round, for a clock that cannot be trusted: no grants and no reads until a
    /// quorum answers a new one.
    pub(crate) fn forget_rounds(&mut self) {
        self.rounds.forget();
    }

    /// The send time of the newest round that a quorum of voters accepted, in each set of a joint
    /// membership; `None` before the first.
    pub(crate) fn quorum_sent_at(&self, now: Boot) -> Option<Boot> {
        self.rounds.quorum_sent_at(&self.members, self.me, now)
    }

    /// Rule 2 (a) and rule 4: whether a quorum still followed this leader at most `X` ago.
    ///
    /// Any election needs a voter of that quorum, and each of them accepted the round before it voted. So
    /// while this holds, a newer leader is at most `X` old, and still waits in rule 5.
    pub(crate) fn has_fresh_quorum(&self, now: Boot) -> bool {
        self.quorum_sent_at(now)
            .is_some_and(|sent_at| now.since(sent_at) <= QUORUM_AGE_MAX)
    }

    /// Rule 2 (b) and (c): the index that a member must have applied to get a grant.
    ///
    /// - The leader's first entry of the term: everything acknowledged in earlier terms lies before it. A
    ///   member can have applied it only if it is committed, which is rule 2 (c).
    /// - Every revocation this leader acknowledged: it no longer waits for anyone who comes later.
    /// - Every revocation committed over [`REVOCATION_GRACE`](super::REVOCATION_GRACE) ago: so that the leases it waits for run out.
    pub(crate) fn floor(&self, now: Boot) -> u64 {
        self.first_index
            .max(self.revocations.acknowledged)
            .max(self.revocations.overdue(now))
    }

    /// Rule 2: the grant to put into the AppendEntries for `member` that is sent next, if it may have one.
    ///
    /// With the grant the leader assumes that the lease lives until `p + D·(1+ρ)/(1−ρ)`, where `p` is when
    /// the stamp arrived: the lease counts from before `p`, and the margin covers a slow clock there and a
    /// fast one here. Call it only for a message that is really going to be sent.
    pub(crate) fn grant_for(&mut self, member: NodeId, now: Boot) -> Option<Grant> {
        if !self.has_fresh_quorum(now) || !self.members.contains(member) {
            return None;
        }
        let (floor, length) = (self.floor(now), stretched(self.length));
        let other = self.others.get_mut(&member)?;
        let (stamp, arrival) = other.newest?;
        let until = arrival.plus_or_end(length);
        // A stamp so old that its lease would be over buys the member nothing.
        if other.retiring || stamp.applied < floor.max(other.joined) || until <= now {
            return None;
        }
        other.assume_lease(&stamp, until, now)?;
        Some(Grant {
            incarnation: stamp.incarnation,
            q: stamp.q,
        })
    }

    /// Rule 4 for the leader, where `applied` is what its own readers see.
    ///
    /// Its first entry stands for all entries that earlier leaders committed and this one may not yet have
    /// applied.
    #[cfg(test)]
    pub(crate) fn may_read(&self, applied: u64, now: Boot) -> bool {
        self.reads_until(applied, now)
            .is_some_and(|until| now < until)
    }

    /// Until when, exclusive, rule 4 holds if nothing more is heard: for the [`LeaseCell`](super::LeaseCell).
    ///
    /// A leader that is the only voter moves this with `now`, so publish it at every heartbeat, too.
    pub(crate) fn reads_until(&self, applied: u64, now: Boot) -> Option<Boot> {
        if applied < self.first_index {
            return None;
        }
        self.quorum_sent_at(now)
            .map(|sent_at| sent_at.plus_or_never(QUORUM_AGE_MAX))
    }

    /// The term these leases belong to.
    pub(crate) fn term(&self) -> u64 {
        self.term
    }

    /// The highest index that `member` reported as applied in this term; `None` for a stranger.
    #[cfg(test)]
    pub(crate) fn applied_of(&self, member: NodeId) -> Option<u64> {
        self.others.get(&member).map(|other| other.applied)
    }

    /// Until when the leader assumes that `member` reads; [`Boot::ZERO`] for none. Without the leases that
    /// earlier leaders may have granted.
    #[cfg(test)]
    pub(crate) fn lease_until(&self, member: NodeId) -> Boot {
        self.others
            .get(&member)
            .map_or(Boot::ZERO, Other::leases_end)
    }

    /// How many members may be reading under a lease of this term.
    #[cfg(test)]
    pub(crate) fn leases_alive(&self, now: Boot) -> usize {
        self.others
            .values()
            .filter(|other| now < other.leases_end())
            .count()
    }
}

impl Other {
    fn hear(&mut self, stamp: Stamp, arrival: Boot) {
        self.applied = self.applied.max(stamp.applied);
        for lease in &mut self.leases {
            if lease.incarnation == stamp.incarnation {
                lease.applied = lease.applied.max(stamp.applied);
            }
        }
        match &mut self.newest {
            // Within one life `applied` only grows, so a late stamp may still know less or as much.
            Some((newest, _)) if newest.incarnation == stamp.incarnation && newest.q >= stamp.q => {
                newest.applied = newest.applied.max(stamp.applied);
            }
            // Lives have no order: the one heard last gets the next grant. If this was a late message of
            // an earlier life, nobody takes that grant, and the next message sets it right.
            newest => *newest = Some((stamp, arrival)),
        }
    }

    /// Remembers that the life behind `stamp` may read until `until`; `None` if too many lives do.
    fn assume_lease(&mut self, stamp: &Stamp, until: Boot, now: Boot) -> Option<()> {
        self.leases.retain(|lease| now < lease.until);
        let incarnation = stamp.incarnation;
        if let Some(lease) = self
            .leases
            .iter_mut()
            .find(|lease| lease.incarnation == incarnation)
        {
            lease.until = lease.until.max(until);
            return Some(());
        }
        if self.leases.len() >= LIVES_MAX {
            return None;
        }
        self.leases.push(Granted {
            incarnation,
            until,
            applied: stamp.applied,
        });
        Some(())
    }

    /// When the last lease of this term is over.
    pub(super) fn leases_end(&self) -> Boot {
        self.leases
            .iter()
            .map(|lease| lease.until)
            .max()
            .unwrap_or(Boot::ZERO)
    }
}
