//! Decisions as data: every file of `tests/data/access` is one policy and what it answers.
//!
//! A file has, line by line and blank lines apart, in this order of meaning:
//!
//! ```text
//! default deny                        the default policy
//! network office 10.0.0.0/8           a named network
//! user john dev admins                a user and their groups
//! rule bypass                         a rule; the indented lines below it are its criteria
//!   domain a.example.com
//!   subject user:john & group:dev     one inner list; further lines are alternatives
//!   query equal | key | value & present | other
//! john 1 GET allow https://a.example.com/
//! - 0 GET@10.1.2.3 challenge https://a.example.com/
//! ```
//!
//! The last kind of line is a request: user or `-`, level (`0`, `1`, `2`, `x` for a rejected header), method with an
//! optional client address, expected outcome (`allow`, `challenge`, `deny`, or `refuse` for a target that is not
//! judged), URL. A paragraph with a request that is not allowed has its nearest allowed neighbour in it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken case file is a failed test"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Identity, Policy, Proof, QuerySpec, Requirement, RuleSpec, Target, Verdict, answer};
use crate::Level;

#[test]
fn hosts_choose_the_rule() {
    check(include_str!("../../../tests/data/access/hosts.txt"));
}

#[test]
fn who_asks_chooses_the_rule() {
    check(include_str!("../../../tests/data/access/identity.txt"));
}

#[test]
fn paths_choose_the_rule() {
    check(include_str!("../../../tests/data/access/paths.txt"));
}

#[test]
fn methods_queries_and_networks_choose_the_rule() {
    check(include_str!("../../../tests/data/access/criteria.txt"));
}

#[test]
fn a_long_list_answers_as_the_contract_does() {
    check(include_str!("../../../tests/data/access/contract.txt"));
}

#[derive(Default)]
struct Cases {
    default: String,
    networks: BTreeMap<String, Vec<ipnet::IpNet>>,
    groups: BTreeMap<String, Vec<String>>,
    rules: Vec<RuleSpec>,
    paragraphs: Vec<Vec<String>>,
}

/// Compiles the policy of a file and asks it every request of the file.
#[track_caller]
fn check(text: &str) {
    let cases = read(text);
    let default = Requirement::parse(&cases.default).expect("a default policy");
    let policy = Policy::compile(default, &cases.rules, &cases.networks).expect("rules compile");
    assert!(!cases.paragraphs.is_empty(), "no request");
    for paragraph in &cases.paragraphs {
        let outcomes: Vec<&str> = paragraph
            .iter()
            .map(|line| ask(&cases, &policy, line))
            .collect();
        let wrong: Vec<String> = paragraph
            .iter()
            .zip(outcomes)
            .filter(|(line, outcome)| line.split(' ').nth(3) != Some(outcome))
            .map(|(line, outcome)| format!("{line}\n    is {outcome}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            paragraph
                .iter()
                .any(|line| line.split(' ').nth(3) == Some("allow")),
            "no allowed neighbour: {paragraph:#?}"
        );
    }
}

fn ask(cases: &Cases, policy: &Policy, line: &str) -> &'static str {
    let words: Vec<&str> = line.splitn(5, ' ').collect();
    let [user, level, method, _, url] = words[..] else {
        panic!("not a request: {line}")
    };
    let (method, client) = method.split_once('@').unwrap_or((method, "198.51.100.9"));
    let client: IpAddr = client.parse().expect("an address");
    let Ok(target) = Target::from_url(url.as_bytes(), method.as_bytes()) else {
        return "refuse";
    };
    let proof = match level {
        "0" => Proof::Level(Level::Anonymous),
        "1" => Proof::Level(Level::OneFactor),
        "2" => Proof::Level(Level::TwoFactor),
        "x" => Proof::Rejected,
        _ => panic!("no level: {line}"),
    };
    let identity = (user != "-").then(|| Identity {
        user,
        groups: &cases.groups[user],
    });
    let decision = policy.decide(identity.as_ref(), &target, client);
    let traced = policy
        .explain(identity.as_ref(), &target, client)
        .iter()
        .position(|trace| trace.decides);
    assert_eq!(
        traced, decision.rule,
        "the explanation names the rule that decides: {line}"
    );
    match answer(&decision, proof) {
        Verdict::Allow(_) => "allow",
        Verdict::Challenge => "challenge",
        Verdict::Deny => "deny",
    }
}

/// The rules of a text in the form of a case file.
pub(super) fn rules(text: &str) -> Vec<RuleSpec> {
    read(text).rules
}

fn read(text: &str) -> Cases {
    let mut cases = Cases::default();
    let mut paragraph = Vec::new();
    for line in text
        .lines()
        .chain([""])
        .filter(|line| !line.starts_with('#'))
    {
        let (word, rest) = line
            .trim_start()
            .split_once(' ')
            .unwrap_or((line.trim_start(), ""));
        match word {
            "" if paragraph.is_empty() => {}
            "" => cases.paragraphs.push(std::mem::take(&mut paragraph)),
            "default" => cases.default = rest.to_owned(),
            "user" => {
                let mut names = rest.split(' ').map(str::to_owned);
                let user = names.next().expect("a name");
                cases.groups.insert(user, names.collect());
            }
            "rule" => cases.rules.push(RuleSpec {
                policy: rest.to_owned(),
                ..RuleSpec::default()
            }),
            "network" if !line.starts_with(' ') => {
                let (name, prefixes) = rest.split_once(' ').expect("a name and prefixes");
                let prefixes = prefixes
                    .split(' ')
                    .map(|prefix| prefix.parse().expect("a prefix"));
                cases.networks.insert(name.to_owned(), prefixes.collect());
            }
            _ if line.starts_with("  ") => {
                criterion(cases.rules.last_mut().expect("a rule"), word, rest)
            }
            _ => paragraph.push(line.to_owned()),
        }
    }
    cases
}

fn criterion(rule: &mut RuleSpec, word: &str, rest: &str) {
    let text = rest.to_owned();
    match word {
        "domain" => rule.domains.push(text),
        "domain_regex" => rule.domain_patterns.push(text),
        "subject" => rule
            .subjects
            .push(rest.split(" & ").map(str::to_owned).collect()),
        "network" => rule.networks.push(text),
        "resource" => rule.resources.push(text),
        "method" => rule.methods.push(text),
        "query" => rule.query.push(rest.split(" & ").map(argument).collect()),
        _ => panic!("no criterion `{word}`"),
    }
}

fn argument(text: &str) -> QuerySpec {
    let mut parts = text.split(" | ").map(str::to_owned);
    let operator = parts.next().filter(|operator| operator != "-");
    QuerySpec {
        operator,
        key: parts.next().unwrap_or_default(),
        value: parts.next(),
    }
}
