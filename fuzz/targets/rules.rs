//! Access rules as an operator may write them, asked about a page as a visitor may spell it.

#![no_main]

use std::collections::BTreeMap;
use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use quorate_core::access::{Identity, Policy, QuerySpec, Requirement, RuleSpec, Target};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (url, rules) = text.split_once('\n').unwrap_or((text, ""));
    let specs: Vec<RuleSpec> = rules.split("\n\n").take(8).map(rule).collect();
    let Ok(policy) = Policy::compile(Requirement::Deny, &specs, &BTreeMap::new()) else {
        return;
    };
    let Ok(target) = Target::from_url(url.as_bytes(), b"GET") else {
        return;
    };
    let client: IpAddr = [192, 0, 2, 7].into();
    let groups = ["dev".to_owned(), "Admins".to_owned()];
    let john = Identity {
        user: "john",
        groups: &groups,
    };
    for identity in [None, Some(&john)] {
        let decision = policy.decide(identity, &target, client);
        // The explanation looks at every rule; the decision only at those it has found by the host.
        let traces = policy.explain(identity, &target, client);
        let first = traces.iter().find(|trace| trace.matches());
        let plain = first.map_or(Requirement::Deny, |trace| trace.requirement);
        assert!(decision.requirement >= plain, "{decision:?} {first:?}");
        if target.guarded_path().is_none()
            && target.query().is_none()
            && target.host().as_sent() == target.host().lower()
        {
            assert_eq!(decision.rule, first.map(|trace| trace.rule));
        }
    }
});

/// One criterion per line: a letter that says which, and its text.
fn rule(text: &str) -> RuleSpec {
    let mut rule = RuleSpec {
        policy: "one_factor".to_owned(),
        ..RuleSpec::default()
    };
    for line in text.lines() {
        let Some(which) = line.chars().next() else {
            continue;
        };
        let value = line[which.len_utf8()..].to_owned();
        match which {
            'd' => rule.domains.push(value),
            'D' => rule.domain_patterns.push(value),
            's' => rule
                .subjects
                .push(value.split('&').map(str::to_owned).collect()),
            'n' => rule.networks.push(value),
            'r' => rule.resources.push(value),
            'm' => rule.methods.push(value),
            'q' => rule.query.push(vec![argument(&value)]),
            _ => rule.policy = value,
        }
    }
    rule
}

fn argument(text: &str) -> QuerySpec {
    let mut parts = text.splitn(3, '|').map(str::to_owned);
    QuerySpec {
        key: parts.next().unwrap_or_default(),
        operator: parts.next(),
        value: parts.next(),
    }
}
