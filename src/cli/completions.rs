//! `quorate completions SHELL`: what a shell completes, from the definition of the command line.

use std::io::Write as _;

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::{Failure, cannot_print};

const EXAMPLES: &str = "\
Examples:
  quorate completions bash > /etc/bash_completion.d/quorate
  quorate completions zsh > \"${fpath[1]}/_quorate\"
  quorate completions fish > ~/.config/fish/completions/quorate.fish";

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// For which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, definition: &mut Command) -> Result<(), Failure> {
        // Into memory first: the generator panics when a write fails, and standard output may be closed.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, definition, "quorate", &mut text);
        std::io::stdout().write_all(&text).map_err(cannot_print)
    }
}
