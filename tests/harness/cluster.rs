//! A cluster of real `quorate serve` processes on 127.0.0.1, and what can be done to them.
//!
//! The binary is the one that Cargo built for these tests, or what `QUORATE_BINARY` names (a release build, say).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::settings::Place;
use super::{Authority, Client, Process, Request, Settings, Visitor, free_port, until};

/// The host name in the certificates of all nodes, and so what a proxy has to verify.
pub(crate) const NODES_NAME: &str = "quorate.internal";

/// How long a node may take to be ready. Far more than it should need, for slow machines.
const READY: Duration = Duration::from_secs(30);

/// The running nodes. Everything ends and is removed when this is dropped.
pub(crate) struct Cluster {
    // Nodes end before their folders vanish: fields are dropped in this order.
    nodes: Vec<Node>,
    authority: Authority,
    folder: TempDir,
}

/// One node: its files, its addresses, and its process while it runs.
pub(crate) struct Node {
    name: String,
    folder: PathBuf,
    configuration: PathBuf,
    http: SocketAddr,
    peer: SocketAddr,
    metrics: SocketAddr,
    grpc: SocketAddr,
    spoe: SocketAddr,
    client: Client,
    process: Mutex<Option<Process>>,
}

impl Cluster {
    /// Writes all files, starts all nodes and waits until every one says that it can serve.
    pub(crate) async fn start(settings: Settings) -> Self {
        let cluster = Self::prepare(&settings);
        for node in &cluster.nodes {
            node.start();
        }
        cluster.wait_until_ready().await;
        cluster
    }

    /// Writes all files and starts nothing.
    pub(crate) fn prepare(settings: &Settings) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("quorate-test-")
            .tempdir()
            .expect("a folder");
        // Proxies that give up being root must still find their files.
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("permissions");
        let authority = Authority::new(folder.path());
        let pair = authority.sign(
            "nodes",
            &[NODES_NAME, "auth.example.com", "localhost", "127.0.0.1"],
        );
        let users = folder.path().join("users.yml");
        fs::write(&users, settings.users_yaml()).expect("write users.yml");

        let names: Vec<String> = (1..=settings.nodes)
            .map(|number| format!("n{number}"))
            .collect();
        let local = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let peers: Vec<SocketAddr> = names.iter().map(|_| local()).collect();
        let members: Vec<String> = names
            .iter()
            .zip(&peers)
            .take(settings.listed)
            .map(|(name, peer)| format!("{name}={peer}"))
            .collect();
        let nodes = names.iter().zip(&peers).map(|(name, &peer)| {
            let (http, metrics) = (local(), local());
            let (grpc, spoe) = (local(), local());
            let own = folder.path().join(name);
            fs::create_dir(&own).expect("a folder for a node");
            let configuration = own.join("configuration.yml");
            let yaml = settings.node_yaml(&Place {
                name,
                folder: &own,
                http,
                peer,
                metrics,
                grpc,
                spoe,
                members: members.clone(),
                certificate: &pair.certificate,
                key: &pair.key,
                users: &users,
            });
            fs::write(&configuration, yaml).expect("write a configuration");
            // It holds secrets.
            let only_owner = PermissionsExt::from_mode(0o600);
            fs::set_permissions(&configuration, only_owner).expect("permissions");
            let client = Client::new(http, &authority);
            Node {
                name: name.clone(),
                folder: own,
                configuration,
                http,
                peer,
                metrics,
                grpc,
                spoe,
                client,
                process: Mutex::new(None),
            }
        });
        let nodes = nodes.collect();
        Self {
            nodes,
            authority,
            folder,
        }
    }

    /// Waits until every running node answers its health check with 200.
    pub(crate) async fn wait_until_ready(&self) {
        for node in self.nodes.iter().filter(|node| node.is_running()) {
            node.wait_until_ready().await;
        }
    }

    /// All nodes, in the order of their names.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The authority that signed the certificates of the nodes.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A folder for more files of the test; it vanishes with the cluster.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The users file, which all nodes share.
    pub(crate) fn users_file(&self) -> PathBuf {
        self.folder.path().join("users.yml")
    }

    /// A visitor of the portal that talks to one node directly, without a proxy.
    pub(crate) fn visitor(&self, index: usize) -> Visitor {
        Visitor::new(self.nodes[index].client(), "https://auth.example.com")
    }
}

impl Node {
    /// `n1`, `n2` and so on.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where its HTTPS listener is.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it answers Envoy's checks over gRPC.
    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Where HAProxy finds its agent.
    pub(crate) fn spoe(&self) -> SocketAddr {
        self.spoe
    }

    /// Where other nodes reach it.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What its metrics page says, in Prometheus' text format.
    pub(crate) async fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.metrics)
            .await
            .expect("the metrics listener");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        let mut page = String::new();
        stream.read_to_string(&mut page).await.expect("a page");
        page
    }

    /// Its own folder, with `configuration.yml`, its log and `data`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A client for it, whatever host a request names.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Starts the process. It must not be running.
    pub(crate) fn start(&self) {
        self.start_by(Command::new(binary()));
    }

    /// Starts it as a version that knows sets of commands up to `set`.
    pub(crate) fn start_older(&self, set: u32) {
        let mut command = Command::new(binary());
        command.env("QUORATE_PRETEND_SET", set.to_string());
        self.start_by(command);
    }

    fn start_by(&self, mut command: Command) {
        command
            .arg("serve")
            .arg("--config")
            .arg(&self.configuration);
        let mut process = self.process();
        assert!(process.is_none(), "{} is running already", self.name);
        *process = Some(Process::start(&self.name, command, &self.folder));
    }

    /// Whether it has been started and not stopped. A process that ended by itself is a failure of the test.
    pub(crate) fn is_running(&self) -> bool {
        let mut process = self.process();
        let Some(running) = process.as_mut() else {
            return false;
        };
        let exit = running.try_exit();
        assert!(
            exit.is_none(),
            "{} ended by itself ({exit:?}):\n{}",
            self.name,
            running.output()
        );
        true
    }

    /// Waits until its health check says 200.
    pub(crate) async fn wait_until_ready(&self) {
        let what = format!("{} is ready", self.name);
        until(&what, READY, || async {
            self.is_running() && self.is_ready().await
        })
        .await;
    }

    /// Whether its health check says 200 now.
    pub(crate) async fn is_ready(&self) -> bool {
        let request = Request::get("https://auth.example.com/api/health");
        self.client
            .try_send(&request)
            .await
            .is_ok_and(|answer| answer.status == 200)
    }

    /// `kill -9`. Returns when the process is gone.
    pub(crate) fn kill(&self) {
        if let Some(mut process) = self.process().take() {
            process.kill();
        }
    }

    /// `kill -TERM`, then waits for the end, within 20 seconds.
    pub(crate) async fn terminate(&self) -> ExitStatus {
        let mut process = self.process().take().expect("a running node");
        process.signal(Signal::TERM);
        let mut exit = None;
        until(
            "the node has drained and ended",
            Duration::from_secs(20),
            || {
                exit = process.try_exit();
                std::future::ready(exit.is_some())
            },
        )
        .await;
        exit.expect("ended")
    }

    /// Waits until a process that cannot go on has ended by itself, within 20 seconds: its exit code and its output.
    pub(crate) async fn wait_until_ended(&self) -> (Option<i32>, String) {
        let mut process = self.process().take().expect("a running node");
        let mut exit = None;
        until(
            "the node has ended by itself",
            Duration::from_secs(20),
            || {
                exit = process.try_exit();
                std::future::ready(exit.is_some())
            },
        )
        .await;
        (exit.expect("ended").code(), process.output())
    }

    /// Whether the process that was started has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.process()
            .as_mut()
            .is_none_or(|process| process.try_exit().is_some())
    }

    /// Runs `quorate` with `arguments` and its configuration, as an operator of this node does: exit code, standard
    /// output, standard error.
    pub(crate) async fn command(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = tokio::process::Command::new(binary());
        command
            .args(arguments)
            .arg("--config")
            .arg(&self.configuration);
        let output = command.output().await.expect("quorate runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// As [`Node::command`] with `--output json`: the document it prints. It must succeed.
    pub(crate) async fn document(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--output", "json"]].concat();
        let (code, printed, error) = self.command(&arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {error}");
        serde_json::from_str(&printed).expect("a JSON document")
    }

    /// Its `configuration.yml`.
    pub(crate) fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Where its part of the replicated state is kept.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// `kill -STOP`: it keeps its connections and says nothing any more.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// `kill -CONT`, after [`Node::pause`].
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends any signal to the running process.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process()
            .as_ref()
            .expect("a running node")
            .signal(signal);
    }

    /// All that it has logged, over all its starts.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("{}.log", self.name))).unwrap_or_default()
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The program under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("QUORATE_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_quorate")),
        PathBuf::from,
    )
}
