//! One node of the simulated Raft, with the real leases around it.
//!
//! A textbook Raft (no pre-vote, no vote withholding: more leader changes than in life). The lease is driven
//! exactly as the real node must drive it. The node sees only its own clock; what it wants done leaves
//! through `out`.

use std::time::Duration;

use super::super::{Boot, FollowerLease, Incarnation, LeaseCell, Members, Stamp, TermChange};
use super::leading::Leader;
use super::message::{Entry, Message, Out, What};
use super::mutant::Mutant;

pub(super) enum Role {
    Follower,
    Candidate { votes: u8 },
    Leader(Box<Leader>),
}

/// What is the same for all nodes of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) voters: usize,
    pub(super) nodes: usize,
    pub(super) length: Duration,
    pub(super) on_term_change: TermChange,
    pub(super) mutant: Mutant,
}

pub(super) struct Node {
    pub(super) rules: Rules,
    pub(super) me: usize,
    // Durable.
    pub(super) term: u64,
    voted_for: Option<usize>,
    pub(super) log: Vec<Entry>,
    // Of one life.
    incarnation: Incarnation,
    pub(super) role: Role,
    pub(super) leader: Option<usize>,
    pub(super) commit: usize,
    pub(super) applied: usize,
    pub(super) learners: u8,
    lease: FollowerLease,
    pub(super) cell: LeaseCell,
}

impl Node {
    pub(super) fn new(rules: Rules, me: usize, learners: u8) -> Self {
        let incarnation = Incarnation(me as u64 * 1_000);
        Self {
            rules,
            me,
            term: 0,
            voted_for: None,
            log: vec![Entry {
                term: 0,
                what: What::Learners(learners),
            }],
            incarnation,
            role: Role::Follower,
            leader: None,
            commit: 0,
            applied: 0,
            learners,
            lease: FollowerLease::new(incarnation, rules.length, rules.on_term_change, 0),
            cell: LeaseCell::new(rules.on_term_change),
        }
    }

    /// A new life: the log, the vote and a snapshot remain.
    pub(super) fn restart(&mut self, snapshot: usize) {
        self.role = Role::Follower;
        self.leader = None;
        (self.commit, self.applied) = (snapshot, snapshot);
        if self.rules.mutant == Mutant::SurvivesRestart {
            return;
        }
        self.incarnation.0 += 1;
        let Rules {
            length,
            on_term_change,
            ..
        } = self.rules;
        self.lease = FollowerLease::new(self.incarnation, length, on_term_change, self.term);
        self.cell = LeaseCell::new(on_term_change);
    }

    pub(super) fn last(&self) -> usize {
        self.log.len() - 1
    }

    pub(super) fn members(&self) -> Members {
        let learner = |id: &u64| self.learners & (1 << id) != 0;
        Members {
            voters: vec![(0..self.rules.voters as u64).collect()],
            learners: (0..self.rules.nodes as u64).filter(learner).collect(),
        }
    }

    fn find_learners(&mut self) {
        let newest = self.log.iter().rev().find_map(|entry| match entry.what {
            What::Learners(learners) => Some(learners),
            _ => None,
        });
        self.learners = newest.unwrap_or(0);
    }

    fn stamp(&self, now: Boot) -> Stamp {
        let stamp = self.lease.stamp(self.applied as u64, now);
        self.rules.mutant.stamp(stamp, self.last() as u64)
    }

    /// As the real node does when its vote becomes durable: before any message of the term leaves.
    fn saw_term(&mut self, term: u64) {
        if term > self.term {
            self.term = term;
            self.voted_for = None;
            self.leader = None;
            self.role = Role::Follower;
        }
        self.lease.higher_term(self.term);
        self.cell.higher_term(self.term);
    }

    pub(super) fn stand(&mut self, now: Boot, out: &mut Vec<Out>) {
        if matches!(self.role, Role::Leader(_)) || self.me >= self.rules.voters {
            return;
        }
        self.saw_term(self.term + 1);
        self.voted_for = Some(self.me);
        self.role = Role::Candidate {
            votes: 1 << self.me,
        };
        out.push(Out::Patience);
        let last = (self.log[self.last()].term, self.last());
        for to in (0..self.rules.voters).filter(|to| *to != self.me) {
            out.push(Out::Send(to, self.term, Message::Vote { last }));
        }
        self.count_votes(now, out);
    }

    pub(super) fn receive(
        &mut self,
        from: usize,
        term: u64,
        message: Message,
        now: Boot,
        out: &mut Vec<Out>,
    ) {
        self.saw_term(term);
        match message {
            Message::Vote { last } => self.vote(from, term, last, out),
            Message::Voted { granted } => {
                if let Role::Candidate { votes } = &mut self.role
                    && granted
                    && term == self.term
                {
                    *votes |= 1 << from;
                    self.count_votes(now, out);
                }
            }
            Message::Append {
                prev,
                prev_term,
                entries,
                commit,
                grant,
                sent_at,
            } => {
                if term < self.term {
                    let refused = Message::Voted { granted: false };
                    out.push(Out::Send(from, self.term, refused));
                    return;
                }
                self.role = Role::Follower;
                self.leader = Some(from);
                out.push(Out::Patience);
                let matched = self.append(prev, prev_term, &entries, commit, out);
                if let Some(grant) = grant {
                    let grant = self.rules.mutant.receive(grant, self.stamp(now));
                    self.lease.accept(grant, term, now);
                    self.cell.publish(term, self.lease.lease_end());
                }
                let (hint, stamp) = (self.last().min(prev), self.stamp(now));
                let reply = Message::Appended {
                    matched,
                    hint,
                    sent_at,
                    stamp,
                };
                out.push(Out::Send(from, self.term, reply));
            }
            Message::Appended {
                matched,
                hint,
                sent_at,
                stamp,
            } => {
                self.appended(from, term, matched, hint, sent_at, now, out);
                self.heard(from, stamp, now, out);
            }
            Message::Report { stamp } => self.heard(from, stamp, now, out),
        }
    }

    fn vote(&mut self, from: usize, term: u64, last: (u64, usize), out: &mut Vec<Out>) {
        let own = (self.log[self.last()].term, self.last());
        let free = self.voted_for.is_none_or(|voted| voted == from);
        let granted = term == self.term && free && last >= own;
        if granted {
            self.voted_for = Some(from);
            out.push(Out::Patience);
        }
        out.push(Out::Send(from, self.term, Message::Voted { granted }));
    }

    fn append(
        &mut self,
        prev: usize,
        prev_term: u64,
        entries: &[Entry],
        commit: usize,
        out: &mut Vec<Out>,
    ) -> Option<usize> {
        if self
            .log
            .get(prev)
            .is_none_or(|entry| entry.term != prev_term)
        {
            return None;
        }
        for (offset, entry) in entries.iter().enumerate() {
            let index = prev + 1 + offset;
            if self
                .log
                .get(index)
                .is_some_and(|own| own.term != entry.term)
            {
                assert!(
                    index > self.commit,
                    "the simulated Raft lost a committed entry"
                );
                self.log.truncate(index);
                self.find_learners();
            }
            if index == self.log.len() {
                self.log.push(*entry);
                if let What::Learners(learners) = entry.what {
                    self.learners = learners;
                }
            }
        }
        let matched = prev + entries.len();
        if commit.min(matched) > self.commit {
            self.commit = commit.min(matched);
            out.push(Out::Apply);
        }
        Some(matched)
    }

    /// Makes some committed entries visible to readers.
    pub(super) fn apply(&mut self, upto: usize, now: Boot, out: &mut Vec<Out>) {
        self.applied = upto.min(self.commit).max(self.applied);
        if self.applied < self.commit {
            out.push(Out::Apply);
        }
        match (&self.role, self.leader) {
            (Role::Leader(_), _) => {
                self.publish(now);
                self.acknowledge(now, out);
            }
            (_, Some(leader)) => {
                out.push(Out::Send(
                    leader,
                    self.term,
                    Message::Report {
                        stamp: self.stamp(now),
                    },
                ));
            }
            _ => {}
        }
    }
}
