//! Prometheus' own checker.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::harness::tool;

/// Runs `promtool` in the folder of the repository, with `input` as its standard input.
pub(super) fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(tool("promtool"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start promtool");
    let mut stdin = child.stdin.take().expect("its standard input");
    stdin.write_all(input.as_bytes()).expect("write to it");
    drop(stdin);
    child.wait_with_output().expect("wait for promtool")
}

/// Everything that it printed.
pub(super) fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}
