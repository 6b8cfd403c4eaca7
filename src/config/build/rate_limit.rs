//! `server.endpoints.rate_limits`: how often one visitor may ask for what is easily abused.

use std::time::Duration;

use crate::config::place::Findings;
use crate::config::types::{RateLimit, RateLimits};
use crate::config::view::View;

/// Requests and seconds of each bucket, as in Authelia.
const SECOND_FACTOR_TOTP_DEFAULT: [(u32, u64); 3] = [(30, 60), (40, 120), (50, 600)];

pub(crate) fn rate_limits(view: &View<'_>, findings: &mut Findings) -> RateLimits {
    RateLimits {
        second_factor_totp: buckets(
            &view.get("second_factor_totp"),
            &SECOND_FACTOR_TOTP_DEFAULT,
            findings,
        ),
    }
}

/// The buckets of one endpoint.
fn buckets(view: &View<'_>, default: &[(u32, u64)], findings: &mut Findings) -> Vec<RateLimit> {
    let enable = view.get("enable");
    if enable.is_set() && !enable.flag() {
        return Vec::new();
    }
    let buckets = view.get("buckets").sections();
    if buckets.is_empty() {
        let limit = |&(requests, seconds): &(u32, u64)| RateLimit {
            requests,
            period: Duration::from_secs(seconds),
        };
        return default.iter().map(limit).collect();
    }
    let limit = |bucket: &View<'_>| {
        let period = bucket.get("period");
        let is_some = period.duration().is_some_and(|period| !period.is_zero());
        if !is_some {
            period.problem(
                findings,
                "must be longer than nothing",
                "write for example `1m`",
            );
        }
        RateLimit {
            requests: bucket.get("requests").bounded(1, 1..=1_000_000, findings),
            period: period.duration().unwrap_or(Duration::from_secs(1)),
        }
    };
    buckets.iter().map(limit).collect()
}
