//! `quorate config …`, and the flag that names configuration files wherever it appears.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::failure::{Failure, cannot_print};
use super::node::NodeArgs;
use crate::admin::answer::Reloaded;
use crate::config::{Filter, Problem, Selection, reference};
use crate::serve::Prepared;

/// Where the files are named when the flag is not given; the first that is set counts. The second is
/// Authelia's.
const VARIABLES: [&str; 2] = ["QUORATE_CONFIG", "X_AUTHELIA_CONFIG"];

/// Where filters are named when the flag is not given; the second is Authelia's.
const FILTER_VARIABLES: [&str; 2] = ["QUORATE_CONFIG_FILTERS", "X_AUTHELIA_CONFIG_FILTERS"];

/// What Authelia reads when nothing names a file.
const DEFAULT_FILE: &str = "configuration.yml";

/// The configuration files of a command, in the order in which they apply.
#[derive(Debug, Args)]
pub(super) struct ConfigFiles {
    /// Configuration file or directory; repeat it or separate several with commas, later ones
    /// win [default: configuration.yml] [env: QUORATE_CONFIG, X_AUTHELIA_CONFIG]
    #[arg(short, long, value_name = "FILE", value_delimiter = ',')]
    config: Vec<PathBuf>,
    /// Filters that every file goes through: `template`, `expand-env`
    /// [env: QUORATE_CONFIG_FILTERS, X_AUTHELIA_CONFIG_FILTERS]
    #[arg(
        long = "config.experimental.filters",
        alias = "config.filters",
        value_name = "FILTER",
        value_delimiter = ','
    )]
    filters: Vec<String>,
}

impl ConfigFiles {
    /// Whether a flag or a variable names a file.
    pub(super) fn are_named(&self) -> bool {
        !self.config.is_empty()
            || from_environment(VARIABLES, |name| std::env::var_os(name)).is_some()
    }

    /// Files and filters: those of the flags, else those of the environment, else the default.
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        let mut files = self.config.clone();
        if files.is_empty() {
            let named = from_environment(VARIABLES, |name| std::env::var_os(name));
            files = named.map_or_else(
                || vec![DEFAULT_FILE.into()],
                |names| names.into_iter().map(PathBuf::from).collect(),
            );
        }
        let mut names = self.filters.clone();
        if names.is_empty() {
            names = from_environment(FILTER_VARIABLES, |name| std::env::var_os(name))
                .unwrap_or_default();
        }
        let filters = names
            .iter()
            .map(|name| filter(name))
            .collect::<Result<_, _>>()?;
        Ok(Selection { files, filters })
    }
}

impl ConfigFiles {
    /// The checked configuration, without the files it names.
    pub(super) fn read(&self) -> Result<crate::config::Config, Failure> {
        crate::serve::configuration(&self.selection()?).map_err(mistakes)
    }
}

fn filter(name: &str) -> Result<Filter, Failure> {
    Filter::parse(name.trim()).ok_or_else(|| {
        Failure::Usage(format!(
            "`{name}` is not a filter; the filters are `template` and `expand-env`"
        ))
    })
}

/// The items of the first variable that is set and not empty; `read` looks one up.
fn from_environment(
    variables: [&str; 2],
    read: impl Fn(&str) -> Option<OsString>,
) -> Option<Vec<String>> {
    let value = variables
        .iter()
        .filter_map(|name| read(name))
        .find(|value| !value.is_empty())?;
    Some(
        value
            .to_string_lossy()
            .split(',')
            .map(str::to_owned)
            .collect(),
    )
}

/// Look at configuration files.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Check configuration files, and the users, certificate and key they name; print every mistake with key and line.
    #[command(
        after_help = "Example:\n  quorate config validate --config /etc/quorate/configuration.yml"
    )]
    Validate(ConfigFiles),
    /// Print configuration files as they are after their filters. Secrets are printed, too.
    #[command(
        after_help = "Example:\n  quorate config template --config.experimental.filters template --config /etc/quorate/configuration.yml"
    )]
    Template(ConfigFiles),
    /// Make the node on this machine read its access rules, users, certificate and key again, as SIGHUP does. With a
    /// mistake in any file everything stays as it was, and every mistake is printed with key and line.
    #[command(
        after_help = "Example:\n  quorate config reload --config /etc/quorate/configuration.yml"
    )]
    Reload(NodeArgs),
    /// Print every key with its type, its default and what becomes of it; or the JSON schema, for editors.
    #[command(
        after_help = "Example:\n  quorate config reference --format json-schema > configuration.schema.json"
    )]
    Reference {
        /// How it is printed.
        #[arg(long, value_enum, default_value_t = ReferenceFormat::Markdown)]
        format: ReferenceFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReferenceFormat {
    /// A page for people.
    Markdown,
    /// JSON Schema, draft 2020-12.
    JsonSchema,
}

impl Config {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Validate(files) => {
                let prepared = crate::serve::prepare(&files.selection()?)
                    .map_err(Failure::while_doing("the configuration is not valid"))?;
                report(&prepared).map_err(cannot_print)
            }
            Self::Reload(node) => {
                let reloaded: Reloaded = node.ask("/v1/reload", &())?;
                node.print(&reloaded, taken_over)
            }
            Self::Reference { format } => {
                let text = match format {
                    ReferenceFormat::Markdown => reference::markdown(),
                    ReferenceFormat::JsonSchema => reference::json_schema(),
                };
                write!(std::io::stdout(), "{text}").map_err(cannot_print)
            }
            Self::Template(files) => {
                let texts = crate::serve::rendered(&files.selection()?).map_err(mistakes)?;
                print_texts(&texts).map_err(cannot_print)
            }
        }
    }
}

fn mistakes(problems: Vec<Problem>) -> Failure {
    Failure::because(crate::serve::Failure::Mistakes(problems).to_string())
}

/// One document per file, so that each can be told from the next.
fn print_texts(texts: &[(String, String)]) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for (file, text) in texts {
        writeln!(out, "---\n## File: {file}\n##\n{}", text.trim_end())?;
    }
    Ok(())
}

/// Says what was found to be in order, after whatever the operator should read once.
fn report(prepared: &Prepared) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let of_users = prepared.users.notices();
    for notice in prepared.config.notices.iter().chain(&of_users) {
        writeln!(out, "notice: {notice}")?;
    }
    let rules = counted(prepared.config.access.rules.len(), "access rule");
    let users = match prepared.users.file() {
        Some(file) => counted(file.current().len(), "user"),
        None => "users in the cluster".to_owned(),
    };
    writeln!(out, "The configuration is valid: {rules}, {users}.")
}

fn taken_over(reloaded: &Reloaded) -> String {
    let mut text: String = reloaded
        .notices
        .iter()
        .map(|notice| format!("notice: {notice}\n"))
        .collect();
    let rules = counted(reloaded.rules, "access rule");
    let users = counted(reloaded.users, "user");
    text += &format!("This node goes on with {rules}, {users}.\n");
    text
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> Option<Vec<String>> {
        from_environment(VARIABLES, |name| {
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
