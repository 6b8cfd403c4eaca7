//! Carries a plan out: finds who is meant, strikes, waits, and puts everything right again.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::choice::Choices;
use crate::cluster::Cluster;
use crate::fault::{Fault, Plan, Step, Target};
use crate::history::Recorder;
use crate::sample::Observer;

/// A fault that was carried out.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    /// Who was struck.
    pub(crate) nodes: Vec<usize>,
    pub(crate) from: Duration,
    /// When all was right again and every node was ready, or nobody waited any longer.
    pub(crate) until: Duration,
    /// Who led when it struck, if anybody was known to.
    pub(crate) led: Option<usize>,
}

impl Strike {
    pub(crate) fn holds_at(&self, at: Duration) -> bool {
        self.from <= at && at <= self.until
    }

    /// Whether it took the leader.
    pub(crate) fn hits_leader(&self) -> bool {
        self.led.is_some_and(|leader| self.nodes.contains(&leader))
    }
}

/// How long a healed cluster may take before the next fault comes all the same.
const HEALING: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(50);

/// Who breaks things.
pub(crate) struct Nemesis<'a> {
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) observer: &'a Observer,
    pub(crate) recorder: &'a Recorder,
    pub(crate) choices: Choices,
    /// What has been done.
    pub(crate) strikes: Vec<Strike>,
}

impl Nemesis<'_> {
    /// Carries out steps of `plan` until `until`, and leaves everything right.
    ///
    /// # Errors
    /// A process cannot be started or signalled.
    pub(crate) fn run(&mut self, plan: Plan, until: Instant) -> io::Result<()> {
        for step in plan {
            self.calm(Duration::from_millis(step.calm_ms), until);
            if Instant::now() >= until {
                break;
            }
            self.step(&step, until)?;
        }
        Ok(())
    }

    fn calm(&self, length: Duration, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        thread::sleep(length.min(left));
    }

    fn step(&mut self, step: &Step, until: Instant) -> io::Result<()> {
        let first = self.strikes.len();
        for fault in &step.faults {
            let led = self.observer.leader(self.recorder.now());
            let nodes = self.targets(*fault, led);
            let from = self.recorder.now();
            println!("{:7.2} s  {fault}  {}", from.as_secs_f64(), names(&nodes));
            self.strikes.push(Strike {
                fault: *fault,
                nodes: nodes.clone(),
                from,
                until: Duration::MAX,
                led,
            });
            self.strike(*fault, &nodes)?;
        }
        self.hold(step, first, until);
        self.cluster.links().heal();
        self.cluster.mend()?;
        self.cluster.wait_until_ready(HEALING);
        let now = self.recorder.now();
        for strike in self.strikes.iter_mut().skip(first) {
            strike.until = now;
        }
        Ok(())
    }

    /// Waits while the faults hold; a flapping link is moved meanwhile.
    fn hold(&mut self, step: &Step, first: usize, until: Instant) {
        let end = Instant::now() + Duration::from_millis(step.length_ms);
        let mut turn = Instant::now();
        let mut is_cut = true;
        while Instant::now() < end.min(until) {
            thread::sleep(TICK);
            let flapping = self.strikes.iter().skip(first);
            let flapping = flapping.filter(|strike| matches!(strike.fault, Fault::Flap(_)));
            if Instant::now() < turn {
                continue;
            }
            for strike in flapping {
                if is_cut {
                    self.isolate(&strike.nodes);
                } else {
                    self.cluster.links().heal();
                }
                turn = Instant::now() + Duration::from_millis(self.choices.between(100, 900));
            }
            is_cut = !is_cut;
        }
    }

    fn targets(&mut self, fault: Fault, led: Option<usize>) -> Vec<usize> {
        let count = self.cluster.count();
        let leader = led.unwrap_or_else(|| self.choices.index(count));
        let mut others: Vec<usize> = (0..count).filter(|node| *node != leader).collect();
        self.choices.shuffle(&mut others);
        let follower = others.first().copied().unwrap_or(leader);
        match fault {
            Fault::Isolate(Target::All) => {
                let minority = count.div_ceil(2) - 1;
                others.truncate(minority.saturating_sub(1));
                others.push(leader);
                others
            }
            Fault::Partial => vec![leader, follower],
            Fault::Wipe => vec![follower],
            Fault::Delay(_) | Fault::Reset | Fault::Roll => (0..count).collect(),
            Fault::Kill(target)
            | Fault::Pause(target)
            | Fault::Isolate(target)
            | Fault::Deaf(target)
            | Fault::Mute(target)
            | Fault::Flap(target)
            | Fault::Clock(target, _)
            | Fault::SlowDisk(target)
            | Fault::FullDisk(target)
            | Fault::SyncError(target) => match target {
                Target::Leader => vec![leader],
                Target::Follower => vec![follower],
                Target::All => (0..count).collect(),
            },
        }
    }

    fn strike(&mut self, fault: Fault, nodes: &[usize]) -> io::Result<()> {
        match fault {
            Fault::Kill(_) => self.cluster.kill(nodes),
            Fault::Pause(_) => nodes.iter().try_for_each(|node| self.cluster.pause(*node)),
            Fault::Isolate(_) => {
                self.isolate(nodes);
                Ok(())
            }
            Fault::Deaf(_) => {
                self.each_way(nodes, |links, node, other| links.cut(other, node));
                Ok(())
            }
            Fault::Mute(_) => {
                self.each_way(nodes, |links, node, other| links.cut(node, other));
                Ok(())
            }
            Fault::Partial => {
                if let [one, other] = nodes {
                    self.cluster.links().cut(*one, *other);
                    self.cluster.links().cut(*other, *one);
                }
                Ok(())
            }
            // `hold` does it.
            Fault::Flap(_) => Ok(()),
            Fault::Delay(ms) => {
                for from in nodes {
                    for to in nodes {
                        self.cluster.links().delay(*from, *to, ms);
                    }
                }
                Ok(())
            }
            Fault::Reset => {
                self.cluster.links().reset();
                Ok(())
            }
            Fault::Roll => nodes.iter().try_for_each(|node| {
                self.cluster.stop(*node)?;
                self.cluster.mend()?;
                self.cluster.wait_until_ready(HEALING);
                Ok(())
            }),
            Fault::Wipe => nodes.iter().try_for_each(|node| self.cluster.wipe(*node)),
            Fault::Clock(_, seconds) => self.tell(nodes, &format!("clock_ms={}", seconds * 1_000)),
            Fault::SlowDisk(_) => self.tell(nodes, "disk=slow"),
            Fault::FullDisk(_) => self.tell(nodes, "disk=full"),
            Fault::SyncError(_) => self.tell(nodes, "disk=error"),
        }
    }

    fn tell(&mut self, nodes: &[usize], what: &str) -> io::Result<()> {
        nodes
            .iter()
            .try_for_each(|node| self.cluster.tell(*node, what))
    }

    /// Cuts `nodes` from all that are not among them.
    fn isolate(&self, nodes: &[usize]) {
        self.each_way(nodes, |links, node, other| {
            links.cut(node, other);
            links.cut(other, node);
        });
    }

    fn each_way(&self, nodes: &[usize], cut: impl Fn(&crate::link::Links, usize, usize)) {
        for node in nodes {
            for other in (0..self.cluster.count()).filter(|other| !nodes.contains(other)) {
                cut(self.cluster.links(), *node, other);
            }
        }
    }
}

/// `n1 n3`.
pub(crate) fn names(nodes: &[usize]) -> String {
    let names: Vec<String> = nodes.iter().map(|node| format!("n{}", node + 1)).collect();
    names.join(" ")
}
