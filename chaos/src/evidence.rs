//! Single promises put to the test a stated number of times, with figures for the documentation. Nothing is chosen by a
//! nemesis here: each command does one thing again and again.

mod failover;
mod figures;
mod guesses;
mod logouts;
mod restarts;
mod stage;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::check::Verdict;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Kill the leader again and again under load: time to the next login, failed verifies, lost logins.
    Failover(Trials<100>),
    /// Log in and out at one node, and look at all others at once.
    Logouts(Trials<10_000>),
    /// A hundred logins at once over all nodes, one of them right; then fifty right ones at once.
    Guesses(Trials<200>),
    /// Kill all nodes at once and start them again: time until all serve, lost logins and logouts.
    Restarts(Trials<100>),
}

/// How often, and with what.
#[derive(Args)]
pub(crate) struct Trials<const USUAL: u64> {
    /// The `quorate` to run.
    #[arg(long, default_value = "target/debug/quorate")]
    binary: PathBuf,
    /// How often.
    #[arg(long, default_value_t = USUAL)]
    count: u64,
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
            Self::Guesses(trials) => guesses::run(&trials.into())?,
            Self::Restarts(trials) => restarts::run(&trials.into())?,
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

impl<const USUAL: u64> From<Trials<USUAL>> for stage::Order {
    fn from(trials: Trials<USUAL>) -> Self {
        Self {
            binary: trials.binary,
            count: trials.count.max(1),
            folder: trials.out,
        }
    }
}
