//! Single promises put to the test a stated number of times, with figures for the documentation. Nothing is chosen by a
//! nemesis here: each command does one thing again and again.

mod failover;
mod figures;
mod guesses;
mod logouts;
mod outages;
mod restarts;
mod stage;
mod timing;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::check::Verdict;
use stage::Order;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Kill the leader again and again under load: time to the next login, failed verifies, lost logins.
    Failover(Trials<100>),
    /// Log in and out at one node, and look at all others at once.
    Logouts(Trials<10_000>),
    /// Log out while one node is cut off, deaf, mute, or stopped and woken up, and look at it.
    Outages(Trials<60>),
    /// A hundred logins at once over all nodes, one of them right; then fifty right ones at once.
    Guesses(Trials<200>),
    /// Kill all nodes at once and start them again: time until all serve, lost logins and logouts.
    Restarts(Trials<100>),
    /// Refuse logins for every cause, at rest and under load, and compare how long that takes.
    Timing(Trials<300>),
    /// A few rounds of each of these, with three nodes; durations are printed and not judged.
    Short(Trials<4>),
}

/// How often, and with what.
#[derive(Args)]
pub(crate) struct Trials<const USUAL: u64> {
    /// The `quorate` to run.
    #[arg(long, default_value = "target/debug/quorate")]
    binary: PathBuf,
    /// How often [default: what the documentation says]
    #[arg(long)]
    // No default of clap's: it keeps one for all values of `USUAL`.
    count: Option<u64>,
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=7))]
    nodes: u8,
    /// Where files, logs and data are left. Emptied first.
    #[arg(long, default_value = "target/evidence")]
    out: PathBuf,
}

/// One line of the result, and whether it is what was promised.
struct Line {
    text: String,
    holds: bool,
}

impl Line {
    fn new(holds: bool, text: String) -> Self {
        Self { text, holds }
    }
}

impl Evidence {
    /// Runs it and prints what was found.
    ///
    /// # Errors
    /// The cluster cannot be started, or a process cannot be signalled.
    pub(crate) fn run(self) -> io::Result<Verdict> {
        let lines = match self {
            Self::Failover(trials) => failover::run(&trials.into())?,
            Self::Logouts(trials) => logouts::run(&trials.into())?,
            Self::Outages(trials) => outages::run(&trials.into())?,
            Self::Guesses(trials) => guesses::run(&trials.into())?,
            Self::Restarts(trials) => restarts::run(&trials.into())?,
            Self::Timing(trials) => timing::run(&trials.into())?,
            Self::Short(trials) => short(&trials.into())?,
        };
        for line in &lines {
            let mark = if line.holds { "ok   " } else { "BROKE" };
            println!("{mark} {}", line.text);
        }
        let holds = lines.iter().all(|line| line.holds);
        Ok(if holds {
            Verdict::Passed
        } else {
            Verdict::Violated
        })
    }
}

/// Some of everything.
fn short(order: &Order) -> io::Result<Vec<Line>> {
    let part = |name: &str, count: u64| Order {
        count,
        folder: order.folder.join(name),
        judges_durations: false,
        ..order.clone()
    };
    let count = order.count;
    let mut lines = failover::run(&part("failover", count))?;
    lines.extend(logouts::run(&part("logouts", count * 25))?);
    lines.extend(outages::run(&part("outages", count))?);
    lines.extend(guesses::run(&part("guesses", count))?);
    lines.extend(restarts::run(&part("restarts", count))?);
    lines.extend(timing::run(&part("timing", count * 2))?);
    Ok(lines)
}

impl<const USUAL: u64> From<Trials<USUAL>> for Order {
    fn from(trials: Trials<USUAL>) -> Self {
        Self {
            binary: trials.binary,
            count: trials.count.unwrap_or(USUAL).max(1),
            nodes: usize::from(trials.nodes),
            folder: trials.out,
            judges_durations: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(subcommand)]
        evidence: Evidence,
    }

    #[test]
    fn each_command_has_a_usual_count_of_its_own() {
        let count = |arguments: &[&str]| {
            let all = [&["evidence"], arguments].concat();
            match CommandLine::try_parse_from(all).unwrap().evidence {
                Evidence::Failover(trials) => Order::from(trials).count,
                Evidence::Logouts(trials) => Order::from(trials).count,
                Evidence::Guesses(trials) => Order::from(trials).count,
                _ => 0,
            }
        };
        assert_eq!(count(&["failover"]), 100);
        assert_eq!(count(&["logouts"]), 10_000);
        assert_eq!(count(&["guesses"]), 200);
        assert_eq!(count(&["logouts", "--count", "7"]), 7);
    }
}
