//! Finds the rules that may match a request without looking at the others.
//!
//! It leaves out only rules that cannot match; whether one does is for the rule to say. Hosts are looked up by name.
//! Patterns, where there are many, are asked all at once in one pass over the text, so that the hundredth costs what the
//! first does.

use std::collections::HashMap;

use regex::{RegexSet, RegexSetBuilder};

use super::domain::DomainMatch;
use super::pattern::Pattern;
use super::policy::Rule;

/// Fewer patterns than this are asked one by one: a set has a price of its own.
const PATTERNS_MIN: usize = 4;
/// What a set may spend on remembering how it read texts, per thread. Beyond it a set forgets and goes on, slower.
const REMEMBERED_BYTES_MAX: usize = 16 << 20;

/// Rule numbers by host name, by suffix and by pattern. Each list is in rule order; hash order never reaches an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    exact: HashMap<String, List>,
    below: HashMap<String, List>,
    /// Rules with `domain_regex`, by their patterns.
    anywhere: List,
}

/// Rules found together.
#[derive(Debug, Clone, Default)]
struct List {
    /// To be asked in any case.
    always: Vec<usize>,
    /// To be asked where a pattern of theirs is found.
    by_pattern: Option<PatternSet>,
}

/// Many patterns and the rule that each belongs to.
#[derive(Debug, Clone)]
struct PatternSet {
    set: RegexSet,
    rules: Vec<usize>,
}

impl Index {
    /// The index of `rules`.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let (mut exact, mut below) = (HashMap::new(), HashMap::new());
        let mut anywhere = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            if !rule.domain_patterns.is_empty() {
                anywhere.push(number);
            }
            for domain in &rule.domains {
                let list: &mut Vec<usize> = match domain {
                    DomainMatch::Exact(name) => exact.entry(name.clone()),
                    DomainMatch::Below(name)
                    | DomainMatch::User(name)
                    | DomainMatch::Group(name) => below.entry(name.clone()),
                }
                .or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        }
        let by_resource = |found: Vec<usize>| List::new(rules, found, |rule| &rule.resources);
        let lists = |found: HashMap<String, Vec<usize>>| {
            let found = found.into_iter();
            found
                .map(|(name, found)| (name, by_resource(found)))
                .collect()
        };
        Self {
            exact: lists(exact),
            below: lists(below),
            anywhere: List::new(rules, anywhere, |rule| &rule.domain_patterns),
        }
    }

    /// The rules that may match `resource` on `host`, ascending, each once. `host_lower` is `host` in lower case.
    pub(super) fn candidates<'a>(
        &'a self,
        host: &str,
        host_lower: &str,
        resource: &str,
    ) -> Candidates<'a> {
        let mut candidates = Candidates::default();
        candidates.add(&self.anywhere, host);
        if let Some(list) = self.exact.get(host_lower) {
            candidates.add(list, resource);
        }
        if !self.below.is_empty() {
            let suffixes = host_lower
                .match_indices('.')
                .filter_map(|(dot, _)| host_lower.get(dot + 1..));
            suffixes
                .filter_map(|suffix| self.below.get(suffix))
                .for_each(|list| candidates.add(list, resource));
        }
        candidates.found.sort_unstable();
        candidates.found.dedup();
        candidates
    }
}

impl List {
    /// The list of the rules `found`, each to be asked where one of its `patterns` matches, or always if it has none.
    fn new(rules: &[Rule], found: Vec<usize>, patterns: impl Fn(&Rule) -> &[Pattern]) -> Self {
        let patterns_of = |number: &usize| rules.get(*number).map_or(&[][..], &patterns);
        let owned = found
            .iter()
            .flat_map(|number| patterns_of(number).iter().map(|pattern| (*number, pattern)));
        let Some(set) = PatternSet::new(owned.collect()) else {
            let always = found;
            return Self {
                always,
                by_pattern: None,
            };
        };
        let without = |number: &usize| patterns_of(number).is_empty();
        Self {
            always: found.iter().copied().filter(without).collect(),
            by_pattern: Some(set),
        }
    }
}

impl PatternSet {
    /// `None` for few patterns, and should they not fit one set.
    fn new(owned: Vec<(usize, &Pattern)>) -> Option<Self> {
        if owned.len() < PATTERNS_MIN {
            return None;
        }
        // Each pattern was held to a limit by itself.
        let set = RegexSetBuilder::new(owned.iter().map(|(_, pattern)| pattern.as_str()))
            .size_limit(usize::MAX)
            .dfa_size_limit(REMEMBERED_BYTES_MAX)
            .build()
            .ok()?;
        let rules = owned.into_iter().map(|(rule, _)| rule).collect();
        Some(Self { set, rules })
    }
}

/// Ascending lists, merged. There are rarely more than four, so the first ones need no memory of their own.
#[derive(Default)]
pub(super) struct Candidates<'a> {
    first: [&'a [usize]; 4],
    more: Vec<&'a [usize]>,
    /// Rules found by a pattern.
    found: Vec<usize>,
    /// How many of them were given out.
    given: usize,
}

impl<'a> Candidates<'a> {
    fn add(&mut self, list: &'a List, text: &str) {
        // Whether any is found costs less than which, and mostly none is.
        if let Some(PatternSet { set, rules }) = &list.by_pattern
            && set.is_match(text)
        {
            let found = set.matches(text);
            self.found
                .extend(found.iter().filter_map(|pattern| rules.get(pattern)));
        }
        if list.always.is_empty() {
            return;
        }
        match self.first.iter_mut().find(|place| place.is_empty()) {
            Some(place) => *place = &list.always,
            None => self.more.push(&list.always),
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lists = self.first.iter().chain(&self.more);
        let found = self.found.get(self.given).copied();
        let next = lists
            .filter_map(|list| list.first().copied())
            .chain(found)
            .min()?;
        for list in self.first.iter_mut().chain(&mut self.more) {
            if let Some((first, rest)) = list.split_first()
                && *first == next
            {
                *list = rest;
            }
        }
        self.given += usize::from(found == Some(next));
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::expect_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use std::collections::BTreeMap;
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::super::{Identity, Policy, QuerySpec, Requirement, RuleSpec, Target};

    fn compiled(specs: &[RuleSpec]) -> Policy {
        let networks = BTreeMap::from([(
            "office".to_owned(),
            vec!["10.0.0.0/8".parse().expect("a prefix")],
        )]);
        Policy::compile(Requirement::TwoFactor, specs, &networks).expect("rules compile")
    }

    fn spec(domain: &str, resource: &str) -> RuleSpec {
        let list = |text: &str| Vec::from_iter((!text.is_empty()).then(|| text.to_owned()));
        RuleSpec {
            domains: list(domain),
            resources: list(resource),
            policy: "one_factor".to_owned(),
            ..RuleSpec::default()
        }
    }

    fn candidates(policy: &Policy, host: &str, resource: &str) -> Vec<usize> {
        policy.index.candidates(host, host, resource).collect()
    }

    #[test]
    fn many_rules_for_other_hosts_and_paths_are_not_looked_at() {
        let mut specs: Vec<_> = (0..500)
            .map(|number| spec(&format!("app{number}.example.com"), ""))
            .collect();
        specs.push(spec("*.example.com", ""));
        specs.extend((0..100).map(|number| spec("one.example.com", &format!("^/p{number}/"))));
        specs.extend((0..100).map(|number| RuleSpec {
            domain_patterns: vec![format!(r"^\w+\.team{number}\.example\.com$")],
            ..spec("", "")
        }));
        let policy = compiled(&specs);
        assert_eq!(candidates(&policy, "app250.example.com", "/"), [250, 500]);
        assert_eq!(candidates(&policy, "one.example.com", "/p7/x"), [500, 508]);
        assert_eq!(candidates(&policy, "a.team9.example.com", "/"), [500, 610]);
    }

    /// Names, paths and people are few, so that rules and requests meet.
    fn rule() -> impl Strategy<Value = RuleSpec> {
        let some = |pattern: &'static str, most: usize| prop::collection::vec(pattern, 0..most);
        let domains = some(
            r"(\*\.|\{user\}\.|\{group\}\.|[ab]\.){0,1}([ab]\.){0,2}c",
            3,
        );
        let patterns = some(
            r"(\^(\(\?P<(User|Group)>\[ab\]\)|[ab])\\\.|[ab]\\?\.|(\(\?i\))?A|c\$)",
            2,
        );
        let resources = some(
            r"(\^/(\(\?P<(User|Group)>\[ab\]\)|[ab])|[ab]/|b\$|\\\?[ab]=1|\^/A)",
            3,
        );
        let subjects = prop::collection::vec(
            some("(user|group):[ab]", 3).prop_filter("none", |all| !all.is_empty()),
            0..3,
        );
        let networks = some(r"(office|10\.1\.0\.0/16|192\.0\.2\.1)", 2);
        let methods = some("(GET|POST)", 2);
        let query = prop::collection::vec("[ab]", 0..2);
        (
            domains, patterns, resources, subjects, networks, methods, query,
        )
            .prop_map(
                |(domains, domain_patterns, resources, subjects, networks, methods, query)| {
                    let is_empty = domains.is_empty() && domain_patterns.is_empty();
                    let argument = |key| {
                        vec![QuerySpec {
                            key,
                            ..QuerySpec::default()
                        }]
                    };
                    RuleSpec {
                        domains: if is_empty {
                            vec!["*.c".to_owned()]
                        } else {
                            domains
                        },
                        domain_patterns,
                        policy: "one_factor".to_owned(),
                        subjects,
                        networks,
                        resources,
                        methods,
                        query: query.into_iter().map(argument).collect(),
                    }
                },
            )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// The rules one after the other, each asked by itself, is what first match means.
        #[test]
        fn the_rule_found_is_the_first_of_all_that_matches(
            specs in prop::collection::vec(rule(), 1..40),
            policies in prop::collection::vec("(one_factor|two_factor|deny)", 40),
            host in r"([abAB]\.){0,3}[cC]",
            path in r"((/[abA]{0,2}){1,3}(;x)?)?(\?[ab](=1)?(&[ab])?)?",
            user in "[abAB]",
            groups in prop::collection::vec("[abAB]", 0..2),
            address in "(10\\.1\\.2\\.3|10\\.2\\.0\\.1|192\\.0\\.2\\.1)",
        ) {
            let specs: Vec<RuleSpec> = specs.into_iter().zip(policies)
                .map(|(spec, policy)| RuleSpec { policy, ..spec }).collect();
            let policy = compiled(&specs);
            let url = format!("https://{host}{path}");
            let target = Target::from_url(url.as_bytes(), b"GET").expect("a target");
            let client: IpAddr = address.parse().expect("an address");
            let john = Identity { user: &user, groups: &groups };
            for identity in [None, Some(&john)] {
                let mut strictest = None;
                policy.for_each_reading(identity, &target, client, |reading| {
                    let rule = policy.rules.iter().position(|rule| rule.matches(reading));
                    let requirement = rule
                        .and_then(|rule| policy.rules.get(rule))
                        .map_or(policy.default, |rule| rule.requirement);
                    if strictest.is_none_or(|(_, known)| requirement > known) {
                        strictest = Some((rule, requirement));
                    }
                });
                let decision = policy.decide(identity, &target, client);
                prop_assert_eq!(Some((decision.rule, decision.requirement)), strictest);
            }
        }

        #[test]
        fn candidates_come_once_and_in_order(
            specs in prop::collection::vec(rule(), 1..40),
            host in r"([ab]\.){0,3}c",
            resource in r"(/[ab]{0,2}){1,3}",
        ) {
            let policy = compiled(&specs);
            let found = candidates(&policy, &host, &resource);
            prop_assert!(found.is_sorted_by(|one, next| one < next), "{:?}", found);
        }
    }
}
