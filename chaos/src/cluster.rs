//! Three real processes in a temporary folder.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::client;

const READY: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    nodes: Vec<Node>,
    binary: PathBuf,
    folder: tempfile::TempDir,
}

struct Node {
    http: SocketAddr,
    process: Option<Child>,
}

impl Cluster {
    /// Writes the files, starts the processes and waits until all say that they are ready.
    pub(crate) fn start(binary: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let hash = hash(binary)?;
        std::fs::write(
            folder.path().join("users.yml"),
            format!("users: {{john: {{displayname: J, password: '{hash}'}}}}\n"),
        )?;
        let ports = (0..6)
            .map(|_| free_port())
            .collect::<io::Result<Vec<u16>>>()?;
        let (http, peers) = ports.split_at(3);
        let members: Vec<String> = peers
            .iter()
            .enumerate()
            .map(|(n, port)| format!("'n{}=127.0.0.1:{port}'", n + 1))
            .collect();
        let mut nodes = Vec::new();
        for (index, (http, peer)) in http.iter().zip(peers).enumerate() {
            let text = configuration(folder.path(), index, *http, *peer, &members.join(", "));
            std::fs::write(folder.path().join(format!("n{index}.yml")), text)?;
            nodes.push(Node {
                http: (Ipv4Addr::LOCALHOST, *http).into(),
                process: None,
            });
        }
        let mut cluster = Self {
            nodes,
            binary: binary.to_owned(),
            folder,
        };
        for index in 0..3 {
            cluster.restart(index)?;
        }
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Where the nodes answer.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.http).collect()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, index: usize) -> io::Result<()> {
        let Some(mut process) = self
            .nodes
            .get_mut(index)
            .and_then(|node| node.process.take())
        else {
            return Ok(());
        };
        process.kill()?;
        process.wait().map(|_| ())
    }

    /// Starts a node that does not run.
    pub(crate) fn restart(&mut self, index: usize) -> io::Result<()> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join(format!("n{index}.log")))?;
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.path().join(format!("n{index}.yml")));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(node) = self.nodes.get_mut(index) {
            node.process = Some(command.spawn()?);
        }
        Ok(())
    }

    pub(crate) fn wait_until_ready(&self) -> io::Result<()> {
        let until = Instant::now() + READY;
        for node in &self.nodes {
            while client::send(node.http, "GET", "/api/health", &[], "")
                .is_none_or(|answer| answer.status != 200)
            {
                if Instant::now() > until {
                    return Err(io::Error::other("a node does not become ready"));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for index in 0..self.nodes.len() {
            let _gone = self.kill(index);
        }
    }
}

fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()
        .map(|address| address.port())
}

/// A hash of `password` made by the program itself.
fn hash(binary: &Path) -> io::Result<String> {
    let mut command = Command::new(binary);
    command.args([
        "crypto",
        "hash",
        "generate",
        "argon2",
        "--password",
        "password",
        "--iterations",
        "1",
    ]);
    let output = command
        .args(["--memory", "64", "--parallelism", "1"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hash = text
        .split_whitespace()
        .find(|word| word.starts_with("$argon2"));
    hash.map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("no hash from {}: {text}", binary.display())))
}

fn configuration(folder: &Path, index: usize, http: u16, peer: u16, members: &str) -> String {
    let (folder, name) = (folder.display(), index + 1);
    format!(
        "server: {{address: 'tcp://127.0.0.1:{http}'}}\nlog: {{level: info}}\n\
         storage: {{encryption_key: 'a key of the chaos runs, long enough'}}\n\
         authentication_backend: {{file: {{path: '{folder}/users.yml'}}}}\nregulation: {{max_retries: 0}}\n\
         session: {{cookies: [{{domain: example.com, authelia_url: 'https://auth.example.com'}}]}}\n\
         access_control: {{default_policy: deny, rules: [{{domain: one.example.com, policy: one_factor}}]}}\n\
         cluster: {{name: n{name}, address: 'tcp://127.0.0.1:{peer}', advertise: '127.0.0.1:{peer}', members: [{members}],\n  \
         secret: 'a secret of the chaos runs, long enough', data_dir: '{folder}/data{index}'}}\n"
    )
}
