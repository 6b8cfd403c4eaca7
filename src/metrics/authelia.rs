//! Authelia's own families of metrics, by their names and labels, so that what was made for it goes on.
//!
//! | family | from |
//! |---|---|
//! | `authelia_request`, `authelia_request_duration` | [`request`](super::request) |
//! | `authelia_authz` | [`verify`](super::verify) |
//! | `authelia_authn`, `authelia_authn_duration` | logins with name and password |
//! | `authelia_authn_second_factor` | one-time passwords |
//! | `authelia_authn_passkey` | stays at 0 until there are passkeys |
//! | `authelia_request_duration_openid_connect` | stays at 0 until there is OpenID Connect |
//!
//! Source: Authelia's documentation, telemetry, metrics.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::register;

/// In seconds.
const AUTHN_BUCKETS: [f64; 22] = [
    0.0005, 0.00075, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8,
    0.9, 1.0, 5.0, 10.0, 15.0, 30.0, 60.0,
];
/// In seconds.
const OPENID_BUCKETS: [f64; 17] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0,
    60.0,
];

/// See the [module](self).
pub(super) struct Authelia {
    logins: IntCounterVec,
    second_factors: IntCounterVec,
    login_took: HistogramVec,
}

impl Authelia {
    pub(super) fn register(registry: &Registry) -> Self {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            register(registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let histograms = |name: &str, help: &str, buckets: &[f64], labels: &[&str]| {
            let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            register(registry, HistogramVec::new(opts, labels))
        };
        let logins = counters(
            "authelia_authn",
            "The number of 1FA authentications processed.",
            &["success", "banned"],
        );
        let second_factors = counters(
            "authelia_authn_second_factor",
            "The number of 2FA authentications processed.",
            &["success", "banned", "type"],
        );
        let passkey = counters(
            "authelia_authn_passkey",
            "The number of passkey authentications processed.",
            &["success"],
        );
        for success in ["true", "false"] {
            passkey.with_label_values(&[success]);
        }
        for (success, banned) in [("true", "false"), ("false", "false"), ("false", "true")] {
            logins.with_label_values(&[success, banned]);
            for kind in ["totp", "webauthn", "duo"] {
                second_factors.with_label_values(&[success, banned, kind]);
            }
        }
        let login_took = histograms(
            "authelia_authn_duration",
            "The time an authentication attempt takes in seconds.",
            &AUTHN_BUCKETS,
            &["success"],
        );
        let openid = histograms(
            "authelia_request_duration_openid_connect",
            "The time a HTTP request takes to process in seconds for the OpenID Connect 1.0 endpoints.",
            &OPENID_BUCKETS,
            &["endpoint", "code"],
        );
        openid.with_label_values(&["token", "200"]);
        Self {
            logins,
            second_factors,
            login_took,
        }
    }

    /// Counts one check of name and password.
    pub(super) fn login(&self, success: bool, banned: bool, took: Duration) {
        let text = |flag: bool| if flag { "true" } else { "false" };
        let success = text(success);
        self.logins
            .with_label_values(&[success, text(banned)])
            .inc();
        self.login_took
            .with_label_values(&[success])
            .observe(took.as_secs_f64());
    }

    /// Counts one check of a one-time password.
    pub(super) fn totp(&self, success: bool, banned: bool) {
        let text = |flag: bool| if flag { "true" } else { "false" };
        self.second_factors
            .with_label_values(&[text(success), text(banned), "totp"])
            .inc();
    }
}
