//! All requests of the main listener, under the names that Authelia gives them.
//!
//! Every request adds to this, so it is a table of atomics: no lock, no allocation, no look-up by text.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus::proto::MetricFamily;
use quorate_raft::Spread;

use super::family::{self, Sample};

/// The methods that are told apart; all others are `OTHER`, because a client may send any word.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "OTHER",
];
/// The statuses that Quorate answers with; any other counts under the last one.
const CODES: [u16; 22] = [
    200, 201, 204, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 407, 408, 413, 415, 429,
    502, 503, 500,
];
/// Authelia's buckets.
const BUCKETS_US: [u64; 17] = [
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 15_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000, 60_000_000,
];

/// Requests of one listener by method and status, with their durations; a handful of atomics.
#[derive(Debug)]
pub struct Requests {
    counts: [[AtomicU64; METHODS.len()]; CODES.len()],
    took: [Spread<{ BUCKETS_US.len() }>; CODES.len()],
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            took: std::array::from_fn(|_| Spread::new(BUCKETS_US)),
        }
    }
}

impl Requests {
    /// Counts one answered request.
    pub fn record(&self, method: &Method, status: StatusCode, took: Duration) {
        let code = code(status);
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let method = method.unwrap_or(METHODS.len() - 1);
        if let Some(count) = self.counts.get(code).and_then(|row| row.get(method)) {
            count.fetch_add(1, Relaxed);
        }
        if let Some(spread) = self.took.get(code) {
            spread.record(took);
        }
    }

    /// Only what has occurred.
    pub(super) fn families(&self) -> [MetricFamily; 2] {
        let mut samples = Vec::new();
        let mut metrics = Vec::new();
        for ((code, counts), took) in CODES.iter().zip(&self.counts).zip(&self.took) {
            let counts = METHODS.iter().zip(counts);
            samples.extend(counts.filter_map(|(method, count)| {
                let count = count.load(Relaxed);
                let sample = Sample::new(count as f64)
                    .with("code", code.to_string())
                    .with("method", *method);
                (count > 0).then_some(sample)
            }));
            let took = took.numbers();
            if took.count() > 0 {
                metrics.push(family::spread(&[("code", code.to_string())], &took));
            }
        }
        [
            family::counter(
                "authelia_request",
                "The number of HTTP requests processed.",
                samples,
            ),
            family::histogram(
                "authelia_request_duration",
                "The time a HTTP request takes to process in seconds.",
                metrics,
            ),
        ]
    }
}

fn code(status: StatusCode) -> usize {
    let found = CODES.iter().position(|code| *code == status.as_u16());
    found.unwrap_or(CODES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_nobody_knows_is_no_label() {
        let requests = Requests::default();
        let strange = Method::from_bytes(b"MADEUP").expect("a token");
        requests.record(&strange, StatusCode::OK, Duration::ZERO);
        requests.record(&Method::GET, StatusCode::IM_A_TEAPOT, Duration::ZERO);
        let [counts, _] = requests.families();
        let labels = counts.get_metric().iter().map(|metric| {
            let labels = metric.get_label().iter();
            labels.map(|label| label.value()).collect::<Vec<_>>()
        });
        assert_eq!(
            labels.collect::<Vec<_>>(),
            [vec!["200", "OTHER"], vec!["500", "GET"]]
        );
    }
}
