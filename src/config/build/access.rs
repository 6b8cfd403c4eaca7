//! `access_control`: from the tree to rules, and the rules compiled, so that their faults are reported with all
//! others and at their lines. What rules mean is known to `quorate_core::access` alone.

use std::collections::BTreeMap;

use ipnet::IpNet;
use quorate_core::access::rule::{QuerySpec, Requirement, RuleSpec};
use quorate_core::access::{Policy, RuleError};

use crate::config::place::{Findings, Place};
use crate::config::types::AccessControl;
use crate::config::value;
use crate::config::view::View;

/// The whole section; `None` if the rules do not compile, which is then reported.
pub(crate) fn access(
    view: &View<'_>,
    definitions: &View<'_>,
    findings: &mut Findings,
) -> Option<AccessControl> {
    let mut specs = Vec::new();
    let mut places = Vec::new();
    let items = view.get("rules").sections();
    for item in &items {
        let (spec, fields) = rule(item, findings);
        specs.push(spec);
        places.push(fields);
    }
    let default = view.get("default_policy");
    let default_policy = default
        .text()
        .and_then(Requirement::parse)
        .unwrap_or(Requirement::Deny);
    let networks = networks(view, definitions, findings);
    let compiled = Policy::compile(default_policy, &specs, &networks);
    let rules = specs
        .into_iter()
        .zip(items.iter().map(|item| item.at.clone()));
    let of_rules = |policy| AccessControl {
        default_policy,
        rules: rules.collect(),
        networks,
        policy,
        places,
    };
    match compiled {
        Ok(policy) => {
            let access = of_rules(policy);
            for warning in access.policy.warnings() {
                let place = access.place(warning.rule, warning.field);
                let path = format!("access_control.rules[{}].{}", warning.rule, warning.field);
                findings.notice(&place, &path, &warning.message);
            }
            Some(access)
        }
        Err(errors) => {
            for error in &errors {
                fault(error, &items, &default, findings);
            }
            None
        }
    }
}

/// Reports one fault of a rule at its field.
fn fault(error: &RuleError, items: &[View<'_>], default: &View<'_>, findings: &mut Findings) {
    match error.rule.and_then(|index| items.get(index)) {
        // A missing policy is reported below, a wrong one by the kind of the key.
        Some(_) if error.field == "policy" => {}
        Some(item) => item.get(error.field).problem(findings, &error.message, ""),
        None => default.problem(findings, &error.message, ""),
    }
}

type Places = BTreeMap<String, Place>;

fn rule(view: &View<'_>, findings: &mut Findings) -> (RuleSpec, Places) {
    let mut places = Places::new();
    let mut texts = |name: &str| -> Vec<String> {
        let list = view.get(name);
        if list.is_set() {
            places.insert(name.to_owned(), list.at.clone());
        }
        let mut texts = Vec::new();
        for (index, item) in list.items().iter().enumerate() {
            places.insert(format!("{name}[{index}]"), item.at.clone());
            texts.push(text(item, findings));
        }
        texts
    };
    let mut rule = RuleSpec {
        domains: texts("domain"),
        domain_patterns: texts("domain_regex"),
        networks: texts("networks"),
        resources: texts("resources"),
        methods: texts("methods"),
        ..RuleSpec::default()
    };
    let policy = view.get("policy");
    match policy.text() {
        Some(text) => {
            places.insert("policy".to_owned(), policy.at.clone());
            rule.policy = text.to_owned();
        }
        None => {
            let advice = "write `bypass`, `one_factor`, `two_factor` or `deny`";
            policy.problem(findings, "is required", advice);
        }
    }
    let (subject, query) = (view.get("subject"), view.get("query"));
    rule.subjects = nested(&subject, "subject", &mut places, |item| {
        text(item, findings)
    });
    rule.query = nested(&query, "query", &mut places, condition);
    (rule, places)
}

/// The text of an item. An empty one would be a pattern that matches everything, and is never meant.
fn text(view: &View<'_>, findings: &mut Findings) -> String {
    if !view.is_set() {
        view.problem(
            findings,
            "must not be empty",
            "remove the item or fill it in",
        );
    }
    view.owned().unwrap_or_default()
}

/// A list of lists: any of the outer, all of the inner. A bare item is an inner list of its own.
fn nested<T>(
    view: &View<'_>,
    name: &str,
    places: &mut Places,
    mut read: impl FnMut(&View<'_>) -> T,
) -> Vec<Vec<T>> {
    if view.is_set() {
        places.insert(name.to_owned(), view.at.clone());
    }
    let mut any = Vec::new();
    for (outer, item) in view.items().iter().enumerate() {
        places.insert(format!("{name}[{outer}]"), item.at.clone());
        let mut all = Vec::new();
        for (inner, item) in item.items().iter().enumerate() {
            places.insert(format!("{name}[{outer}][{inner}]"), item.at.clone());
            all.push(read(item));
        }
        any.push(all);
    }
    any
}

fn condition(view: &View<'_>) -> QuerySpec {
    QuerySpec {
        operator: view.get("operator").owned(),
        key: view.get("key").owned().unwrap_or_default(),
        // An empty value is a value: `?debug=` differs from no `debug`.
        value: view.get("value").text_even_empty().map(str::to_owned),
    }
}

/// `definitions.network`, and below it the older `access_control.networks`.
fn networks(
    view: &View<'_>,
    definitions: &View<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, Vec<IpNet>> {
    let mut networks = BTreeMap::new();
    for item in view.get("networks").sections() {
        let name = item.get("name");
        match name.text() {
            Some(text) => {
                let list = addresses(&item.get("networks"), findings);
                networks.insert(text.to_owned(), list);
            }
            None => {
                let advice = "move the networks to `definitions.network`";
                name.problem(findings, "is required", advice);
            }
        }
    }
    for (name, list) in definitions.get("network").named() {
        networks.insert(name.to_owned(), addresses(&list, findings));
    }
    networks
}

fn addresses(view: &View<'_>, findings: &mut Findings) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for item in view.items() {
        let Some(text) = item.text() else {
            continue;
        };
        match value::network(text) {
            Some(network) => networks.push(network),
            None => {
                let message = format!("must be an address or network, is `{text}`");
                item.problem(findings, message, "write `192.0.2.7` or `192.0.2.0/24`");
            }
        }
    }
    networks
}
