//! Real processes in a folder: started, killed, paused, robbed of their disks, and started again.

mod layout;

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::check::converge::{Convergence, End};
use crate::client;
use crate::link::Links;
use crate::sample;

pub(crate) use layout::Population;

/// How long a new cluster may take.
const FORMING: Duration = Duration::from_secs(60);
/// How long a node that is told to stop may take.
const STOPPING: Duration = Duration::from_secs(20);
const DIGEST_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a cluster is made of.
pub(crate) struct Make<'a> {
    pub(crate) binary: &'a Path,
    /// Emptied first; holds everything afterwards.
    pub(crate) folder: &'a Path,
    pub(crate) nodes: usize,
    pub(crate) population: Population,
    /// The planted bug that the nodes are told to have.
    pub(crate) mutant: Option<&'a str>,
}

/// The state of a node, as its admin socket tells it.
#[derive(Deserialize)]
struct Digest {
    applied: u64,
    digest: String,
}

/// See the [module](self).
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    links: Links,
    binary: PathBuf,
    folder: PathBuf,
    mutant: Option<String>,
    deaths: Vec<String>,
}

struct Node {
    http: SocketAddr,
    process: Option<Child>,
    is_paused: bool,
    /// What it was told with [`Cluster::tell`]; it may end by that.
    is_told: bool,
}

impl Cluster {
    /// Writes the files, starts the processes and waits until all say that they are ready.
    ///
    /// # Errors
    /// Files cannot be written, the binary does not run, or no cluster forms within a minute.
    pub(crate) fn start(make: &Make<'_>) -> io::Result<Self> {
        if make.folder.exists() {
            fs::remove_dir_all(make.folder)?;
        }
        fs::create_dir_all(make.folder)?;
        let folder = make.folder.canonicalize()?;
        let links = Links::open(make.nodes);
        let http = layout::write(&folder, make, &links)?;
        let nodes = http.into_iter().map(|http| Node {
            http,
            process: None,
            is_paused: false,
            is_told: false,
        });
        let mut cluster = Self {
            nodes: nodes.collect(),
            links,
            binary: make.binary.canonicalize()?,
            folder,
            mutant: make.mutant.map(str::to_owned),
            deaths: Vec::new(),
        };
        cluster.mend()?;
        if cluster.wait_until_ready(FORMING) {
            Ok(cluster)
        } else {
            let logs = cluster.folder.display();
            let text = format!("no cluster forms within a minute; the nodes' logs are in {logs}");
            Err(io::Error::other(text))
        }
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Where the nodes answer.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.http).collect()
    }

    /// Where the log of each node is.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let path = |node| self.folder.join(layout::log_name(node));
        (0..self.nodes.len()).map(path).collect()
    }

    /// `kill -9`, of all of `nodes` before the end of any is waited for.
    pub(crate) fn kill(&mut self, nodes: &[usize]) -> io::Result<()> {
        let mut dying = Vec::new();
        for node in nodes {
            if let Some(node) = self.nodes.get_mut(*node) {
                node.is_paused = false;
                dying.extend(node.process.take());
            }
        }
        for process in &mut dying {
            process.kill()?;
        }
        dying
            .iter_mut()
            .try_for_each(|process| process.wait().map(|_| ()))
    }

    /// Stops a process where it stands.
    pub(crate) fn pause(&mut self, node: usize) -> io::Result<()> {
        let Some(node) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        node.is_paused = true;
        signal(node, Signal::STOP)
    }

    /// SIGTERM; `kill -9` for one that does not go, which is told as a death.
    pub(crate) fn stop(&mut self, number: usize) -> io::Result<()> {
        let until = Instant::now() + STOPPING;
        let Some(node) = self.nodes.get_mut(number) else {
            return Ok(());
        };
        signal(node, Signal::TERM)?;
        while let Some(process) = &mut node.process {
            if let Some(status) = process.try_wait()? {
                node.process = None;
                if !status.success() {
                    self.deaths
                        .push(format!("n{} was told to stop: {status}", number + 1));
                }
                return Ok(());
            }
            if Instant::now() > until {
                self.deaths
                    .push(format!("n{} did not stop when told to", number + 1));
                return self.kill(&[number]);
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Kills a node and removes its data directory; [`Cluster::mend`] starts it again.
    pub(crate) fn wipe(&mut self, node: usize) -> io::Result<()> {
        self.kill(&[node])?;
        fs::remove_dir_all(self.folder.join(layout::data_name(node)))
    }

    /// Tells a node that was built to be broken what is to go wrong with it.
    pub(crate) fn tell(&mut self, number: usize, what: &str) -> io::Result<()> {
        if let Some(node) = self.nodes.get_mut(number) {
            node.is_told = true;
        }
        let path = self.folder.join(layout::orders_name(number));
        fs::write(path, format!("{what}\n"))
    }

    /// Everybody runs: takes orders back, wakes who is paused, starts who does not run.
    pub(crate) fn mend(&mut self) -> io::Result<()> {
        for number in 0..self.nodes.len() {
            fs::write(self.folder.join(layout::orders_name(number)), "")?;
            if let Some(node) = self.nodes.get_mut(number).filter(|node| node.is_paused) {
                signal(node, Signal::CONT)?;
                node.is_paused = false;
            }
            self.bury(number)?;
            if self
                .nodes
                .get(number)
                .is_some_and(|node| node.process.is_none())
            {
                self.launch(number)?;
            }
        }
        Ok(())
    }

    /// Notes a process that has ended though nobody had ended it.
    fn bury(&mut self, number: usize) -> io::Result<()> {
        let Some(node) = self.nodes.get_mut(number) else {
            return Ok(());
        };
        let was_told = std::mem::take(&mut node.is_told);
        let Some(process) = &mut node.process else {
            return Ok(());
        };
        if let Some(status) = process.try_wait()? {
            node.process = None;
            if !was_told {
                let log = layout::log_name(number);
                self.deaths.push(format!(
                    "n{} ended by itself: {status}; see {log}",
                    number + 1
                ));
            }
        }
        Ok(())
    }

    fn launch(&mut self, number: usize) -> io::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(layout::log_name(number)))?;
        let mut command = Command::new(&self.binary);
        command
            .args(["serve", "--config"])
            .arg(self.folder.join(layout::config_name(number)))
            .arg("--die-with-parent")
            .arg(std::process::id().to_string())
            .env(
                "QUORATE_CHAOS_ORDERS",
                self.folder.join(layout::orders_name(number)),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(mutant) = &self.mutant {
            command.env("QUORATE_CHAOS_MUTANT", mutant);
        }
        if let Some(node) = self.nodes.get_mut(number) {
            node.process = Some(command.spawn()?);
        }
        Ok(())
    }

    /// Waits until all nodes are ready; false if that takes longer than `at_most`.
    pub(crate) fn wait_until_ready(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let is_ready = |node: &Node| sample::ask(node.http).is_some_and(|said| said.ready);
        while !self.nodes.iter().all(is_ready) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(LOOK_EVERY);
        }
        true
    }

    /// Where the commands of each node are taken.
    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let path = |node| self.folder.join(layout::data_name(node)).join("admin.sock");
        (0..self.nodes.len()).map(path).collect()
    }

    fn end(&self, node: usize) -> Option<End> {
        let socket = self.folder.join(layout::data_name(node)).join("admin.sock");
        let answer = client::command(&socket, "/v1/digest", "null", DIGEST_PATIENCE)?;
        let digest: Digest = serde_json::from_str(&answer.body).ok()?;
        Some(End {
            node,
            applied: digest.applied,
            digest: Some(digest.digest),
        })
    }

    /// Waits until all nodes are ready and have applied the same index, and says how they are found.
    pub(crate) fn converge(&mut self, at_most: Duration) -> io::Result<Convergence> {
        let begun = Instant::now();
        self.links.heal();
        self.mend()?;
        let mut took = None;
        let mut ends = Vec::new();
        while took.is_none() && begun.elapsed() < at_most {
            thread::sleep(LOOK_EVERY);
            let all_ready = self.wait_until_ready(Duration::ZERO);
            ends = (0..self.nodes.len())
                .filter_map(|node| self.end(node))
                .collect();
            let is_same = ends.windows(2).all(|pair| match pair {
                [one, other] => one.applied == other.applied,
                _ => true,
            });
            if all_ready && is_same && ends.len() == self.nodes.len() {
                took = Some(begun.elapsed());
            }
        }
        for number in 0..self.nodes.len() {
            self.bury(number)?;
        }
        Ok(Convergence {
            took,
            ends,
            deaths: self.deaths.clone(),
        })
    }
}

fn signal(node: &Node, signal: Signal) -> io::Result<()> {
    let Some(process) = &node.process else {
        return Ok(());
    };
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Err(io::Error::other("a process without a number"));
    };
    Ok(kill_process(pid, signal)?)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let _gone = self.kill(&all);
    }
}
