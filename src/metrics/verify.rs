//! Authorization requests by dialect and result, with their duration. As cheap as [`requests`](super::request).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::StatusCode;
use prometheus::proto::MetricFamily;
use quorate_raft::Spread;

use super::family::{self, Sample};

/// The dialects, as endpoints call themselves.
const DIALECTS: [&str; 4] = ["forward-auth", "auth-request", "ext-authz", "legacy"];

/// The statuses of answers and what each says; whatever is none of them is an error, the last one.
const ANSWERS: [(u16, &str); 9] = [
    (200, "allowed"),
    (302, "challenged"),
    (303, "challenged"),
    (401, "challenged"),
    (407, "challenged"),
    (403, "denied"),
    (400, "malformed"),
    (503, "unavailable"),
    (500, "error"),
];

/// The results, each once.
const RESULTS: [&str; 6] = [
    "allowed",
    "challenged",
    "denied",
    "malformed",
    "unavailable",
    "error",
];

/// From what a look at memory takes to what a round to the leader may.
const BUCKETS_US: [u64; 14] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000,
    2_500_000,
];

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Verifies {
    counts: [[AtomicU64; ANSWERS.len()]; DIALECTS.len()],
    took: [Spread<{ BUCKETS_US.len() }>; RESULTS.len()],
}

impl Default for Verifies {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            took: std::array::from_fn(|_| Spread::new(BUCKETS_US)),
        }
    }
}

impl Verifies {
    /// Counts one answer.
    pub(super) fn record(&self, dialect: &str, status: StatusCode, took: Duration) {
        let known = |(code, _): &(u16, &str)| *code == status.as_u16();
        let answer = ANSWERS.iter().position(known).unwrap_or(ANSWERS.len() - 1);
        let dialect = DIALECTS.iter().position(|name| *name == dialect);
        let row = dialect.and_then(|dialect| self.counts.get(dialect));
        if let Some(count) = row.and_then(|row| row.get(answer)) {
            count.fetch_add(1, Relaxed);
        }
        let result = ANSWERS.get(answer).map_or("error", |(_, result)| *result);
        let result = RESULTS.iter().position(|name| *name == result);
        if let Some(spread) = result.and_then(|result| self.took.get(result)) {
            spread.record(took);
        }
    }

    pub(super) fn families(&self) -> [MetricFamily; 3] {
        let took = RESULTS.iter().zip(&self.took);
        [
            family::counter(
                "quorate_verifies_total",
                "Authorization requests by dialect and result.",
                DIALECTS.iter().zip(&self.counts).flat_map(|(name, row)| {
                    RESULTS.iter().map(move |result| {
                        Sample::new(sum(row, |(_, says)| says == result))
                            .with("dialect", *name)
                            .with("result", *result)
                    })
                }),
            ),
            family::histogram(
                "quorate_verify_duration_seconds",
                "How long answers to authorization requests took, by result.",
                took.map(|(result, took)| {
                    family::spread(&[("result", (*result).to_owned())], &took.numbers())
                }),
            ),
            family::counter(
                "authelia_authz",
                "The number of authz requests processed.",
                ANSWERS.iter().filter_map(|(code, _)| {
                    let rows = self.counts.iter();
                    let count: f64 = rows.map(|row| sum(row, |(c, _)| c == code)).sum();
                    let sample = Sample::new(count).with("code", code.to_string());
                    (count > 0.0).then_some(sample)
                }),
            ),
        ]
    }
}

/// The counts of those answers that `is_meant`.
fn sum(row: &[AtomicU64; ANSWERS.len()], is_meant: impl Fn(&(u16, &'static str)) -> bool) -> f64 {
    let counts = ANSWERS.iter().zip(row);
    let meant = counts.filter(|(answer, _)| is_meant(answer));
    meant.map(|(_, count)| count.load(Relaxed)).sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_of_the_results() {
        for (code, result) in ANSWERS {
            assert!(RESULTS.contains(&result), "{code}");
        }
    }

    #[test]
    fn redirects_and_401_are_one_result_and_several_codes() {
        let verifies = Verifies::default();
        for code in [302, 401, 418] {
            let status = StatusCode::from_u16(code).expect("a status");
            verifies.record("legacy", status, Duration::ZERO);
        }
        let [results, _, codes] = verifies.families();
        let value = |labels: [&str; 2]| {
            let found = results.get_metric().iter().find(|metric| {
                let values = metric.get_label().iter().map(|label| label.value());
                values.eq(labels)
            });
            found.map(|metric| metric.get_counter().get_value())
        };
        assert_eq!(value(["legacy", "challenged"]), Some(2.0));
        assert_eq!(value(["legacy", "error"]), Some(1.0));
        assert_eq!(codes.get_metric().len(), 3);
    }
}
