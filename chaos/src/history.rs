//! What clients did and saw, in order of time. Pure data: times are since the start of the run.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// A right password; it opens the session of that number.
    LogIn { session: u64 },
    /// A page for who has the session.
    Verify { session: u64 },
    /// The end of the session.
    LogOut { session: u64 },
    /// A password for a user who is attacked.
    Guess { victim: u64, right: bool },
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Opened, allowed, ended.
    Yes,
    /// Refused.
    No,
    /// The node said that it cannot tell: 503. What was to change may have changed.
    Unavailable,
    /// No answer. What was to change may have changed.
    Unknown,
}

/// One request of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    pub(crate) action: Action,
    pub(crate) node: usize,
    #[serde(serialize_with = "as_ms")]
    pub(crate) called: Duration,
    #[serde(serialize_with = "as_ms")]
    pub(crate) returned: Duration,
    pub(crate) outcome: Outcome,
}

impl Event {
    /// Whether the answer says what became of it.
    pub(crate) fn is_definite(&self) -> bool {
        matches!(self.outcome, Outcome::Yes | Outcome::No)
    }

    pub(crate) fn took(&self) -> Duration {
        self.returned.saturating_sub(self.called)
    }
}

fn as_ms<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1e6).round() / 1e3)
}

/// Takes down events of many threads.
#[derive(Debug)]
pub(crate) struct Recorder {
    started: Instant,
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    /// Begins now.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            events: Mutex::default(),
        }
    }

    /// The time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn record(&self, event: Event) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }

    /// All events, in order of their calls.
    pub(crate) fn into_events(self) -> Vec<Event> {
        let mut events = self
            .events
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        events.sort_by_key(|event| (event.called, event.returned));
        events
    }
}
