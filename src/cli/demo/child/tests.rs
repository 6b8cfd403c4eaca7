//! A supervisor with a shell script in the place of a node.

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::cli::demo::member::Member;
use crate::cli::demo::plan::Plan;

/// How long anything in these tests may take.
const BOUND: Duration = Duration::from_secs(20);

struct Stage {
    node: NodePlan,
    members: Members,
    told: mpsc::UnboundedReceiver<String>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    _dir: TempDir,
}

fn stage(program: &str, restart_after: Duration) -> Stage {
    let dir = tempfile::tempdir().expect("temporary directory");
    let node = Plan::make(dir.path(), 1, 2)
        .expect("planned")
        .nodes
        .remove(0);
    let (news, told) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let process = Process::Running(0);
    let member = Member {
        name: node.name,
        http_port: 1,
        process,
        status: None,
    };
    let members = Members::new(vec![member]);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
    let shared = Supervision {
        program,
        members: members.clone(),
        restart_after,
        news,
        stop: stopped,
    };
    let task = tokio::spawn(supervise(node.clone(), shared));
    Stage {
        node,
        members,
        told,
        stop,
        task,
        _dir: dir,
    }
}

impl Stage {
    /// Waits until the node's process is one for which `is_met` holds.
    async fn process(&self, is_met: impl Fn(Process) -> bool) -> Process {
        let mut watched = self.members.subscribe();
        let met = timeout(BOUND, watched.wait_for(|all| is_met(all[0].process))).await;
        met.expect("in time").expect("still supervised")[0].process
    }

    async fn running(&self, other_than: u32) -> u32 {
        let is_new =
            |process| matches!(process, Process::Running(pid) if pid != 0 && pid != other_than);
        match self.process(is_new).await {
            Process::Running(pid) => pid,
            Process::Down(_) => unreachable!("waited for a running process"),
        }
    }

    async fn news(&mut self) -> String {
        timeout(BOUND, self.told.recv())
            .await
            .expect("in time")
            .expect("still supervised")
    }

    /// Waits until the log holds `text`, and returns all of it.
    async fn log(&self, text: &str) -> String {
        let read = async {
            loop {
                let log = std::fs::read_to_string(&self.node.log).unwrap_or_default();
                if log.contains(text) {
                    return log;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(BOUND, read).await.expect("in time")
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_killed_node_is_announced_and_started_again() {
    let mut stage = stage("tests/data/demo-node.sh", Duration::from_millis(10));
    let first = stage.running(0).await;
    let raw = Pid::from_raw(i32::try_from(first).expect("a process id")).expect("not zero");
    kill_process(raw, Signal::KILL).expect("killed");
    let told = stage.news().await;
    assert_eq!(
        told,
        format!("n1 (pid {first}) was killed; it is started again in 1 s")
    );
    let second = stage.running(first).await;
    assert_eq!(stage.news().await, format!("n1 is back (pid {second})"));
    stage.stop.send(true).expect("heard");
    timeout(BOUND, stage.task)
        .await
        .expect("in time")
        .expect("no panic");
    assert!(!is_alive(second));
}

#[tokio::test]
async fn a_node_is_called_with_its_file_and_told_to_stop() {
    let stage = stage("tests/data/demo-node.sh", Duration::from_secs(60));
    let log = stage.log("running").await;
    let own = std::process::id();
    let config = stage.node.config.display();
    let expected = format!("called with: serve --die-with-parent {own} --config {config}\n");
    assert!(log.starts_with(&expected), "{log}");
    let pid = stage.running(0).await;
    stage.stop.send(true).expect("heard");
    stage.log("told to stop").await;
    timeout(BOUND, stage.task)
        .await
        .expect("in time")
        .expect("no panic");
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_node_that_is_down() {
    let mut stage = stage("tests/data/no-such-program", Duration::from_secs(600));
    let told = stage.news().await;
    assert!(told.starts_with("n1 cannot be started: "), "{told}");
    stage
        .process(|process| matches!(process, Process::Down(_)))
        .await;
    stage.stop.send(true).expect("heard");
    timeout(BOUND, stage.task)
        .await
        .expect("in time")
        .expect("no panic");
}

#[tokio::test]
async fn the_visitors_environment_does_not_configure_a_node() {
    let stage = stage("tests/data/no-such-program", Duration::from_secs(600));
    let names = [
        "PATH",
        "QUORATE_CONFIG",
        "AUTHELIA_THEME",
        "X_AUTHELIA_CONFIG",
        "XQUORATE_X",
    ];
    let command = command(
        &stage.node,
        Path::new("x"),
        names.into_iter().map(OsString::from),
    );
    let removed: Vec<_> = command.as_std().get_envs().collect();
    let expected = ["AUTHELIA_THEME", "QUORATE_CONFIG", "X_AUTHELIA_CONFIG"];
    assert_eq!(
        removed,
        expected.map(|name| (std::ffi::OsStr::new(name), None))
    );
}
