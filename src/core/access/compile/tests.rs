//! What is refused at start-up, what is only warned about, and beside each the nearest list that is taken.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use std::collections::BTreeMap;

use super::super::cases::rules;
use super::super::{Policy, QuerySpec, Requirement, RuleSpec};

fn rule(policy: &str) -> RuleSpec {
    RuleSpec {
        domains: vec!["a.example.com".to_owned()],
        policy: policy.to_owned(),
        ..RuleSpec::default()
    }
}

fn list(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn query(operator: Option<&str>, key: &str, value: Option<&str>) -> Vec<Vec<QuerySpec>> {
    let (operator, value) = (operator.map(str::to_owned), value.map(str::to_owned));
    vec![vec![QuerySpec {
        operator,
        key: key.to_owned(),
        value,
    }]]
}

fn compile(specs: &[RuleSpec]) -> Result<Policy, Vec<(Option<usize>, &'static str)>> {
    let networks = BTreeMap::from([("office".to_owned(), Vec::new())]);
    Policy::compile(Requirement::Deny, specs, &networks).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| (error.rule, error.field))
            .collect()
    })
}

#[test]
fn each_faulty_rule_is_refused_and_its_neighbour_taken() {
    // A faulty rule, the field it is refused for, and the nearest rule that is taken; `a.example.com` is added to both.
    for (faulty, field, good) in [
        ("One_factor", "policy", "one_factor"),
        ("", "policy", "deny"),
        (
            "one_factor|  domain_regex (",
            "domain_regex",
            "one_factor|  domain_regex ()",
        ),
        (
            "one_factor|  resource [",
            "resources",
            "one_factor|  resource [a]",
        ),
        (
            "one_factor|  method get",
            "methods",
            "one_factor|  method GET",
        ),
        (
            "one_factor|  method BREW",
            "methods",
            "one_factor|  method UNLOCK",
        ),
        (
            "one_factor|  network home",
            "networks",
            "one_factor|  network office",
        ),
        (
            "one_factor|  network 10.0.0.0/33",
            "networks",
            "one_factor|  network 10.0.0.0/32",
        ),
        (
            "one_factor|  subject john",
            "subject",
            "one_factor|  subject user:john",
        ),
        (
            "one_factor|  subject user: ",
            "subject",
            "one_factor|  subject oauth2:client:x",
        ),
        (
            "bypass|  subject user:john",
            "subject",
            "deny|  subject user:john",
        ),
        (
            "bypass|  domain_regex (?P<User>x)",
            "domain_regex",
            "bypass|  domain_regex (?P<Other>x)",
        ),
        (
            "one_factor|  query is ; k ; v",
            "query",
            "one_factor|  query equal ; k ; v",
        ),
        (
            "one_factor|  query equal ; k",
            "query",
            "one_factor|  query absent ; k",
        ),
        (
            "one_factor|  query present",
            "query",
            "one_factor|  query present ; k",
        ),
        (
            "one_factor|  query pattern ; k ; (",
            "query",
            "one_factor|  query not pattern ; k ; ^$",
        ),
    ] {
        let spec = |text: &str| {
            let text = format!("rule {text}")
                .replace('|', "\n")
                .replace(" ; ", " | ");
            let mut rule = rules(&text).pop().expect("a rule");
            rule.domains.push("a.example.com".to_owned());
            rule
        };
        assert_eq!(
            compile(&[rule("deny"), spec(faulty)]).expect_err(faulty),
            [(Some(1), field)],
            "{faulty}"
        );
        assert!(compile(&[spec(good)]).is_ok(), "neighbour of {faulty}");
    }
}

#[test]
fn an_empty_list_is_refused_where_it_would_match_everything() {
    for (faulty, field) in [
        (
            RuleSpec {
                domains: Vec::new(),
                ..rule("deny")
            },
            "domain",
        ),
        (
            RuleSpec {
                domains: list(""),
                ..rule("deny")
            },
            "domain",
        ),
        (
            RuleSpec {
                subjects: vec![Vec::new()],
                ..rule("deny")
            },
            "subject",
        ),
        (
            RuleSpec {
                query: vec![Vec::new()],
                ..rule("deny")
            },
            "query",
        ),
    ] {
        assert_eq!(compile(&[faulty]).expect_err(field), [(Some(0), field)]);
    }
    assert!(compile(&[rule("deny")]).is_ok());
    assert!(
        compile(&[RuleSpec {
            domains: Vec::new(),
            domain_patterns: list("x"),
            ..rule("deny")
        }])
        .is_ok()
    );
}

#[test]
fn every_fault_is_told_at_once_in_rule_order() {
    let twice = RuleSpec {
        methods: list("get"),
        networks: list("home"),
        ..rule("allow")
    };
    let errors = compile(&[twice, rule("deny"), RuleSpec::default()]).expect_err("faulty");
    assert_eq!(
        errors,
        [
            (Some(0), "policy"),
            (Some(0), "networks"),
            (Some(0), "methods"),
            (Some(2), "policy"),
            (Some(2), "domain")
        ]
    );
}

#[test]
fn a_default_that_shuts_or_opens_everything_needs_rules() {
    for (default, taken) in [
        (Requirement::Deny, false),
        (Requirement::Bypass, false),
        (Requirement::OneFactor, true),
        (Requirement::TwoFactor, true),
    ] {
        assert_eq!(
            Policy::compile(default, &[], &BTreeMap::new()).is_ok(),
            taken,
            "{default:?}"
        );
        assert!(
            Policy::compile(default, &[rule("bypass")], &BTreeMap::new()).is_ok(),
            "{default:?}"
        );
    }
}

#[test]
fn what_will_surprise_is_warned_about() {
    for (spec, field) in [
        (
            RuleSpec {
                domains: list("{user}.example.com"),
                ..rule("bypass")
            },
            "domain",
        ),
        (
            RuleSpec {
                resources: list("(?P<Group>x)"),
                ..rule("bypass")
            },
            "resources",
        ),
        (
            RuleSpec {
                domains: list("a.example.com:8443"),
                ..rule("deny")
            },
            "domain",
        ),
        (
            RuleSpec {
                domains: list("*example.com"),
                ..rule("deny")
            },
            "domain",
        ),
        (
            RuleSpec {
                query: query(Some("present"), "k", Some("v")),
                ..rule("deny")
            },
            "query",
        ),
    ] {
        let policy = compile(&[rule("deny"), spec]).expect("taken");
        let warned: Vec<_> = policy
            .warnings()
            .iter()
            .map(|warning| (warning.rule, warning.field))
            .collect();
        assert_eq!(warned, [(1, field)]);
    }
    assert!(
        compile(&[rule("bypass")])
            .expect("taken")
            .warnings()
            .is_empty()
    );
}

#[test]
fn two_factors_are_needed_if_any_rule_or_the_default_asks_for_them() {
    assert!(
        !compile(&[rule("one_factor")])
            .expect("taken")
            .needs_two_factor_anywhere()
    );
    assert!(
        compile(&[rule("one_factor"), rule("two_factor")])
            .expect("taken")
            .needs_two_factor_anywhere()
    );
    let policy = Policy::compile(Requirement::TwoFactor, &[], &BTreeMap::new()).expect("taken");
    assert!(policy.needs_two_factor_anywhere());
}
