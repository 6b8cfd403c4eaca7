//! What a decision costs as the list of rules grows: prints ratios, never judges.
//!
//! `cargo bench -p quorate-core --bench rules`. One list is five kinds of rules over and over, as configurations have
//! them: a host with its paths, a host for some people, everything below a name, a pattern that binds the user, a
//! network; the other is the paths of one host. The same request is decided under 5, 50, 500 and 5,000 of them, in
//! interleaved rounds, and the best round counts: other work on the machine only ever adds. Reading the target is not
//! part of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot set itself up must stop"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use quorate_core::access::{Identity, Policy, Requirement, RuleSpec, Target};

const SIZES: [usize; 4] = [5, 50, 500, 5_000];
const ROUNDS: usize = 101;
const DECISIONS: usize = 500;

fn main() {
    println!(
        "| rule that decides, of 500 | who | 5 rules, ns | 50 | 500 | 5,000 |\n|---|---|---|---|---|---|"
    );
    let mixed = SIZES.map(|size| policy((0..size).map(rule).collect()));
    for place in [Place::First, Place::Middle, Place::Last, Place::None] {
        let urls = SIZES.map(|size| match (place, place.team(size)) {
            (Place::First, Some(team)) => {
                format!("https://app{team}.example.com/api/v1/items?page=2")
            }
            (Place::Middle, Some(team)) => {
                format!("https://john.home{team}.example.com/photos/2026/")
            }
            (_, Some(team)) => format!("https://net{team}.example.com/status/overview.html"),
            (_, None) => "https://unknown.example.net/some/page?of=nobody".to_owned(),
        });
        row(&format!("{place:?}, mixed"), &mixed, &urls);
    }
    let one_host = SIZES.map(|size| policy((0..size).map(path).collect()));
    for place in [Place::First, Place::Middle, Place::Last, Place::None] {
        let urls = SIZES.map(|size| match place.team(size) {
            Some(team) => format!("https://apps.example.com/app{}/items?page=2", team * 5),
            None => "https://apps.example.com/elsewhere/items?page=2".to_owned(),
        });
        row(&format!("{place:?}, paths of one host"), &one_host, &urls);
    }
}

fn policy(specs: Vec<RuleSpec>) -> Policy {
    let networks = BTreeMap::from([("office".to_owned(), vec!["10.0.0.0/8".parse().unwrap()])]);
    Policy::compile(Requirement::Deny, &specs, &networks).expect("rules compile")
}

/// Which rule decides.
#[derive(Debug, Clone, Copy)]
enum Place {
    First,
    Middle,
    Last,
    None,
}

impl Place {
    /// Which five of `size` rules the deciding one is in.
    fn team(self, size: usize) -> Option<usize> {
        match self {
            Self::First => Some(0),
            Self::Middle => Some(size / 10),
            Self::Last => Some(size / 5 - 1),
            Self::None => None,
        }
    }
}

/// A path of the one host.
fn path(number: usize) -> RuleSpec {
    RuleSpec {
        domains: vec!["apps.example.com".to_owned()],
        resources: vec![format!("^/app{number}([/?].*)?$")],
        policy: "one_factor".to_owned(),
        ..RuleSpec::default()
    }
}

/// One of the five kinds.
fn rule(number: usize) -> RuleSpec {
    let team = number / 5;
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let mut rule = RuleSpec {
        policy: "one_factor".to_owned(),
        ..RuleSpec::default()
    };
    match number % 5 {
        0 => {
            rule.domains = vec![format!("app{team}.example.com")];
            rule.resources = texts(&["^/api/.*$", "^/admin([/?].*)?$"]);
        }
        1 => {
            rule.domains = vec![
                format!("app{team}.example.com"),
                format!("www{team}.example.com"),
            ];
            rule.subjects = vec![
                vec![format!("user:user{team}")],
                texts(&["group:dev", "group:admins"]),
            ];
            rule.methods = texts(&["GET", "HEAD"]);
        }
        2 => {
            rule.domains = vec![format!("*.team{team}.example.com")];
            rule.resources = vec![format!("^/(public|assets{team})/.+\\.(css|js|png)$")];
            rule.policy = "bypass".to_owned();
        }
        3 => rule.domain_patterns = vec![format!(r"^(?P<User>\w+)\.home{team}\.example\.com$")],
        _ => {
            rule.domains = vec![format!("net{team}.example.com")];
            rule.networks = texts(&["office", "192.0.2.0/24"]);
        }
    }
    rule
}

fn row(what: &str, policies: &[Policy; 4], urls: &[String; 4]) {
    let groups = ["dev".to_owned(), "staff".to_owned()];
    let john = Identity {
        user: "john",
        groups: &groups,
    };
    let targets = urls
        .each_ref()
        .map(|url| Target::from_url(url.as_bytes(), b"GET").expect("a target"));
    for (who, identity) in [("nobody", None), ("john", Some(&john))] {
        measure(&format!("{what} | {who}"), policies, &targets, identity);
    }
}

fn measure(
    what: &str,
    policies: &[Policy; 4],
    targets: &[Target<'_>; 4],
    identity: Option<&Identity<'_>>,
) {
    let client: IpAddr = [192, 0, 2, 7].into();
    let mut rounds = SIZES.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for ((policy, target), times) in policies.iter().zip(targets).zip(&mut rounds) {
            let began = Instant::now();
            for _ in 0..DECISIONS {
                let _ = black_box(policy.decide(black_box(identity), black_box(target), client));
            }
            times.push(began.elapsed() / DECISIONS as u32);
        }
    }
    let [least, more @ ..] = rounds.map(|times| times.iter().min().map_or(0, Duration::as_nanos));
    let ratios = more
        .map(|cost| format!("{:.2}", cost as f64 / least as f64))
        .join(" | ");
    let decided = policies[2].decide(identity, &targets[2], client).rule;
    let decided = decided.map_or("none".to_owned(), |rule| format!("no. {}", rule + 1));
    println!("| {decided}: {what} | {least} | {ratios} |");
}
