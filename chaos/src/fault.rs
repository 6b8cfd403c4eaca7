//! What may be done to a cluster, and in which order a run does it. Pure: the seed decides, the cluster is not known.

use std::fmt;

use crate::choice::Choices;

/// Who is struck; found out when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Leader,
    Follower,
    /// All nodes, or for a cut the leader and as many others as stay short of a majority.
    All,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// `kill -9`, and a start later.
    Kill(Target),
    /// SIGSTOP, and SIGCONT later.
    Pause(Target),
    /// Cut off from all others, both ways.
    Isolate(Target),
    /// It hears nobody, but is heard.
    Deaf(Target),
    /// It is not heard, but hears everybody.
    Mute(Target),
    /// The leader and one follower do not hear each other; everybody else hears both.
    Partial,
    /// Cut off and back several times per second or two.
    Flap(Target),
    /// Everything between nodes takes that many milliseconds longer.
    Delay(u64),
    /// Every connection between nodes ends.
    Reset,
    /// One after another is told to stop, and started again.
    Roll,
    /// The data directory of a follower is removed.
    Wipe,
    /// The wall clock goes wrong by that many seconds.
    Clock(Target, i64),
    /// Each sync takes long.
    SlowDisk(Target),
    /// No space is left.
    FullDisk(Target),
    /// A sync fails.
    SyncError(Target),
}

/// A kind of fault, as chosen on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Family {
    /// kill -9 of the leader, a follower, everybody
    Kill,
    /// SIGSTOP for 1 to 60 seconds
    Pause,
    /// partitions: both ways, one way, partial
    Cut,
    /// a link that comes and goes
    Flap,
    /// slow links
    Delay,
    /// connections that end
    Reset,
    /// rolling restarts
    Roll,
    /// a lost data directory
    Wipe,
    /// wall clocks that jump (needs a binary with the feature `chaos`)
    Clock,
    /// disks that are slow, full or fail (needs a binary with the feature `chaos`)
    Disk,
}

impl Family {
    /// Those that any binary can be put through.
    pub(crate) const OUTSIDE: [Self; 8] = [
        Self::Kill,
        Self::Pause,
        Self::Cut,
        Self::Flap,
        Self::Delay,
        Self::Reset,
        Self::Roll,
        Self::Wipe,
    ];

    fn faults(self) -> Vec<Fault> {
        use Target::{All, Follower, Leader};
        match self {
            Self::Kill => vec![
                Fault::Kill(Leader),
                Fault::Kill(Leader),
                Fault::Kill(Follower),
                Fault::Kill(All),
                Fault::Kill(All),
            ],
            Self::Pause => vec![Fault::Pause(Leader), Fault::Pause(Follower)],
            Self::Cut => vec![
                Fault::Isolate(Leader),
                Fault::Isolate(Follower),
                Fault::Isolate(All),
                Fault::Deaf(Leader),
                Fault::Deaf(Follower),
                Fault::Mute(Leader),
                Fault::Mute(Follower),
                Fault::Partial,
            ],
            Self::Flap => vec![Fault::Flap(Leader), Fault::Flap(Follower)],
            Self::Delay => vec![Fault::Delay(30), Fault::Delay(250)],
            Self::Reset => vec![Fault::Reset],
            Self::Roll => vec![Fault::Roll],
            Self::Wipe => vec![Fault::Wipe],
            Self::Clock => vec![
                Fault::Clock(Leader, 3_600),
                Fault::Clock(Leader, -3_600),
                Fault::Clock(Follower, 3_600),
                Fault::Clock(All, -60),
            ],
            Self::Disk => vec![
                Fault::SlowDisk(Leader),
                Fault::SlowDisk(Follower),
                Fault::FullDisk(Leader),
                Fault::FullDisk(Follower),
                Fault::SyncError(Leader),
                Fault::SyncError(Follower),
            ],
        }
    }
}

impl Fault {
    /// Whether it strikes a node itself rather than its links.
    pub(crate) fn strikes_process(self) -> bool {
        match self {
            Self::Kill(_)
            | Self::Pause(_)
            | Self::Roll
            | Self::Wipe
            | Self::Clock(..)
            | Self::SlowDisk(_)
            | Self::FullDisk(_)
            | Self::SyncError(_) => true,
            Self::Isolate(_)
            | Self::Deaf(_)
            | Self::Mute(_)
            | Self::Partial
            | Self::Flap(_)
            | Self::Delay(_)
            | Self::Reset => false,
        }
    }

    /// Whether it cuts nodes from each other.
    pub(crate) fn is_cut(self) -> bool {
        matches!(
            self,
            Self::Isolate(_) | Self::Deaf(_) | Self::Mute(_) | Self::Partial | Self::Flap(_)
        )
    }

    /// Whether nothing else may go wrong with it: it takes one copy of the data away, or takes its own time.
    fn is_alone(self) -> bool {
        matches!(
            self,
            Self::Wipe | Self::Roll | Self::FullDisk(_) | Self::SyncError(_)
        )
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::All => "all",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(target) => write!(f, "kill {target}"),
            Self::Pause(target) => write!(f, "pause {target}"),
            Self::Isolate(Target::All) => f.write_str("cut leader's minority"),
            Self::Isolate(target) => write!(f, "cut {target}"),
            Self::Deaf(target) => write!(f, "deaf {target}"),
            Self::Mute(target) => write!(f, "mute {target}"),
            Self::Partial => f.write_str("partial cut"),
            Self::Flap(target) => write!(f, "flap {target}"),
            Self::Delay(ms) => write!(f, "delay {ms} ms"),
            Self::Reset => f.write_str("reset"),
            Self::Roll => f.write_str("rolling restart"),
            Self::Wipe => f.write_str("wipe follower"),
            Self::Clock(target, s) => write!(f, "clock {target} {s:+} s"),
            Self::SlowDisk(target) => write!(f, "slow disk {target}"),
            Self::FullDisk(target) => write!(f, "full disk {target}"),
            Self::SyncError(target) => write!(f, "sync error {target}"),
        }
    }
}

/// Faults that hold together for a while, and the calm after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) faults: Vec<Fault>,
    pub(crate) length_ms: u64,
    pub(crate) calm_ms: u64,
}

/// Steps without end. Every fault comes once before any comes again.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    choices: Choices,
    deck: Vec<Fault>,
    all: Vec<Fault>,
    longest_ms: u64,
}

impl Plan {
    /// The plan of `seed` for the chosen `families`. Nothing lasts longer than `longest_ms`, but for what takes its
    /// own time.
    pub(crate) fn new(seed: u64, families: &[Family], longest_ms: u64) -> Self {
        let all: Vec<Fault> = families.iter().flat_map(|family| family.faults()).collect();
        Self {
            choices: Choices::new(seed, 0),
            deck: Vec::new(),
            all,
            longest_ms,
        }
    }

    fn draw(&mut self) -> Option<Fault> {
        if self.deck.is_empty() {
            self.deck = self.all.clone();
            self.choices.shuffle(&mut self.deck);
        }
        self.deck.pop()
    }
}

impl Iterator for Plan {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let mut faults = vec![self.draw()?];
        if self.choices.once_in(3) {
            let can_join = |next: &Fault| faults.iter().all(|first| joins(*first, *next));
            if let Some(next) = self.deck.last().copied().filter(can_join) {
                self.deck.pop();
                faults.push(next);
            }
        }
        let length_ms = match self.choices.below(8) {
            0 => self.choices.between(5_000, self.longest_ms.max(5_000)),
            1 | 2 => self.choices.between(200, 1_000),
            _ => self.choices.between(1_000, 4_500),
        };
        Some(Step {
            faults,
            length_ms: length_ms.min(self.longest_ms),
            calm_ms: self.choices.between(700, 2_500),
        })
    }
}

fn joins(first: Fault, next: Fault) -> bool {
    first != next && !first.is_alone() && !next.is_alone()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn steps(seed: u64, count: usize) -> Vec<Step> {
        Plan::new(seed, &Family::OUTSIDE, 20_000)
            .take(count)
            .collect()
    }

    #[test]
    fn a_seed_makes_one_plan_and_another_seed_another() {
        assert_eq!(steps(7, 50), steps(7, 50));
        assert_ne!(steps(7, 50), steps(8, 50));
    }

    #[test]
    fn every_fault_comes_before_any_comes_again() {
        let faults: Vec<Fault> = Family::OUTSIDE.iter().flat_map(|f| f.faults()).collect();
        let drawn: Vec<Fault> = steps(3, 60)
            .into_iter()
            .flat_map(|step| step.faults)
            .collect();
        let first: HashSet<Fault> = drawn.iter().take(faults.len()).copied().collect();
        assert_eq!(first, faults.into_iter().collect());
    }

    #[test]
    fn a_lost_disk_comes_alone() {
        for step in (0..40).flat_map(|seed| steps(seed, 40)) {
            let is_alone = step.faults.len() == 1;
            assert!(is_alone || !step.faults.contains(&Fault::Wipe), "{step:?}");
        }
    }

    #[test]
    fn without_families_there_are_no_steps() {
        assert_eq!(Plan::new(1, &[], 9_000).next(), None);
    }
}
