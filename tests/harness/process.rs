//! A child process that cannot outlive its test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// How many lines of a log are shown when a test fails.
const SHOWN_LINES: usize = 40;

/// A running program whose output goes to a file. It is killed and waited for when this is dropped.
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `command` and appends its output to `NAME.log` in `folder`.
    pub(crate) fn start(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("open a log");
        let err = out.try_clone().expect("share a log");
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {name} ({command:?}): {error}; run tests/setup")
        });
        Self {
            name: name.to_owned(),
            log,
            child,
        }
    }

    /// Sends a signal. Says nothing if the process is gone already.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        let _gone = kill_process(pid, signal);
    }

    /// Ends it as `kill -9` does and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _gone = self.child.kill();
        self.child.wait().expect("wait for a child");
    }

    /// The exit status, if it has ended.
    pub(crate) fn try_exit(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask for a child")
    }

    /// All that it has written so far.
    pub(crate) fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        if std::thread::panicking() {
            let output = self.output();
            let lines: Vec<&str> = output.lines().collect();
            let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!(
                "--- end of {} ---\n{}\n",
                self.log.display(),
                shown.join("\n")
            );
        }
    }
}

/// A program that `tests/setup` installs: in `target/test-venv/bin`, on the `PATH`, or where Debian keeps the tools of
/// the system administrator.
pub(crate) fn tool(name: &str) -> PathBuf {
    let venv = std::env::var_os("QUORATE_TEST_VENV").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-venv"),
        PathBuf::from,
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(venv.join("bin"))
        .chain(std::env::split_paths(&path))
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; run tests/setup"))
}

/// Whether this test runs as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
