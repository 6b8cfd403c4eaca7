//! The leader's part of a simulated node.

use std::collections::VecDeque;

use super::super::{Boot, LeaderLeases, Stamp};
use super::message::{Entry, Message, Out, What};
use super::mutant::Mutant;
use super::node::{Node, Role, Rules};

pub(super) struct Leader {
    pub(super) leases: LeaderLeases,
    next: Vec<usize>,
    matched: Vec<usize>,
    /// Revocations of this term that are not acknowledged, with the time of their commit.
    pending: VecDeque<(usize, Option<Boot>)>,
    /// The learners it wants to have, once that is possible.
    wish: Option<u8>,
}

impl Node {
    pub(super) fn count_votes(&mut self, now: Boot, out: &mut Vec<Out>) {
        let Role::Candidate { votes } = self.role else {
            return;
        };
        if (votes.count_ones() as usize) * 2 <= self.rules.voters {
            return;
        }
        let first = self.log.len();
        let Rules {
            length,
            mutant,
            nodes,
            ..
        } = self.rules;
        let mut leases = LeaderLeases::elected(
            self.me as u64,
            self.term,
            length,
            first as u64,
            self.members(),
            now,
        );
        mutant.elected(&mut leases, now);
        self.role = Role::Leader(Box::new(Leader {
            leases,
            next: vec![first; nodes],
            matched: vec![0; nodes],
            pending: VecDeque::new(),
            wish: None,
        }));
        self.leader = Some(self.me);
        self.propose(What::Nothing, now, out);
    }

    /// Appends an entry if this node believes that it leads.
    pub(super) fn propose(&mut self, what: What, now: Boot, out: &mut Vec<Out>) {
        let index = self.log.len();
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        self.log.push(Entry {
            term: self.term,
            what,
        });
        match what {
            What::Revoke => leader.pending.push_back((index, None)),
            What::Learners(learners) => {
                self.learners = learners;
                let members = self.members();
                if let Role::Leader(leader) = &mut self.role {
                    leader.leases.set_members(members, index as u64, now);
                }
            }
            What::Nothing => {}
        }
        self.broadcast(now, out);
    }

    pub(super) fn broadcast(&mut self, now: Boot, out: &mut Vec<Out>) {
        let Rules { voters, nodes, .. } = self.rules;
        let (me, learners) = (self.me, self.learners);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let member = |to: &usize| *to != me && (*to < voters || learners & (1 << to) != 0);
        for to in (0..nodes).filter(member) {
            let prev = leader.next[to] - 1;
            let entries = self.log.iter().skip(prev + 1).take(32).copied().collect();
            let grant = self
                .rules
                .mutant
                .grant_for(&mut leader.leases, to as u64, now);
            let (prev_term, commit) = (self.log[prev].term, self.commit);
            let append = Message::Append {
                prev,
                prev_term,
                entries,
                commit,
                grant,
                sent_at: now,
            };
            out.push(Out::Send(to, self.term, append));
        }
        self.publish(now);
    }

    pub(super) fn publish(&mut self, now: Boot) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let until = self
            .rules
            .mutant
            .reads_until(&leader.leases, self.applied as u64, now);
        if let Some(until) = until {
            self.cell.publish(self.term, until);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one message")]
    pub(super) fn appended(
        &mut self,
        from: usize,
        term: u64,
        matched: Option<usize>,
        hint: usize,
        sent_at: Boot,
        now: Boot,
        out: &mut Vec<Out>,
    ) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if term != self.term {
            return;
        }
        leader.leases.accepted(from as u64, sent_at);
        match matched {
            Some(matched) => {
                leader.matched[from] = leader.matched[from].max(matched);
                leader.next[from] = leader.matched[from] + 1;
            }
            None => leader.next[from] = (leader.matched[from] + 1).max(hint),
        }
        leader.matched[self.me] = self.log.len() - 1;
        let mut voters = leader.matched[..self.rules.voters].to_vec();
        voters.sort_unstable_by(|a, b| b.cmp(a));
        let agreed = voters[self.rules.voters / 2];
        if agreed > self.commit && self.log[agreed].term == self.term {
            self.committed(agreed, now, out);
        }
        self.publish(now);
    }

    fn committed(&mut self, agreed: usize, now: Boot, out: &mut Vec<Out>) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        for (index, committed_at) in leader
            .pending
            .iter_mut()
            .filter(|(index, at)| *index <= agreed && at.is_none())
        {
            *committed_at = Some(now);
            if self.rules.mutant != Mutant::FloorWithoutOverdue {
                leader.leases.committed_revocation(*index as u64, now);
            }
        }
        self.commit = agreed;
        out.push(Out::Apply);
        self.broadcast(now, out);
    }

    pub(super) fn heard(&mut self, from: usize, stamp: Stamp, now: Boot, out: &mut Vec<Out>) {
        if let Role::Leader(leader) = &mut self.role {
            leader.leases.heard(from as u64, stamp, now);
        }
        self.acknowledge(now, out);
    }

    /// Rule 5, whenever something changed or a deadline has come.
    pub(super) fn acknowledge(&mut self, now: Boot, out: &mut Vec<Out>) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        while let Some((index, Some(committed_at))) = leader.pending.front().copied() {
            let applied = self.applied as u64;
            if !self
                .rules
                .mutant
                .acknowledge(&mut leader.leases, index as u64, applied, now)
            {
                out.extend(
                    leader
                        .leases
                        .next_deadline(index as u64, now)
                        .map(Out::Wake),
                );
                break;
            }
            leader.pending.pop_front();
            out.push(Out::Acknowledged {
                index,
                waited: now.since(committed_at),
            });
        }
    }

    /// Moves towards the learners the leader wants: joining at once, leaving after the lease.
    pub(super) fn change_learners(&mut self, learners: u8, now: Boot, out: &mut Vec<Out>) {
        let (settled, current) = (self.log[self.commit].term == self.term, self.learners);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        leader.wish = Some(learners);
        let leaving = current & !learners;
        let mut ready = settled;
        if !self.rules.mutant.leaves_at_once() {
            for id in (0..self.rules.nodes as u64).filter(|id| leaving & (1 << id) != 0) {
                leader.leases.retire(id);
                ready &= leader.leases.removable_at(id).is_some_and(|at| at <= now);
            }
        }
        if ready && learners != current {
            leader.wish = None;
            self.propose(What::Learners(learners), now, out);
        }
    }

    /// Tries an open wish again, as a real leader would on a timer.
    pub(super) fn remind(&mut self, now: Boot, out: &mut Vec<Out>) {
        if let Role::Leader(leader) = &self.role
            && let Some(learners) = leader.wish
        {
            self.change_learners(learners, now, out);
        }
    }
}
