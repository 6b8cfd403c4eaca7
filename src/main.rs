//! The `quorate` binary: hands its arguments to the command line and its answer to the shell.

fn main() -> std::process::ExitCode {
    quorate::cli::run(std::env::args_os())
}
