//! What goes wrong in a run, and who comes and goes.

use super::chance::MS;
use super::node::Role;
use super::world::{Event, Faults, World};

impl World {
    /// Every leader gets a wish which nodes should be learners.
    pub(super) fn learners(&mut self) {
        for id in 0..self.hosts.len() {
            let host = &mut self.hosts[id];
            if self.setup.spare == 0 || host.down || host.paused_until > self.now {
                continue;
            }
            let set = self.chance.next() as u8 & (((1 << self.setup.spare) - 1) as u8);
            let mut out = Vec::new();
            let now = host.clock.at(self.now);
            host.node
                .change_learners(set << self.setup.voters, now, &mut out);
            self.carry_out(id, out);
        }
        let longest = self.setup.learners_ms;
        let after = self.chance.between(longest / 8, longest) * MS;
        self.later(after, Event::Learners);
    }

    pub(super) fn fault(&mut self) {
        let count = self.hosts.len() as u64;
        if self.setup.faults == Faults::LeaderDies {
            let leader = self
                .hosts
                .iter()
                .position(|host| matches!(host.node.role, Role::Leader(_)));
            if let Some(id) = leader {
                self.hosts[id].down = true;
            }
            return;
        }
        let id = self.chance.between(0, count - 1) as usize;
        let until = self.now + self.chance.between(50, 2_500) * MS;
        match self.chance.between(0, 6) {
            // One way, both ways, and a group from the rest.
            0 => {
                let other = self.chance.between(0, count - 1) as usize;
                self.cut(id, other, until);
            }
            1 => {
                let other = self.chance.between(0, count - 1) as usize;
                self.cut(id, other, until);
                self.cut(other, id, until);
            }
            2 | 3 => {
                let group = self.chance.next();
                for (a, b) in (0..count).flat_map(|a| (0..count).map(move |b| (a, b))) {
                    if (group >> a) & 1 != (group >> b) & 1 {
                        self.cut(a as usize, b as usize, until);
                    }
                }
            }
            4 => self.hosts[id].paused_until = self.now + self.chance.between(20, 1_500) * MS,
            _ => self.crash(id),
        }
        let after = self.chance.between(20, 700) * MS;
        self.later(after, Event::Fault);
    }

    fn cut(&mut self, from: usize, to: usize, until: u64) {
        let count = self.hosts.len();
        self.cut_until[from * count + to] = until;
    }

    fn crash(&mut self, id: usize) {
        if self.hosts[id].down {
            return;
        }
        let applied = self.hosts[id].node.applied as u64;
        let back = self.chance.between(0, 4);
        let snapshot = if self.chance.percent(50) {
            applied.saturating_sub(back)
        } else {
            self.chance.between(0, applied)
        };
        let host = &mut self.hosts[id];
        host.node.restart(snapshot as usize);
        (host.down, host.life, host.apply_due, host.paused_until) = (true, host.life + 1, false, 0);
        let after = if self.chance.percent(60) {
            self.chance.between(1, 20)
        } else {
            self.chance.between(1, 1_000)
        };
        self.later(after * MS, Event::Restart(id));
    }
}
