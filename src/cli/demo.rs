//! `quorate demo`: three nodes, a gateway and guarded sample sites on this machine, with nothing to
//! prepare. The nodes are ordinary ones: three processes of this program with ordinary
//! configuration files in a temporary directory.

mod child;
mod files;
mod gateway;
mod listen;
mod member;
mod plan;
mod poll;
mod run;
mod screen;
mod site;
mod upstream;
mod welcome;

use clap::Args;

use super::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  quorate demo
  quorate demo --port 9443     beside something that uses port 8443

Then open https://quorate.localhost:8443, log in, and kill the leader with the line that the demo
prints. Everything is removed again when the demo ends.";

/// Show Quorate at work on this machine: three nodes, a gateway and guarded sample sites.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Port of the gateway on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// End as soon as the first page was served, for tests.
    #[arg(long, hide = true)]
    exit_after_ready: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        // Several threads, so that a terminal that stops reading stops the screen alone. They live
        // as long as the runtime; a node dies with the thread that started it, and these do not
        // end early.
        let runtime = tokio::runtime::Runtime::new()
            .map_err(Failure::while_doing("cannot start the demo"))?;
        runtime.block_on(run::demo(self))
    }
}
