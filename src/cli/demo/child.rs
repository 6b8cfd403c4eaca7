//! One node's process: started, watched, announced when it dies, and started again.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::member::{Members, Process, change};
use super::plan::NodePlan;

/// How long a dead node stays down: long enough to browse without it.
pub(super) const RESTART_AFTER: Duration = Duration::from_secs(5);

/// How long a node may take to stop when asked to, before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The start of names of environment variables that configure a node. The visitor's own must not
/// reach the demo's nodes.
const CONFIGURING: [&str; 3] = ["AUTHELIA_", "X_AUTHELIA_", "QUORATE_"];

/// What every supervisor shares.
#[derive(Clone)]
pub(super) struct Supervision {
    /// The program to run, this one.
    pub(super) program: PathBuf,
    pub(super) members: Members,
    /// How long a dead node stays down.
    pub(super) restart_after: Duration,
    /// What the visitor is told.
    pub(super) news: mpsc::UnboundedSender<String>,
    /// Turns true when everything should stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Keeps the node running until told to stop; then stops it and returns.
pub(super) async fn supervise(node: NodePlan, mut shared: Supervision) {
    let mut starts: u32 = 0;
    loop {
        let told = match start(&node, &shared) {
            Ok(child) => match run(&node, child, starts, &mut shared).await {
                Some(ended) => ended,
                None => return,
            },
            Err(cause) => format!("{} cannot be started: {cause}", node.name),
        };
        starts += 1;
        let seconds = shared.restart_after.as_secs_f32().ceil();
        // The screen may be gone already when the demo stops.
        let _ = shared
            .news
            .send(format!("{told}; it is started again in {seconds} s"));
        let until = Instant::now() + shared.restart_after;
        change(&shared.members, node.name, |member| {
            member.process = Process::Down(until);
            member.status = None;
        });
        if timeout(shared.restart_after, is_told(&mut shared.stop))
            .await
            .is_ok()
        {
            return;
        }
    }
}

/// Waits for the end of `child` and describes it; none if it was stopped because all should.
async fn run(
    node: &NodePlan,
    mut child: Child,
    starts: u32,
    shared: &mut Supervision,
) -> Option<String> {
    let pid = child.id().unwrap_or_default();
    change(&shared.members, node.name, |member| {
        member.process = Process::Running(pid)
    });
    if starts > 0 {
        let _ = shared
            .news
            .send(format!("{} is back (pid {pid})", node.name));
    }
    tokio::select! {
        ended = child.wait() => Some(match ended {
            Ok(status) => format!("{} (pid {pid}) {}", node.name, describe(status)),
            Err(cause) => format!("{} (pid {pid}) was lost: {cause}", node.name),
        }),
        () = is_told(&mut shared.stop) => {
            stop(&mut child).await;
            None
        }
    }
}

/// Returns once `stop` is true, or once nobody is left who could say so.
async fn is_told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|told| *told).await;
}

fn start(node: &NodePlan, shared: &Supervision) -> std::io::Result<Child> {
    let log = open_log(node)?;
    let names = std::env::vars_os().map(|(name, _)| name);
    command(node, &shared.program, names)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// The command that serves `node`, free of those variables among `names` that configure a node.
fn command(node: &NodePlan, program: &Path, names: impl Iterator<Item = OsString>) -> Command {
    let mut command = Command::new(program);
    for name in names {
        let text = name.to_string_lossy();
        if CONFIGURING.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
        .args([
            "serve",
            "--die-with-parent",
            &std::process::id().to_string(),
            "--config",
        ])
        .arg(&node.config)
        // Ctrl-C reaches the whole group of the terminal; the nodes should stop when the demo says.
        .process_group(0)
        .kill_on_drop(true);
    command
}

fn open_log(node: &NodePlan) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&node.log)
}

/// Asks the process to stop, and kills it if it does not.
async fn stop(child: &mut Child) {
    let pid = child
        .id()
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        // It may have ended by itself in this moment.
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(STOP_WITHIN, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "was killed".into(),
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, code) => format!(
            "ended by itself with exit code {}",
            code.unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests;
