//! The digest by which members see that they are configured alike.
//!
//! SHA-256 over one line per effective value, `path=value`, defaults included, in a fixed order. Left out is what may
//! differ between members without changing a decision: addresses and files of this node, its name, its data
//! directory, the log, metrics, timeouts. Of the encryption key only 16 bits take part: enough to notice two keys,
//! too little to guess one from a published digest. The cluster's secret takes no part, because members without the
//! same secret cannot talk to one another in the first place.
//!
//! A line for a new key is written only where its value is not the default: then a member of the version before, which
//! does not know the key, has the same digest while a cluster is upgraded.

use std::fmt::Write;

use quorate_core::access::rule::RuleSpec;
use sha2::{Digest, Sha256};

use super::types::{AccessControl, Config, CookieDomain};

impl Config {
    /// The digest that this configuration would have with other access rules.
    #[must_use]
    pub fn digest_with(&self, access: &AccessControl) -> [u8; 32] {
        digest(&Self {
            access: access.clone(),
            ..self.clone()
        })
    }
}

/// The digest of everything but `config.digest` itself.
pub(crate) fn digest(config: &Config) -> [u8; 32] {
    let mut lines = Lines(String::new());
    let server = &config.server;
    lines.add("server.base_path", &server.base_path);
    for network in &server.trusted_proxies {
        lines.add("server.trusted_proxies", network);
    }
    for endpoint in &server.endpoints {
        lines.add(
            "endpoint",
            format_args!("{} {:?}", endpoint.name, endpoint.implementation),
        );
        for strategy in &endpoint.strategies {
            let cache = strategy.basic_cache.as_millis();
            lines.add(
                "strategy",
                format_args!("{:?} {:?} {cache}", strategy.kind, strategy.schemes),
            );
        }
    }
    lines.add("theme", format_args!("{:?}", config.theme));
    config
        .session
        .cookies
        .iter()
        .for_each(|cookie| lines.cookie(cookie));
    lines.access(&config.access);
    let regulation = &config.regulation;
    lines.add(
        "regulation.modes",
        format_args!("{} {}", regulation.modes.user, regulation.modes.address),
    );
    lines.add("regulation.max_retries", regulation.max_retries);
    lines.add("regulation.find_time", regulation.find_time.as_millis());
    lines.add("regulation.ban_time", regulation.ban_time.as_millis());
    lines.add("totp", format_args!("{:?}", config.totp));
    let users = &config.users;
    if users.file.is_none() {
        lines.add("users.source", "replicated");
    }
    lines.add(
        "users.search",
        format_args!("{} {}", users.search_email, users.case_insensitive),
    );
    lines.add(
        "users.refresh",
        format_args!("{:?}", users.refresh_interval),
    );
    lines.add("users.password", format_args!("{:?}", users.password));
    for member in &config.cluster.members {
        lines.add("member", format_args!("{}={}", member.name, member.address));
    }
    lines.add(
        "cluster.max_staleness",
        config.cluster.max_staleness.as_millis(),
    );
    let key: [u8; 32] = Sha256::digest(config.storage.encryption_key.reveal()).into();
    let [first, second, ..] = key;
    lines.add(
        "storage.encryption_key",
        format_args!("{first:02x}{second:02x}"),
    );
    Sha256::digest(lines.0.as_bytes()).into()
}

struct Lines(String);

impl Lines {
    /// Quoted by `Debug`, so that no value can look like two lines.
    fn add(&mut self, path: &str, value: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{path}={:?}", value.to_string());
    }

    fn all(&mut self, path: &str, values: &[String]) {
        for value in values {
            self.add(path, value);
        }
    }

    fn cookie(&mut self, cookie: &CookieDomain) {
        self.add("cookie.domain", &cookie.domain);
        self.add("cookie.name", &cookie.name);
        self.add("cookie.same_site", format_args!("{:?}", cookie.same_site));
        self.add("cookie.expiration", cookie.expiration.as_millis());
        self.add("cookie.inactivity", cookie.inactivity.as_millis());
        let remember_me = cookie.remember_me.map(|time| time.as_millis().to_string());
        self.add(
            "cookie.remember_me",
            remember_me.as_deref().unwrap_or("off"),
        );
        let portal = cookie.portal.as_ref().map(ToString::to_string);
        self.add("cookie.portal", portal.unwrap_or_default());
        self.add(
            "cookie.default",
            cookie
                .default_redirection_url
                .as_deref()
                .unwrap_or_default(),
        );
    }

    fn access(&mut self, access: &AccessControl) {
        self.add("access.default", access.default_policy.as_str());
        for (name, networks) in &access.networks {
            self.add("network", name);
            for network in networks {
                self.add("network.item", network);
            }
        }
        for (rule, _) in &access.rules {
            self.rule(rule);
        }
    }

    fn rule(&mut self, rule: &RuleSpec) {
        self.add("rule", &rule.policy);
        self.all("rule.domain", &rule.domains);
        self.all("rule.domain_regex", &rule.domain_patterns);
        self.all("rule.networks", &rule.networks);
        self.all("rule.resources", &rule.resources);
        self.all("rule.methods", &rule.methods);
        for all in &rule.subjects {
            self.add("rule.subject", "any");
            self.all("rule.subject.all", all);
        }
        for all in &rule.query {
            self.add("rule.query", "any");
            for condition in all {
                self.add(
                    "rule.query.operator",
                    condition.operator.as_deref().unwrap_or_default(),
                );
                self.add("rule.query.key", &condition.key);
                self.add(
                    "rule.query.value",
                    condition.value.as_deref().unwrap_or_default(),
                );
            }
        }
    }
}
