//! What is counted while serving, and the page that shows it.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::app::App;
use crate::app::login::{LoginError, Opened};

/// The counters that use cases and handlers add to. Cheap to share, never blocks.
pub struct Metrics {
    registry: Registry,
    logins: IntCounterVec,
    verifies: IntCounterVec,
    refused_peers: IntCounter,
    /// Password checks that have begun; the pool counts them.
    pub password_checks: IntCounter,
    gauges: Gauges,
}

/// What is read off at each scrape.
struct Gauges {
    sessions: IntGauge,
    bans: IntGauge,
    applied: IntGauge,
    term: IntGauge,
    leading: IntGauge,
    ready: IntGauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new_custom(Some("quorate".to_owned()), None).unwrap_or_default();
        let gauge = |name: &str, help: &str| register(&registry, IntGauge::new(name, help));
        let gauges = Gauges {
            sessions: gauge("sessions", "Sessions in the replicated state."),
            bans: gauge("bans", "Users and addresses that are banned now."),
            applied: gauge(
                "raft_applied_index",
                "Newest log index applied on this node.",
            ),
            term: gauge("raft_term", "Current Raft term."),
            leading: gauge("raft_is_leader", "1 if this node leads."),
            ready: gauge("ready", "1 if this node can decide requests."),
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let logins = counters(
            "logins_total",
            "First-factor attempts by result.",
            &["result"],
        );
        let verifies = counters(
            "verifies_total",
            "Authorization requests by dialect and status.",
            &["dialect", "status"],
        );
        let help = "Authorization requests from addresses outside server.trusted_proxies.";
        let refused_peers = register(&registry, IntCounter::new("untrusted_peers_total", help));
        let help = "Password hashes whose computation has begun.";
        let password_checks = register(&registry, IntCounter::new("password_checks_total", help));
        Self {
            registry,
            logins,
            verifies,
            refused_peers,
            password_checks,
            gauges,
        }
    }
}

/// Registers a collector. Names and labels are constants of this file, so neither step fails.
#[expect(
    clippy::expect_used,
    reason = "constant names; a mistake shows in every test, before any port opens"
)]
fn register<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = collector.expect("the metric's name and labels are valid");
    registry
        .register(Box::new(collector.clone()))
        .expect("the metric's name is not taken");
    collector
}

impl Metrics {
    /// Counts one first-factor attempt.
    pub fn login(&self, result: &Result<Opened, LoginError>) {
        let result = match result {
            Ok(_) => "accepted",
            Err(LoginError::Refused("banned")) => "banned",
            Err(LoginError::Refused(_)) => "refused",
            Err(LoginError::Busy(_)) => "busy",
            Err(LoginError::Unavailable(_)) => "unavailable",
        };
        self.logins.with_label_values(&[result]).inc();
    }

    /// Counts one authorization request.
    pub fn verify(&self, dialect: &'static str, status: http::StatusCode) {
        self.verifies
            .with_label_values(&[dialect, status.as_str()])
            .inc();
    }

    /// Counts one authorization request from an address that may not ask.
    pub fn refused_peer(&self) {
        self.refused_peers.inc();
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self, app: &App) -> String {
        let status = app.node.status();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.gauges
            .sessions
            .set(count(app.node.reader().session_count()));
        self.gauges
            .bans
            .set(count(app.node.reader().ban_count(app.now())));
        self.gauges.applied.set(signed(app.node.applied()));
        self.gauges.term.set(signed(status.term));
        self.gauges
            .leading
            .set(i64::from(status.role == quorate_raft::Role::Leader));
        self.gauges.ready.set(i64::from(app.node.may_read()));
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}
