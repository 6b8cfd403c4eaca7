//! The files of a cluster: users, one configuration per node, and who reaches whom where.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::Make;
use crate::check::guess::GUESSES_MAX;
use crate::link::Links;

/// Iterations and memory in KiB of the hashes that take a while.
const SLOW: (&str, &str) = ("12", "8192");

/// Who can log in, with the password `password`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    /// Users `u0`, `u1`, …, who log in and out.
    pub(crate) users: u64,
    /// Users `v0`, `v1`, …, whose passwords are guessed at. Their hashes take a while, as those of unknown names do.
    pub(crate) victims: u64,
    /// Users `d0`, `d1`, …, who are disabled. Their hashes take as long.
    pub(crate) disabled: u64,
}

pub(super) fn log_name(node: usize) -> String {
    format!("n{}.log", node + 1)
}

pub(super) fn config_name(node: usize) -> String {
    format!("n{}.yml", node + 1)
}

pub(super) fn data_name(node: usize) -> String {
    format!("n{}", node + 1)
}

pub(super) fn orders_name(node: usize) -> String {
    format!("n{}.orders", node + 1)
}

/// Writes everything, starts the relays of `links`, and returns where each node will answer.
pub(super) fn write(folder: &Path, make: &Make<'_>, links: &Links) -> io::Result<Vec<SocketAddr>> {
    let quick = hash(make.binary, "1", "64")?;
    let slow = hash(make.binary, SLOW.0, SLOW.1)?;
    let mut users = "users:\n".to_owned();
    for (letter, count, hash) in [
        ('u', make.population.users, &quick),
        ('v', make.population.victims, &slow),
        ('d', make.population.disabled, &slow),
    ] {
        for number in 0..count {
            let (name, is_disabled) = (format!("{letter}{number}"), letter == 'd');
            let _ = writeln!(
                users,
                "  {name}: {{displayname: {name}, password: '{hash}', disabled: {is_disabled}}}"
            );
        }
    }
    fs::write(folder.join("users.yml"), users)?;
    let http = ports(make.nodes)?;
    let peers = ports(make.nodes)?;
    for (node, (http, peer)) in http.iter().zip(&peers).enumerate() {
        let members = members(links, node, &peers)?;
        let text = configuration(folder, node, *http, *peer, &members);
        fs::write(folder.join(config_name(node)), text)?;
    }
    Ok(http)
}

/// All members as `node` reaches them: itself directly, the others through relays.
fn members(links: &Links, node: usize, peers: &[SocketAddr]) -> io::Result<String> {
    let mut members = Vec::new();
    for (other, peer) in peers.iter().enumerate() {
        let address = if other == node {
            *peer
        } else {
            links.relay(node, other, *peer)?
        };
        members.push(format!("'n{}={address}'", other + 1));
    }
    Ok(members.join(", "))
}

fn configuration(
    folder: &Path,
    node: usize,
    http: SocketAddr,
    peer: SocketAddr,
    members: &str,
) -> String {
    let (number, data) = (node + 1, folder.join(data_name(node)));
    let (folder, data) = (folder.display(), data.display());
    let (iterations, memory) = SLOW;
    // Nothing ends by itself in a run, not even where a clock is an hour wrong.
    format!(
        "server: {{address: 'tcp://{http}'}}
log: {{level: info, format: json}}
storage: {{encryption_key: 'a key of the chaos runs, long enough'}}
authentication_backend: {{file: {{path: '{folder}/users.yml', password: {{argon2: {{iterations: {iterations},
  memory: {memory}, parallelism: 1}}}}}}}}
regulation: {{max_retries: {GUESSES_MAX}, find_time: '30d', ban_time: '30d'}}
session: {{expiration: '60d', inactivity: '60d', cookies: [{{domain: example.com, authelia_url: 'https://auth.example.com'}}]}}
access_control: {{default_policy: deny, rules: [{{domain: one.example.com, policy: one_factor}}]}}
cluster: {{name: n{number}, address: 'tcp://{peer}', advertise: '{peer}', members: [{members}],
  secret: 'a secret of the chaos runs, long enough', data_dir: '{data}'}}
"
    )
}

/// Addresses on loopback that were free a moment ago.
fn ports(count: usize) -> io::Result<Vec<SocketAddr>> {
    // All are held before any is let go, so that none comes twice.
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<io::Result<_>>()?;
    held.iter().map(TcpListener::local_addr).collect()
}

/// A hash of `password` made by the program itself.
fn hash(binary: &Path, iterations: &str, memory: &str) -> io::Result<String> {
    let output = Command::new(binary)
        .args(["crypto", "hash", "generate", "argon2", "--password"])
        .args(["password", "--iterations", iterations])
        .args(["--memory", memory, "--parallelism", "1"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hash = text
        .split_whitespace()
        .find(|word| word.starts_with("$argon2"));
    hash.map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("no hash from {}: {text}", binary.display())))
}
