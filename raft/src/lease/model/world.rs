//! The simulated world: true time, links, faults, and the invariant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::super::TermChange;
use super::chance::{Chance, Clock, MS};
use super::message::{Message, Out, What};
use super::mutant::Mutant;
use super::node::{Node, Rules};

/// How one run is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) voters: usize,
    /// Nodes beyond the voters; they may be learners.
    pub(super) spare: usize,
    pub(super) seconds: u64,
    pub(super) length: Duration,
    pub(super) faults: Faults,
    /// How long a set of learners lasts at most, in milliseconds.
    pub(super) learners_ms: u64,
    pub(super) mutant: Mutant,
    /// `None`: the seed decides.
    pub(super) on_term_change: Option<TermChange>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// Nothing: 1 to 3 ms per message, and clocks at any allowed rate.
    Calm,
    /// From the third second on, the leader is gone.
    LeaderDies,
    /// From the second second on, the last node applies nothing, and is otherwise well.
    ApplyStalls,
    /// Everything.
    All,
}

/// What a run saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The first read that was allowed without an acknowledged revocation.
    pub(super) violation: Option<String>,
    /// From commit to acknowledgement.
    pub(super) waited: Vec<Duration>,
    /// The highest term that was reached.
    pub(super) terms: u64,
    /// Samples of live nodes every 5 ms after the first second, and how many of them could read.
    pub(super) samples: usize,
    pub(super) readable: usize,
}

pub(super) enum Event {
    Deliver {
        from: usize,
        to: usize,
        term: u64,
        message: Message,
    },
    Heartbeat(usize, u64),
    Stand(usize),
    Apply(usize, u64),
    Wake(usize, u64),
    Restart(usize),
    Propose,
    Learners,
    Fault,
    Sample,
}

pub(super) struct Host {
    pub(super) node: Node,
    pub(super) clock: Clock,
    /// Counts lives; timers of an earlier one are void.
    pub(super) life: u64,
    pub(super) down: bool,
    pub(super) paused_until: u64,
    pub(super) stand_at: u64,
    pub(super) stand_due: bool,
    pub(super) apply_due: bool,
}

/// One run.
pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) chance: Chance,
    pub(super) now: u64,
    sequence: u64,
    /// Time, order of scheduling and slot in `events`, in one number that is quick to compare.
    queue: BinaryHeap<Reverse<u128>>,
    events: Vec<Option<Event>>,
    free: Vec<usize>,
    pub(super) hosts: Vec<Host>,
    pub(super) cut_until: Vec<u64>,
    loss: u64,
    slow: u64,
    sluggish: u64,
    acknowledged: usize,
    seen: Seen,
}

impl World {
    /// Runs `setup` with everything random drawn from `seed`.
    pub(super) fn run(setup: Setup, seed: u64) -> Seen {
        let mut world = Self::new(setup, seed);
        let end = setup.seconds * 1_000 * MS;
        while let Some(Reverse(key)) = world.queue.pop() {
            let (at, slot) = ((key >> 64) as u64, (key & 0xffff) as usize);
            if at > end || world.seen.violation.is_some() {
                break;
            }
            world.now = at;
            let event = world.events[slot].take();
            world.free.push(slot);
            if let Some(event) = event {
                world.happen(event);
                world.check();
            }
        }
        let term = world.hosts.iter().map(|host| host.node.term).max();
        world.seen.terms = term.unwrap_or(0);
        world.seen
    }

    fn new(setup: Setup, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let coin = if chance.percent(50) {
            TermChange::Drop
        } else {
            TermChange::Keep
        };
        let nodes = setup.voters + setup.spare;
        let rules = Rules {
            voters: setup.voters,
            nodes,
            length: setup.length,
            on_term_change: setup.on_term_change.unwrap_or(coin),
            mutant: setup.mutant,
        };
        let all_learners = ((1u16 << nodes) - (1u16 << setup.voters)) as u8;
        let hosts = (0..nodes).map(|me| Host {
            node: Node::new(rules, me, all_learners),
            clock: Clock::random(&mut chance),
            life: 0,
            down: false,
            paused_until: 0,
            stand_at: 0,
            stand_due: false,
            apply_due: false,
        });
        let hosts = hosts.collect();
        let wild = setup.faults == Faults::All;
        let mut world = Self {
            setup,
            now: 0,
            sequence: 0,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            hosts,
            cut_until: vec![0; nodes * nodes],
            loss: if wild { chance.between(0, 12) } else { 0 },
            slow: if wild { chance.between(0, 12) } else { 0 },
            sluggish: if wild { chance.between(0, 20) } else { 0 },
            acknowledged: 0,
            seen: Seen::default(),
            chance,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for id in 0..self.hosts.len() {
            self.patience(id);
            self.later(id as u64 * MS, Event::Heartbeat(id, 0));
        }
        self.later(100 * MS, Event::Propose);
        if self.setup.faults != Faults::All {
            self.later(1_000 * MS, Event::Sample);
        } else {
            self.later(400 * MS, Event::Fault);
            self.later(600 * MS, Event::Learners);
        }
        if self.setup.faults == Faults::LeaderDies {
            self.later(3_000 * MS, Event::Fault);
        }
    }

    pub(super) fn later(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            self.events.len() - 1
        });
        self.events[slot] = Some(event);
        let key = u128::from(self.now + after) << 64 | u128::from(self.sequence) << 16;
        self.queue.push(Reverse(key | slot as u128));
    }

    /// The invariant: whoever may read now sees every acknowledged revocation.
    fn check(&mut self) {
        for (id, host) in self.hosts.iter().enumerate() {
            if host.down || host.paused_until > self.now || host.node.applied >= self.acknowledged {
                continue;
            }
            if host.node.cell.may_read(host.clock.at(self.now)) {
                let (at, applied) = (self.now / MS, host.node.applied);
                self.seen.violation = Some(format!(
                    "at {at} ms node {id} of term {} reads at index {applied}, though {} is acknowledged",
                    host.node.term, self.acknowledged
                ));
                return;
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Propose => return self.propose(),
            Event::Learners => return self.learners(),
            Event::Fault => return self.fault(),
            Event::Sample => return self.sample(),
            Event::Restart(id) => {
                self.hosts[id].down = false;
                self.patience(id);
                let life = self.hosts[id].life;
                return self.later(0, Event::Heartbeat(id, life));
            }
            _ => {}
        }
        let (id, life) = match &event {
            Event::Deliver { to, .. } => (*to, self.hosts[*to].life),
            Event::Heartbeat(id, life) | Event::Apply(id, life) | Event::Wake(id, life) => {
                (*id, *life)
            }
            Event::Stand(id) => (*id, self.hosts[*id].life),
            _ => return,
        };
        let host = &mut self.hosts[id];
        if host.down || host.life != life {
            host.stand_due &= !matches!(event, Event::Stand(_));
            return;
        }
        if host.paused_until > self.now {
            let after = host.paused_until - self.now;
            return self.later(after, event);
        }
        self.act(id, event);
    }

    fn act(&mut self, id: usize, event: Event) {
        let mut out = Vec::new();
        let host = &mut self.hosts[id];
        let (now, life) = (host.clock.at(self.now), host.life);
        match event {
            Event::Deliver {
                from,
                term,
                message,
                ..
            } => {
                host.node.receive(from, term, message, now, &mut out);
            }
            Event::Heartbeat(..) => {
                host.node.remind(now, &mut out);
                host.node.broadcast(now, &mut out);
                self.later(50 * MS, Event::Heartbeat(id, life));
            }
            Event::Stand(_) if self.now < host.stand_at => {
                let after = host.stand_at - self.now;
                return self.later(after, Event::Stand(id));
            }
            Event::Stand(_) => {
                host.stand_due = false;
                host.node.stand(now, &mut out);
                self.patience(id);
            }
            Event::Wake(..) => host.node.acknowledge(now, &mut out),
            Event::Apply(..) => {
                host.apply_due = false;
                let behind = (host.node.commit - host.node.applied) as u64;
                let all = self.setup.faults != Faults::All || self.chance.percent(60);
                let count = if all {
                    behind
                } else {
                    self.chance.between(0, behind)
                };
                let upto = host.node.applied + count as usize;
                host.node.apply(upto, now, &mut out);
            }
            _ => {}
        }
        self.carry_out(id, out);
    }

    pub(super) fn carry_out(&mut self, id: usize, out: Vec<Out>) {
        for what in out {
            let life = self.hosts[id].life;
            match what {
                Out::Send(to, term, message) => self.send(id, to, term, message),
                Out::Patience => self.patience(id),
                Out::Apply => self.apply_soon(id),
                Out::Wake(at) => {
                    let at = self.hosts[id].clock.when(at).max(self.now + 1);
                    self.later(at - self.now, Event::Wake(id, life));
                }
                Out::Acknowledged { index, waited } => {
                    self.acknowledged = self.acknowledged.max(index);
                    self.seen.waited.push(waited);
                }
            }
        }
    }

    fn apply_soon(&mut self, id: usize) {
        let stalls = self.setup.faults == Faults::ApplyStalls && id + 1 == self.hosts.len();
        if self.hosts[id].apply_due || (stalls && self.now > 2_000 * MS) {
            return;
        }
        self.hosts[id].apply_due = true;
        let sluggish = self.chance.percent(self.sluggish);
        let lag = if sluggish {
            self.chance.between(1, 600) * MS
        } else {
            self.chance.between(0, MS / 5)
        };
        self.later(lag, Event::Apply(id, self.hosts[id].life));
    }

    fn patience(&mut self, id: usize) {
        let after = self.chance.between(150, 300) * MS;
        let host = &mut self.hosts[id];
        host.stand_at = self.now + after;
        if !host.stand_due {
            host.stand_due = true;
            self.later(after, Event::Stand(id));
        }
    }

    fn send(&mut self, from: usize, to: usize, term: u64, message: Message) {
        if self.cut_until[from * self.hosts.len() + to] > self.now || self.chance.percent(self.loss)
        {
            return;
        }
        let slow = self.chance.percent(self.slow);
        let delay = if slow {
            self.chance.between(3, 1_500) * MS
        } else {
            self.chance.between(MS, 3 * MS)
        };
        self.later(
            delay,
            Event::Deliver {
                from,
                to,
                term,
                message,
            },
        );
    }

    fn propose(&mut self) {
        for id in 0..self.hosts.len() {
            let host = &mut self.hosts[id];
            if host.down || host.paused_until > self.now {
                continue;
            }
            let mut out = Vec::new();
            host.node
                .propose(What::Revoke, host.clock.at(self.now), &mut out);
            self.carry_out(id, out);
        }
        let after = self.chance.between(10, 90) * MS;
        self.later(after, Event::Propose);
    }

    fn sample(&mut self) {
        for host in self.hosts.iter().filter(|host| !host.down) {
            self.seen.samples += 1;
            self.seen.readable += usize::from(host.node.cell.may_read(host.clock.at(self.now)));
        }
        self.later(5 * MS, Event::Sample);
    }
}
