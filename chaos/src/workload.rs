//! What clients do meanwhile, over HTTP, on every node.

mod attack;
mod visit;

pub(crate) use attack::checked;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::choice::Choices;
use crate::client::{self, Answer, Request};
use crate::cluster::Population;
use crate::history::{Action, Event, Outcome, Recorder};

/// A login or logout may wait out an election and a lease.
const CHANGE_PATIENCE: Duration = Duration::from_secs(10);
const VERIFY_PATIENCE: Duration = Duration::from_millis(2_500);

/// What the clients share.
pub(crate) struct World<'a> {
    pub(crate) nodes: Vec<SocketAddr>,
    /// The admin sockets of the nodes.
    pub(crate) sockets: Vec<PathBuf>,
    pub(crate) recorder: &'a Recorder,
    pub(crate) population: Population,
    /// Set when the clients are to end.
    pub(crate) stop: AtomicBool,
    sessions: AtomicU64,
    users: AtomicU64,
    victims: AtomicU64,
    known: Mutex<Vec<Known>>,
}

/// A session that a client was given.
#[derive(Debug, Clone)]
struct Known {
    session: u64,
    cookie: String,
}

/// Sessions that are looked at again and again; of the older ones some are kept for the end.
const KNOWN_MAX: usize = 400;

impl<'a> World<'a> {
    pub(crate) fn new(
        (nodes, sockets): (Vec<SocketAddr>, Vec<PathBuf>),
        recorder: &'a Recorder,
        population: Population,
    ) -> Self {
        Self {
            nodes,
            sockets,
            recorder,
            population,
            stop: AtomicBool::new(false),
            sessions: AtomicU64::new(0),
            users: AtomicU64::new(0),
            victims: AtomicU64::new(0),
            known: Mutex::default(),
        }
    }

    /// After the run: looks at every session that is still known, on every node.
    pub(crate) fn sweep(&self) {
        let known = self.known().clone();
        for known in known {
            for node in 0..self.nodes.len() {
                self.verify(node, &known);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any_node(&self, choices: &mut Choices) -> usize {
        choices.index(self.nodes.len())
    }

    fn verify(&self, node: usize, known: &Known) {
        let headers = [
            format!("Cookie: {}", known.cookie),
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
        let session = known.session;
        self.ask(node, Action::Verify { session }, &request);
    }

    fn log_out(&self, node: usize, known: &Known) -> Outcome {
        let headers = [format!("Cookie: {}", known.cookie)];
        let request = Request {
            method: "POST",
            path: "/api/logout",
            headers: &headers,
            body: "{}",
            patience: CHANGE_PATIENCE,
        };
        let session = known.session;
        self.ask(node, Action::LogOut { session }, &request).0
    }

    /// An administrator's end of all sessions of `user`, which are the `known` ones.
    fn kill(&self, node: usize, user: &str, known: &[Known]) -> Outcome {
        let body = format!(r#"{{"user":"{user}"}}"#);
        self.order(node, ("/v1/session/kill", &body), known)
    }

    /// An administrator's new password for `user`, which ends their sessions as well. It reads like the old one, so the
    /// other clients know it.
    fn set_password(&self, node: usize, user: &str, known: &[Known]) -> Outcome {
        let body = format!(r#"{{"user":"{user}","password":"password"}}"#);
        self.order(node, ("/v1/user/passwd", &body), known)
    }

    /// A command of an administrator that ends the `known` sessions.
    fn order(&self, node: usize, (path, body): (&str, &str), known: &[Known]) -> Outcome {
        let called = self.recorder.now();
        let socket = self.sockets.get(node);
        let answer = socket.and_then(|socket| client::command(socket, path, body, CHANGE_PATIENCE));
        let outcome = match answer.map(|answer| answer.status) {
            Some(200) => Outcome::Yes,
            Some(_) => Outcome::Unavailable,
            None => Outcome::Unknown,
        };
        let returned = self.recorder.now();
        for Known { session, .. } in known {
            self.recorder.record(Event {
                action: Action::LogOut { session: *session },
                node,
                called,
                returned,
                outcome,
            });
        }
        outcome
    }

    /// A login of `user` from `address`.
    fn log_in(
        &self,
        node: usize,
        action: Action,
        (user, password): (&str, &str),
        address: &str,
    ) -> (Outcome, Option<Answer>) {
        let body = format!(r#"{{"username":"{user}","password":"{password}"}}"#);
        let request = Request {
            method: "POST",
            path: "/api/firstfactor",
            headers: &[format!("X-Forwarded-For: {address}")],
            body: &body,
            patience: CHANGE_PATIENCE,
        };
        self.ask(node, action, &request)
    }

    fn ask(&self, node: usize, action: Action, request: &Request<'_>) -> (Outcome, Option<Answer>) {
        let called = self.recorder.now();
        let address = self.nodes.get(node).copied();
        let answer = address.and_then(|address| client::send(address, request));
        let outcome = match answer.as_ref().map(|answer| answer.status) {
            Some(200) => Outcome::Yes,
            Some(302 | 303 | 401) => Outcome::No,
            Some(_) => Outcome::Unavailable,
            None => Outcome::Unknown,
        };
        self.recorder.record(Event {
            action,
            node,
            called,
            returned: self.recorder.now(),
            outcome,
        });
        (outcome, answer)
    }
}
