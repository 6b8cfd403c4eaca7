//! The command line as people and scripts see it: what the program prints, which files it writes, and how it ends.

mod config;
mod crypto;
mod explain;
mod serve;
mod shell;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder in which the program is run, without any variable that means something to it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(&path, text).expect("write");
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// Runs `quorate` with these arguments.
    fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(&[], arguments)
    }

    /// The same, with variables.
    fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut command = program(self.0.path());
        command.envs(variables.iter().copied()).args(arguments);
        let output = command.output().expect("quorate runs");
        Said::from((format!("quorate {}", arguments.join(" ")), output))
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

/// What a command said and how it ended.
struct Said {
    line: String,
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<(String, Output)> for Said {
    fn from((line, output): (String, Output)) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self {
            line,
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Said {
    /// What it printed; it must have ended with 0.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(
            self.code,
            Some(0),
            "{}\n{}{}",
            self.line,
            self.out,
            self.err
        );
        self.out
    }

    /// What it complained of; it must have ended with `code` and have printed nothing.
    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n{}{}",
            self.line,
            self.out,
            self.err
        );
        assert_eq!(self.out, "", "{}", self.line);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}
