//! Finds the rules that may speak about a host without looking at the others.

use std::collections::HashMap;

use super::domain::DomainMatch;

/// Rule numbers by host name and by suffix. Each list is in rule order; hash order never reaches an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    exact: HashMap<String, Vec<usize>>,
    below: HashMap<String, Vec<usize>>,
    anywhere: Vec<usize>,
}

impl Index {
    /// Adds the next rule; rules must be added in order.
    pub(super) fn add(&mut self, rule: usize, domains: &[DomainMatch], has_patterns: bool) {
        if has_patterns {
            self.anywhere.push(rule);
            return;
        }
        for domain in domains {
            let list = match domain {
                DomainMatch::Exact(name) => self.exact.entry(name.clone()),
                DomainMatch::Below(name) | DomainMatch::User(name) | DomainMatch::Group(name) => {
                    self.below.entry(name.clone())
                }
            };
            let list = list.or_default();
            if list.last() != Some(&rule) {
                list.push(rule);
            }
        }
    }

    /// The rules that may match the lower-case name `host`, ascending, each once.
    pub(super) fn candidates<'a>(&'a self, host: &str) -> Candidates<'a> {
        let exact = self.exact.get(host).map_or(&[][..], Vec::as_slice);
        let mut lists = Candidates {
            first: [&self.anywhere, exact, &[], &[]],
            more: Vec::new(),
        };
        if !self.below.is_empty() {
            let suffixes = host
                .match_indices('.')
                .filter_map(|(dot, _)| host.get(dot + 1..));
            suffixes
                .filter_map(|suffix| self.below.get(suffix))
                .for_each(|list| lists.add(list));
        }
        lists
    }
}

/// Merges ascending lists. There are rarely more than four, so the first ones need no memory of their own.
pub(super) struct Candidates<'a> {
    first: [&'a [usize]; 4],
    more: Vec<&'a [usize]>,
}

impl<'a> Candidates<'a> {
    fn add(&mut self, list: &'a [usize]) {
        match self.first.iter_mut().find(|place| place.is_empty()) {
            Some(place) => *place = list,
            None => self.more.push(list),
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lists = self.first.iter().chain(&self.more);
        let next = lists.filter_map(|list| list.first().copied()).min()?;
        for list in self.first.iter_mut().chain(&mut self.more) {
            if let Some((first, rest)) = list.split_first()
                && *first == next
            {
                *list = rest;
            }
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(rules: &[Vec<String>]) -> Index {
        let mut index = Index::default();
        for (number, entries) in rules.iter().enumerate() {
            let domains: Vec<_> = entries
                .iter()
                .map(|entry| DomainMatch::parse(entry))
                .collect();
            // A rule with patterns may match anywhere; an empty list stands for one here.
            index.add(number, &domains, domains.is_empty());
        }
        index
    }

    #[test]
    fn many_rules_for_other_hosts_are_not_looked_at() {
        let mut rules: Vec<_> = (0..500)
            .map(|number| vec![format!("app{number}.example.com")])
            .collect();
        rules.push(vec!["*.example.com".to_owned()]);
        rules.push(Vec::new());
        let found: Vec<_> = index(&rules).candidates("app250.example.com").collect();
        assert_eq!(found, [250, 500, 501]);
    }

    proptest! {
        #[test]
        fn every_rule_that_can_match_is_found_once_and_in_order(
            rules in prop::collection::vec(prop::collection::vec(r"(\*\.|\{user\}\.|\{group\}\.|[ab]\.)?([ab]\.){0,2}c", 0..3), 0..12),
            host in r"([ab]\.){0,3}c",
        ) {
            let found: Vec<_> = index(&rules).candidates(&host).collect();
            prop_assert!(found.is_sorted_by(|one, next| one < next));
            for (number, entries) in rules.iter().enumerate() {
                let matches = entries.iter().any(|entry| DomainMatch::parse(entry).matches(&host, None));
                prop_assert!(!matches || found.contains(&number), "rule {number} on {host}");
            }
        }
    }
}
