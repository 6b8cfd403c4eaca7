//! `quorate config …`, and the flag that names configuration files wherever it appears.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::{Failure, cannot_print};
use crate::serve::Prepared;

/// Where the files are named when the flag is not given; the first that is set counts. The second is
/// Authelia's.
const VARIABLES: [&str; 2] = ["QUORATE_CONFIG", "X_AUTHELIA_CONFIG"];

/// What Authelia reads when nothing names a file.
const DEFAULT_FILE: &str = "configuration.yml";

/// The configuration files of a command, in the order in which they apply.
#[derive(Debug, Args)]
pub(super) struct ConfigFiles {
    /// Configuration file or directory; repeat it or separate several with commas, later ones
    /// win [default: configuration.yml] [env: QUORATE_CONFIG, X_AUTHELIA_CONFIG]
    #[arg(short, long, value_name = "FILE", value_delimiter = ',')]
    config: Vec<PathBuf>,
}

impl ConfigFiles {
    /// Whether a flag or a variable names a file.
    pub(super) fn are_named(&self) -> bool {
        !self.config.is_empty() || from_environment(|name| std::env::var_os(name)).is_some()
    }

    /// The files: those of the flag, else those of the environment, else the default one.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        if !self.config.is_empty() {
            return self.config.clone();
        }
        from_environment(|name| std::env::var_os(name)).unwrap_or_else(|| vec![DEFAULT_FILE.into()])
    }
}

/// Reads the first variable that is set and not empty; `read` looks one up.
fn from_environment(read: impl Fn(&str) -> Option<OsString>) -> Option<Vec<PathBuf>> {
    let value = VARIABLES
        .iter()
        .filter_map(|name| read(name))
        .find(|value| !value.is_empty())?;
    Some(
        value
            .to_string_lossy()
            .split(',')
            .map(PathBuf::from)
            .collect(),
    )
}

/// Look at configuration files.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Check configuration files and print every problem with its key and line.
    #[command(
        after_help = "Example:\n  quorate config validate --config /etc/quorate/configuration.yml"
    )]
    Validate(ConfigFiles),
}

impl Config {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self::Validate(files) = self;
        let prepared = crate::serve::prepare(&files.paths())
            .map_err(Failure::while_doing("the configuration is not valid"))?;
        report(&prepared).map_err(cannot_print)
    }
}

/// Says what was found to be in order, after whatever the operator should read once.
fn report(prepared: &Prepared) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let users = prepared.users.current();
    for notice in prepared.config.notices.iter().chain(users.notices()) {
        writeln!(out, "notice: {notice}")?;
    }
    let rules = prepared.config.access.rules.len();
    writeln!(
        out,
        "The configuration is valid: {rules} access rules, {} users.",
        users.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> Option<Vec<PathBuf>> {
        from_environment(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_environment_names_files_and_our_own_variable_goes_first() {
        assert_eq!(paths(&[]), None);
        assert_eq!(paths(&[("QUORATE_CONFIG", "")]), None);
        assert_eq!(
            paths(&[("X_AUTHELIA_CONFIG", "a,b")]),
            Some(vec!["a".into(), "b".into()])
        );
        assert_eq!(
            paths(&[("X_AUTHELIA_CONFIG", "a"), ("QUORATE_CONFIG", "q")]),
            Some(vec!["q".into()])
        );
    }
}
