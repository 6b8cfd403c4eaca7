//! A cluster, what visitors do with it, and how far a long command is.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::client::{self, Answer, Request};
use crate::cluster::{Cluster, Make, Population};
use crate::sample;

/// A login or logout may wait out an election and a lease.
const CHANGE_PATIENCE: Duration = Duration::from_secs(10);
const VERIFY_PATIENCE: Duration = Duration::from_millis(2_500);

/// How often a long command says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What was asked for on the command line.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) binary: PathBuf,
    pub(super) count: u64,
    pub(super) nodes: usize,
    pub(super) folder: PathBuf,
    /// Durations are judged; a short run among others only prints them.
    pub(super) judges_durations: bool,
}

impl Order {
    /// Starts the nodes, which know `users` users and `victims` victims.
    pub(super) fn cluster(&self, users: u64, victims: u64) -> io::Result<Cluster> {
        let population = Population {
            users,
            victims,
            disabled: 0,
        };
        self.cluster_of(population)
    }

    /// Starts the nodes, which know all of `population`.
    pub(super) fn cluster_of(&self, population: Population) -> io::Result<Cluster> {
        Cluster::start(&Make {
            binary: &self.binary,
            folder: &self.folder,
            nodes: self.nodes,
            population,
            mutant: None,
        })
    }
}

/// Says on standard error how far a command is, every few seconds.
pub(super) struct Progress {
    what: &'static str,
    count: u64,
    told: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new(what: &'static str, count: u64) -> Self {
        let told = Mutex::new(Instant::now());
        Self { what, count, told }
    }

    pub(super) fn at(&self, done: u64) {
        // Whoever cannot have the lock leaves it to the one who has it.
        if let Ok(mut told) = self.told.try_lock()
            && told.elapsed() >= TELL_EVERY
        {
            *told = Instant::now();
            eprintln!("{}: {done} of {}", self.what, self.count);
        }
    }
}

/// A login from `address`; the whole answer, or `None` if there was none.
pub(super) fn log_in(
    node: SocketAddr,
    user: &str,
    password: &str,
    address: &str,
) -> Option<Answer> {
    let body = format!(r#"{{"username":"{user}","password":"{password}"}}"#);
    let request = Request {
        method: "POST",
        path: "/api/firstfactor",
        headers: &[format!("X-Forwarded-For: {address}")],
        body: &body,
        patience: CHANGE_PATIENCE,
    };
    client::send(node, &request)
}

/// The cookie of a right login, if it was accepted.
pub(super) fn session(node: SocketAddr, user: &str, address: &str) -> Option<String> {
    let answer = log_in(node, user, "password", address)?;
    (answer.status == 200).then(|| answer.cookie())?
}

/// Whether a logout was acknowledged.
pub(super) fn log_out(node: SocketAddr, cookie: &str) -> bool {
    let request = Request {
        method: "POST",
        path: "/api/logout",
        headers: &[format!("Cookie: {cookie}")],
        body: "{}",
        patience: CHANGE_PATIENCE,
    };
    client::send(node, &request).is_some_and(|answer| answer.status == 200)
}

/// The status of a verify; 0 without an answer.
pub(super) fn verify(node: SocketAddr, cookie: &str) -> u16 {
    let headers = [
        format!("Cookie: {cookie}"),
        "X-Forwarded-Method: GET".to_owned(),
        "X-Forwarded-Host: one.example.com".to_owned(),
        "X-Forwarded-Uri: /".to_owned(),
    ];
    let request = Request {
        method: "GET",
        path: "/api/authz/forward-auth",
        headers: &headers,
        body: "",
        patience: VERIFY_PATIENCE,
    };
    client::send(node, &request).map_or(0, |answer| answer.status)
}

/// The node that says that it leads.
pub(super) fn leader(cluster: &Cluster) -> Option<usize> {
    let leads = |address| sample::ask(address).is_some_and(|said| said.role == "leader");
    cluster.addresses().into_iter().position(leads)
}

/// An address of its own for each number, so that no budget or throttle is shared.
pub(super) fn address(number: u64) -> String {
    let [.., a, b, c] = number.to_be_bytes();
    format!("20.{a}.{b}.{c}")
}
