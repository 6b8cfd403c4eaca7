//! What a node says of itself, a few times per second.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::client::{self, Request};
use crate::history::Recorder;

/// How often each node is asked.
const EVERY: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_millis(600);
/// What an old sample says of the leader is not believed any more.
const RECENT: Duration = Duration::from_millis(900);

/// What `/readyz?verbose` says, as far as it is used here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Said {
    pub(crate) ready: bool,
    pub(crate) pid: u32,
    /// The node id, new after a wipe.
    pub(crate) node: String,
    pub(crate) role: String,
    pub(crate) term: u64,
    pub(crate) leader: Option<String>,
    pub(crate) applied: u64,
    pub(crate) snapshot: u64,
    pub(crate) lease_ms: u64,
}

/// What node number `node` said, between two instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) node: usize,
    pub(crate) called: Duration,
    pub(crate) returned: Duration,
    pub(crate) said: Said,
}

/// Asks all nodes until it is told to stop, and keeps what they say.
#[derive(Debug)]
pub(crate) struct Observer {
    nodes: Vec<SocketAddr>,
    samples: Mutex<Vec<Sample>>,
}

impl Observer {
    pub(crate) fn new(nodes: Vec<SocketAddr>) -> Self {
        Self {
            nodes,
            samples: Mutex::default(),
        }
    }

    /// Asks node number `node` until `stop`.
    pub(crate) fn watch(&self, node: usize, recorder: &Recorder, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let called = recorder.now();
            if let Some(said) = self.nodes.get(node).and_then(|address| ask(*address)) {
                let returned = recorder.now();
                let sample = Sample {
                    node,
                    called,
                    returned,
                    said,
                };
                self.lock().push(sample);
            }
            thread::sleep(EVERY);
        }
    }

    /// The node that said last, and lately, that it leads in the highest term.
    pub(crate) fn leader(&self, now: Duration) -> Option<usize> {
        let samples = self.lock();
        let recent = samples
            .iter()
            .rev()
            .take(100)
            .filter(|sample| sample.returned + RECENT > now && sample.said.role == "leader");
        let newest = recent.max_by_key(|sample| (sample.said.term, sample.returned));
        newest.map(|sample| sample.node)
    }

    pub(crate) fn into_samples(self) -> Vec<Sample> {
        let mut samples = self
            .samples
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        samples.sort_by_key(|sample| sample.returned);
        samples
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the node at `address` says now.
pub(crate) fn ask(address: SocketAddr) -> Option<Said> {
    let request = Request {
        method: "GET",
        path: "/readyz?verbose",
        headers: &[],
        body: "",
        patience: PATIENCE,
    };
    let answer = client::send(address, &request)?;
    serde_json::from_str(&answer.body).ok()
}
