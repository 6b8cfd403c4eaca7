//! The flags of every command that asks the node on this machine, and the asking.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::ConfigFiles;
use super::failure::{Failure, cannot_print};
use crate::admin;
use crate::config::Config;

/// Which node, and how its answer is printed.
#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    #[command(flatten)]
    config: ConfigFiles,
    /// The node's admin socket [default: `admin.sock` in the configuration's `cluster.data_dir`]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// How the answer is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

impl NodeArgs {
    /// Sends `command` to the node and gives back its answer.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        command: &impl Serialize,
    ) -> Result<T, Failure> {
        let socket = self.socket()?;
        wait_for(admin::call(&socket, path, command))?
            .map_err(Failure::while_doing("the node did not do it"))
    }

    /// Prints `answer` as JSON if that is asked for, else what `text` makes of it.
    pub(super) fn print<T: Serialize>(
        &self,
        answer: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self.output {
            Output::Text => text(answer),
            Output::Json => {
                let json = serde_json::to_string_pretty(answer);
                json.map_err(Failure::while_doing("cannot print"))? + "\n"
            }
        };
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(cannot_print)
    }

    pub(super) fn socket(&self) -> Result<PathBuf, Failure> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        let config = self.configuration()?;
        Ok(admin::socket(&config.cluster.data_dir))
    }

    /// The configuration of this machine's node.
    pub(super) fn configuration(&self) -> Result<Config, Failure> {
        crate::serve::configuration(&self.config.selection()?).map_err(|problems| {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("  {problem}"))
                .collect();
            Failure::because(format!(
                "the configuration, which names the data directory of the node, cannot be used (name it with --config FILE or \
                 QUORATE_CONFIG):\n{}",
                lines.join("\n")
            ))
        })
    }
}

/// Runs `work` to its end, for commands that wait for the network.
pub(super) fn wait_for<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::while_doing("cannot ask the node"))?;
    Ok(runtime.block_on(work))
}
