//! What the command line accepts.

use super::*;

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

fn command(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn config_of(line: &str) -> Vec<String> {
    let cli = command(line).expect("parses");
    let files = match &cli.command {
        Some(Command::Serve(serve)) => serve.config_files(),
        Some(Command::Config(config::Config::Validate(files))) => files,
        None => cli.serve.config_files(),
        other => panic!("not a command with a configuration: {other:?}"),
    };
    files
        .selection()
        .expect("no filter is named")
        .files
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn configuration_files_come_repeated_or_separated_by_commas() {
    for line in [
        "quorate serve --config a --config b",
        "quorate serve -c a,b",
        "quorate config validate --config=a,b",
        "quorate --config a --config b",
    ] {
        assert_eq!(config_of(line), ["a", "b"], "{line}");
    }
}

#[test]
fn wrong_usage_and_help_have_their_exit_codes() {
    let code = |line: &str| run(line.split_whitespace().map(OsString::from));
    assert_eq!(code("quorate --help"), ExitCode::SUCCESS);
    assert_eq!(code("quorate serve --bogus"), ExitCode::from(64));
    assert_eq!(code("quorate frobnicate"), ExitCode::from(64));
    assert_eq!(
        code("quorate config validate --config /nowhere.yml"),
        ExitCode::FAILURE
    );
}
