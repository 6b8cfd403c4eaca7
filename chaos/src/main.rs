//! How Quorate is broken on purpose: real processes are killed while clients log in, verify and log out, and every
//! answer is judged against the promises.
//!
//! `cargo run -p quorate-chaos -- --binary target/debug/quorate --seed 7 --seconds 30`. It knows Quorate from outside
//! only. Exit code 0: nothing was broken and enough was seen; 1: a promise was broken; 2: too little was seen to tell.

mod client;
mod cluster;
mod history;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use history::Verdict;

/// Break a cluster on purpose and say whether a promise broke with it.
#[derive(Parser)]
struct Options {
    /// The `quorate` to run.
    #[arg(long, default_value = "target/debug/quorate")]
    binary: PathBuf,
    /// Chooses who is killed when, and what clients do. The same seed makes the same choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to go on.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 4)]
    clients: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    println!(
        "seed {}, {} s, {} clients",
        options.seed, options.seconds, options.clients
    );
    let length = Duration::from_secs(options.seconds);
    let report = match run::run(&options.binary, options.seed, length, options.clients) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("quorate-chaos: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{report}");
    match report.verdict {
        Verdict::Kept => ExitCode::SUCCESS,
        Verdict::Broken => ExitCode::from(1),
        Verdict::Unknown => ExitCode::from(2),
    }
}
