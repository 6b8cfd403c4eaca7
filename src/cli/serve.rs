//! `quorate serve`: runs one node until it is told to stop.

use clap::Args;

use super::config::ConfigFiles;
use super::failure::{AnyError, Failure};
use crate::config::Selection;

const EXAMPLES: &str = "\
Examples:
  quorate serve --config /etc/quorate/configuration.yml
  quorate serve --config base.yml --config secrets.yml    later files win, key by key
  QUORATE_CONFIG=base.yml,secrets.yml quorate serve";

/// Run a node.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFiles,
    /// End at once when the process with this id, the parent, has ended (used by `quorate demo`).
    #[arg(long, value_name = "PID", hide = true)]
    die_with_parent: Option<i32>,
}

impl Serve {
    pub(super) fn config_files(&self) -> &ConfigFiles {
        &self.config
    }

    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(parent) = self.die_with_parent {
            die_with_parent(parent)?;
        }
        serve(self.config.selection()?).map_err(Failure::while_doing("cannot serve"))
    }
}

/// As many worker threads as there are cores; what a password check costs happens elsewhere.
fn serve(selection: Selection) -> Result<(), AnyError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(crate::serve::run(selection))?)
}

/// Asks the kernel to kill this process when its parent ends, and makes sure that the parent has
/// not ended before it could be asked.
#[cfg(target_os = "linux")]
fn die_with_parent(parent: i32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Failure::while_doing(
        "cannot tie this process to its parent",
    ))?;
    let now = getppid().map(|pid| pid.as_raw_nonzero().get());
    if now == Some(parent) {
        return Ok(());
    }
    Err(Failure::because(format!(
        "the parent process {parent} has already ended"
    )))
}

/// Only Linux can tie a process to its parent; elsewhere a child outlives a killed demo.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_parent: i32) -> Result<(), Failure> {
    Ok(())
}
