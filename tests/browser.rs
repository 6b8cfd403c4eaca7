//! A real Chromium, driven through the demo: what a person sees, with the leader killed in between.
//!
//! The steps are in `tests/browser/walk.py`, because the driver's library is Python's; here the demo is started, its
//! words are read, and the two meet.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Process, until};

/// The port and the process id of the leader, from what the demo prints.
fn announced(output: &str) -> Option<(String, String)> {
    let port = output
        .split("https://one.quorate.localhost:")
        .nth(1)?
        .split_whitespace()
        .next()?;
    let leader = output.split("kill -9 ").nth(1)?.split_whitespace().next()?;
    Some((port.to_owned(), leader.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_walks_through_the_demo_while_the_leader_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(["demo", "--port", "0"]);
    let demo = Process::start("demo", command, folder.path());
    until("the demo is ready", Duration::from_secs(60), || async {
        announced(&demo.output()).is_some()
    })
    .await;
    let (port, leader) = announced(&demo.output()).expect("announced");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = std::env::var("QUORATE_TEST_VENV").unwrap_or_else(|_| "target/test-venv".to_owned());
    let walk = Command::new(root.join(&venv).join("bin/python"))
        .arg(root.join("tests/browser/walk.py"))
        .args(["--port", &port, "--leader", &leader, "--screenshots"])
        .arg(root.join("target/screenshots"))
        .arg("--axe")
        .arg(
            root.join(&venv)
                .join("axe/axe_playwright_python/axe.min.js"),
        )
        .output()
        .expect("tests/setup makes the virtual environment");
    let said = String::from_utf8_lossy(&walk.stdout) + String::from_utf8_lossy(&walk.stderr);
    println!("{said}");
    assert!(walk.status.success(), "{said}\n{}", demo.output());
}
