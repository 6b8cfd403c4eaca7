//! What is counted while serving, and the page that shows it.
//!
//! Names begin with `quorate_`, units are seconds and bytes, and labels take few values: a member, a result, a dialect,
//! never a user. The families of Authelia are there under their own names (`metrics::authelia`), so that dashboards
//! made for it go on. What every request adds to is a handful of atomics; everything else is read off at each scrape.

mod authelia;
mod family;
mod node;
mod process;
mod request;
mod verify;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry, TextEncoder};
use quorate_raft::Spread;

use self::authelia::Authelia;
use self::family::Sample;
use self::verify::Verifies;
use crate::app::App;
use crate::app::login::LoginError;

pub use self::request::Requests;

/// The ways to prove who one is that logins are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// Name and password at the portal.
    Password,
    /// Name and password in a header of a request.
    Header,
    /// A one-time password, after the password.
    Totp,
}

impl Factor {
    fn label(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Header => "header",
            Self::Totp => "totp",
        }
    }
}

/// What one try to log in can come to; the values of the label `result`.
const LOGIN_RESULTS: [&str; 5] = ["accepted", "refused", "banned", "busy", "unavailable"];
/// What can become of a request for a guess; the values of the label `result`.
const RESERVATION_RESULTS: [&str; 3] = ["reserved", "banned", "exhausted"];
/// What can become of files that are read again; the values of the label `result`.
const RELOAD_RESULTS: [&str; 2] = ["taken_over", "refused"];
/// The buckets of a password check.
const PASSWORD_CHECK_US: [u64; 10] = [
    1_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
];

/// The counters that use cases and handlers add to. Cheap to share, never blocks.
pub struct Metrics {
    registry: Registry,
    /// All requests of the main listener.
    pub requests: Arc<Requests>,
    verifies: Verifies,
    logins: IntCounterVec,
    reservations: IntCounterVec,
    authelia: Authelia,
    refused_peers: IntCounter,
    logouts: IntCounter,
    /// Password checks, as the pool counts them.
    pub password_checks: PasswordChecks,
    /// When the certificate of the main listener ends, in seconds since the Unix epoch.
    server_certificate_ends_at: Mutex<Option<i64>>,
    reloads: IntCounterVec,
}

/// What the pool of password checks counts; clones share it.
#[derive(Debug, Clone)]
pub struct PasswordChecks {
    /// Checks that have begun.
    pub begun: IntCounter,
    /// Checks that were refused because the queue was full.
    pub turned_away: IntCounter,
    /// How long checks took.
    pub took: Arc<Spread<{ PASSWORD_CHECK_US.len() }>>,
}

impl Default for PasswordChecks {
    fn default() -> Self {
        let counter =
            |name: &str, help: &str| made(IntCounter::new(format!("quorate_{name}"), help));
        Self {
            begun: counter(
                "password_checks_total",
                "Password hashes whose computation has begun.",
            ),
            turned_away: counter(
                "password_queue_rejections_total",
                "Password checks that were refused because the queue was full.",
            ),
            took: Arc::new(Spread::new(PASSWORD_CHECK_US)),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| register(&registry, IntCounter::new(name, help));
        let counters = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let logins = counters(
            "quorate_logins_total",
            "Tries to log in, by factor and result.",
            &["factor", "result"],
        );
        for factor in [Factor::Password, Factor::Header, Factor::Totp] {
            for result in LOGIN_RESULTS {
                logins.with_label_values(&[factor.label(), result]);
            }
        }
        let reservations = counters(
            "quorate_guess_reservations_total",
            "Requests for a guess, made before a password is looked at, by result.",
            &["result"],
        );
        for result in RESERVATION_RESULTS {
            reservations.with_label_values(&[result]);
        }
        let refused_peers = counter(
            "quorate_untrusted_peers_total",
            "Authorization requests from addresses outside server.trusted_proxies.",
        );
        let logouts = counter("quorate_logouts_total", "Sessions ended by their user.");
        let reloads = counters(
            "quorate_reloads_total",
            "Times that the configuration's files were read again on demand, by result.",
            &["result"],
        );
        for result in RELOAD_RESULTS {
            reloads.with_label_values(&[result]);
        }
        let password_checks = PasswordChecks::default();
        for counter in [&password_checks.begun, &password_checks.turned_away] {
            register(&registry, Ok(counter.clone()));
        }
        Self {
            authelia: Authelia::register(&registry),
            registry,
            requests: Arc::default(),
            verifies: Verifies::default(),
            logins,
            reservations,
            refused_peers,
            logouts,
            password_checks,
            server_certificate_ends_at: Mutex::new(None),
            reloads,
        }
    }
}

/// Names and labels are constants of this folder, so making a collector does not fail.
#[expect(
    clippy::expect_used,
    reason = "constant names; a mistake shows in every test, before any port opens"
)]
fn made<C>(collector: prometheus::Result<C>) -> C {
    collector.expect("the metric's name and labels are valid")
}

/// Makes and registers a collector.
#[expect(
    clippy::expect_used,
    reason = "constant names; a mistake shows in every test, before any port opens"
)]
fn register<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = made(collector);
    registry
        .register(Box::new(collector.clone()))
        .expect("the metric's name is not taken");
    collector
}

impl Metrics {
    /// Notes when the certificate of the main listener ends.
    pub fn watch_certificate(&self, certificate: &Path) {
        *self.certificate_end() = crate::http::certificate::ends_at(certificate);
    }

    fn certificate_end(&self) -> std::sync::MutexGuard<'_, Option<i64>> {
        let end = self.server_certificate_ends_at.lock();
        end.unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one time that the files were read again.
    pub fn reload(&self, was_taken_over: bool) {
        let [taken_over, refused] = RELOAD_RESULTS;
        let result = if was_taken_over { taken_over } else { refused };
        self.reloads.with_label_values(&[result]).inc();
    }

    /// Counts one try to prove who one is, which took so long without what a refusal is held back for.
    pub fn login<T>(&self, factor: Factor, result: &Result<T, LoginError>, took: Duration) {
        let label = match result {
            Ok(_) => "accepted",
            Err(LoginError::Refused("banned")) => "banned",
            Err(LoginError::Refused(_)) => "refused",
            Err(LoginError::Busy(_)) => "busy",
            Err(LoginError::Unavailable(_)) => "unavailable",
        };
        self.logins
            .with_label_values(&[factor.label(), label])
            .inc();
        if matches!(result, Ok(_) | Err(LoginError::Refused(_))) {
            let banned = label == "banned";
            match factor {
                Factor::Password | Factor::Header => {
                    self.authelia.login(result.is_ok(), banned, took)
                }
                Factor::Totp => self.authelia.totp(result.is_ok(), banned),
            }
        }
    }

    /// Counts what became of a request for a guess: one of `reserved`, `banned`, `exhausted`.
    pub fn reservation(&self, result: &'static str) {
        self.reservations.with_label_values(&[result]).inc();
    }

    /// Counts one logout.
    pub fn logout(&self) {
        self.logouts.inc();
    }

    /// Counts one authorization request.
    pub fn verify(&self, dialect: &'static str, status: http::StatusCode, took: Duration) {
        self.verifies.record(dialect, status, took);
    }

    /// Counts one authorization request from an address that may not ask.
    pub fn refused_peer(&self) {
        self.refused_peers.inc();
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self, app: &App) -> String {
        let mut families = self.registry.gather();
        families.extend(self.requests.families());
        families.extend(self.verifies.families());
        families.extend(self.passwords(app));
        families.extend(node::families(app, *self.certificate_end()));
        families.extend(process::families());
        // The encoder gives up at a family without a line, such as that of snapshots before the first.
        families.retain(|family| !family.get_metric().is_empty());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new()
            .encode_to_string(&families)
            .unwrap_or_default()
    }

    fn passwords(&self, app: &App) -> [MetricFamily; 3] {
        let took = self.password_checks.took.numbers();
        [
            family::histogram(
                "quorate_password_check_duration_seconds",
                "How long password hashes took to compute.",
                [family::spread(&[], &took)],
            ),
            family::gauge(
                "quorate_password_queue_length",
                "Password checks that wait for a thread.",
                [Sample::new(app.passwords.waiting() as f64)],
            ),
            family::gauge(
                "quorate_password_queue_capacity",
                "Password checks that can wait; beyond it a login is refused at once.",
                [Sample::new(app.passwords.capacity() as f64)],
            ),
        ]
    }
}
