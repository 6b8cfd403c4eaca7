//! The command line: which commands exist, what their flags are called, and which exit code a
//! command ends with. It decides nothing about authentication; every command lives in a file of
//! its own below `cli/`.
//!
//! Exit codes: 0 done, 1 the command failed, 64 the command line was wrong (`EX_USAGE` of BSD's
//! sysexits). Names and flags are Authelia's where Authelia has the command.

mod access_control;
mod build_info;
mod certificates;
mod cluster;
mod completions;
mod config;
mod crypto;
mod demo;
mod failure;
mod manual;
mod node;
mod serve;
mod session;
mod storage;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;

const EXAMPLES: &str = "\
Examples:
  quorate demo                                   see it work: three nodes, two guarded sites
  quorate config validate --config config.yml    check a configuration, all errors at once
  quorate serve --config config.yml              run a node; so does `quorate --config config.yml`
  quorate access-control check-policy --url https://app.example.com    which rule decides, and why
  quorate crypto hash generate argon2            hash a password for users_database.yml
  quorate cluster status                         what the node on this machine sees
  quorate certificates generate --host example.com --dir certs

Exit codes: 0 done, 1 failed, 64 wrong usage.";

/// Highly available authentication for reverse proxies: logins, sessions and lockouts replicated
/// by Raft inside one binary.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, about, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// With `--config` alone the command is `serve`, as in `authelia --config FILE`.
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node.
    Serve(serve::Serve),
    /// Show Quorate at work on this machine: three nodes, a gateway and guarded sample sites.
    Demo(demo::Demo),
    /// Look at configuration files.
    #[command(subcommand)]
    Config(config::Config),
    /// Look at access rules.
    #[command(subcommand)]
    AccessControl(access_control::AccessControl),
    /// Make TLS certificates.
    #[command(subcommand)]
    Certificates(certificates::Certificates),
    /// Hash passwords; make random strings, keys and certificates.
    #[command(subcommand)]
    Crypto(crypto::Crypto),
    /// Look after the cluster that the node on this machine belongs to.
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// See who is logged in, and end sessions.
    #[command(subcommand)]
    Session(session::Session),
    /// Look after what the members keep: bans, users and their second factors.
    #[command(subcommand)]
    Storage(storage::Storage),
    /// Print completions for a shell.
    Completions(completions::Completions),
    /// Write the manual pages.
    Manual(manual::Manual),
    /// Say what this binary is.
    BuildInfo,
    /// The older name of `config validate`.
    #[command(hide = true)]
    ValidateConfig(config::ConfigFiles),
}

/// Runs the command that `arguments` name (the first one is the program itself) and returns the
/// code to exit with.
///
/// Errors are printed to standard error, one line with the whole chain of causes.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refused) => return print_refusal(&refused),
    };
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "quorate: {}", failure.chain());
            failure.exit_code()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Some(Command::Serve(command)) => command.run(),
        Some(Command::Demo(command)) => command.run(),
        Some(Command::Config(command)) => command.run(),
        Some(Command::AccessControl(command)) => command.run(),
        Some(Command::Certificates(command)) => command.run(),
        Some(Command::Crypto(command)) => command.run(),
        Some(Command::Cluster(command)) => command.run(),
        Some(Command::Session(command)) => command.run(),
        Some(Command::Storage(command)) => command.run(),
        Some(Command::Completions(command)) => command.run(&mut Cli::command()),
        Some(Command::Manual(command)) => command.run(Cli::command()),
        Some(Command::ValidateConfig(files)) => config::Config::Validate(files).run(),
        Some(Command::BuildInfo) => build_info::run(),
        None if cli.serve.config_files().are_named() => cli.serve.run(),
        None => {
            let help = Cli::command().render_help();
            Err(Failure::Usage(format!("a command is needed\n\n{help}")))
        }
    }
}

/// Help and version go to standard output and are a success; anything else is wrong usage.
fn print_refusal(refused: &clap::Error) -> ExitCode {
    let _ = refused.print();
    if refused.use_stderr() {
        ExitCode::from(failure::EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests;
