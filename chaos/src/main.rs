//! How Quorate is broken on purpose: real processes are killed, paused and cut off while clients log in, verify, log
//! out and guess; every answer is judged against the promises.
//!
//! `cargo run -p quorate-chaos -- run --seed 7 --minutes 5 --nodes 3`. It knows Quorate from outside only. Exit code 0:
//! nothing was broken and enough was seen; 1: a promise was broken; 2: too little was seen to tell.

mod check;
mod choice;
mod client;
mod cluster;
mod evidence;
mod fault;
mod history;
mod link;
mod nemesis;
mod run;
mod sample;
mod summary;
mod workload;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use check::Verdict;
use fault::Family;
use run::Options;

/// Break a cluster on purpose and say whether a promise broke with it.
#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Do,
}

#[derive(Subcommand)]
enum Do {
    /// Start a cluster, break it for a while, and judge what clients saw.
    Run(Run),
    /// Put one promise to the test many times and print figures.
    #[command(subcommand)]
    Evidence(evidence::Evidence),
}

#[derive(Args)]
struct Run {
    /// The `quorate` to run.
    #[arg(long, default_value = "target/debug/quorate")]
    binary: PathBuf,
    /// Chooses what breaks when, and what clients do. The same seed makes the same choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to go on; fractions are allowed.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=7))]
    nodes: u8,
    /// What may go wrong; without it all that the binary can be put through.
    #[arg(long, value_delimiter = ',')]
    nemesis: Vec<Family>,
    /// Where everything is left: report, history, logs, data. Emptied first.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A bug to plant; needs a binary with the feature `chaos`.
    #[arg(long)]
    mutant: Option<String>,
}

impl Run {
    fn options(self) -> Options {
        let nodes = usize::from(self.nodes);
        let families = if self.nemesis.is_empty() {
            Family::OUTSIDE.to_vec()
        } else {
            self.nemesis
        };
        Options {
            binary: self.binary,
            folder: self
                .out
                .unwrap_or_else(|| run::default_folder(self.seed, nodes)),
            seed: self.seed,
            length: Duration::from_secs_f64(self.minutes.clamp(0.1, 1_440.0) * 60.0),
            nodes,
            families,
            mutant: self.mutant,
        }
    }
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Do::Run(command) => run(command),
        Do::Evidence(evidence) => evidence.run(),
    };
    match outcome {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Violated) => ExitCode::from(1),
        Ok(Verdict::Inconclusive) => ExitCode::from(2),
        Err(error) => {
            eprintln!("quorate-chaos: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Run) -> io::Result<Verdict> {
    let options = command.options();
    println!("{}", summary::head(&options));
    let outcome = run::run(&options)?;
    println!("{}", summary::text(&options, &outcome));
    Ok(outcome.verdict())
}
