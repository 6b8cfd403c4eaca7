//! One run: clients in threads, one thread that kills and restarts, and the history of it all.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{self, Answer};
use super::cluster::Cluster;
use super::history::{Event, Operation, Outcome, Report, judge};

/// A small generator of choices (SplitMix64): the same seed, the same choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// What the clients share.
struct World {
    started: Instant,
    until: Instant,
    nodes: Vec<SocketAddr>,
    sessions: AtomicU64,
    events: Mutex<Vec<Event>>,
}

/// Runs the cluster, breaks it, and judges what was seen.
pub(crate) fn run(
    binary: &Path,
    seed: u64,
    length: Duration,
    clients: usize,
) -> io::Result<Report> {
    let mut cluster = Cluster::start(binary)?;
    let started = Instant::now();
    let nodes = cluster.addresses();
    let world = World {
        started,
        until: started + length,
        nodes,
        sessions: AtomicU64::new(0),
        events: Mutex::default(),
    };
    let kills = std::thread::scope(|scope| {
        for number in 0..clients {
            let choices = Choices(seed ^ ((number as u64 + 1) << 32));
            scope.spawn(|| world.client(choices));
        }
        break_things(&mut cluster, Choices(seed), world.until)
    })?;
    let events = world
        .events
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(judge(&events, kills))
}

/// Kills one node after another, now and then all at once, and starts them again.
fn break_things(cluster: &mut Cluster, mut choices: Choices, until: Instant) -> io::Result<usize> {
    let mut kills = 0;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500 + choices.below(1500)));
        let all = choices.below(5) == 0;
        let first = usize::try_from(choices.below(3)).unwrap_or(0);
        let victims = if all { vec![0, 1, 2] } else { vec![first] };
        for victim in &victims {
            cluster.kill(*victim)?;
            kills += 1;
        }
        println!("killed {victims:?}");
        std::thread::sleep(Duration::from_millis(choices.below(1500)));
        for victim in &victims {
            cluster.restart(*victim)?;
        }
        cluster.wait_until_ready()?;
    }
    Ok(kills)
}

impl World {
    /// Logs in, looks at pages through random nodes, logs out, looks again; and once more.
    fn client(&self, mut choices: Choices) {
        while Instant::now() < self.until {
            let session = self.sessions.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"username":"john","password":"password"}"#;
            let login = self.ask(&mut choices, session, Operation::LogIn, &[], body);
            let Some(cookie) = login.and_then(|answer| answer.cookie()) else {
                continue;
            };
            let cookie = [format!("Cookie: {cookie}")];
            for _ in 0..choices.below(40) {
                self.ask(&mut choices, session, Operation::Verify, &cookie, "");
            }
            self.ask(&mut choices, session, Operation::LogOut, &cookie, "{}");
            for _ in 0..6 {
                self.ask(&mut choices, session, Operation::Verify, &cookie, "");
            }
        }
    }

    fn ask(
        &self,
        choices: &mut Choices,
        session: u64,
        operation: Operation,
        cookie: &[String],
        body: &str,
    ) -> Option<Answer> {
        let node = usize::try_from(choices.below(self.nodes.len() as u64)).unwrap_or(0);
        let address = *self.nodes.get(node)?;
        let (method, path) = match operation {
            Operation::LogIn => ("POST", "/api/firstfactor"),
            Operation::LogOut => ("POST", "/api/logout"),
            Operation::Verify => ("GET", "/api/authz/forward-auth"),
        };
        let mut headers = cookie.to_vec();
        if operation == Operation::Verify {
            let page = ["Method: GET", "Host: one.example.com", "Uri: /"]
                .map(|fact| format!("X-Forwarded-{fact}"));
            headers.extend(page);
        }
        let called = self.started.elapsed();
        let answer = client::send(address, method, path, &headers, body);
        let outcome = match answer.as_ref().map(|answer| answer.status) {
            Some(200) => Outcome::Yes,
            Some(302 | 401) => Outcome::No,
            _ => Outcome::Unknown,
        };
        let event = Event {
            session,
            operation,
            node,
            called,
            returned: self.started.elapsed(),
            outcome,
        };
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        answer
    }
}
