//! Shows, rule by rule and criterion by criterion, how a decision came about. It decides nothing itself.

use std::net::IpAddr;

use super::policy::{Reading, Rule};
use super::{Identity, Policy, Requirement, Target};

/// How one criterion of a rule stands to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The rule does not name this criterion.
    Unset,
    /// It matches.
    Hit,
    /// It does not match.
    Miss,
    /// The visitor is not known; whether it matches shows after a login, and until then it counts as a match.
    AfterLogin,
}

impl Check {
    /// Whether the criterion lets the rule match now.
    #[must_use]
    pub fn passes(self) -> bool {
        self != Self::Miss
    }
}

/// How one rule stands to a request, in its plain reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// The rule, counted from 0.
    pub rule: usize,
    /// What the rule asks for.
    pub requirement: Requirement,
    /// `domain` and `domain_regex` together.
    pub domain: Check,
    /// `resources`.
    pub resources: Check,
    /// `query`.
    pub query: Check,
    /// `methods`.
    pub methods: Check,
    /// `networks`.
    pub networks: Check,
    /// `subject`.
    pub subject: Check,
    /// Whether this is the rule that decides. Where a stricter reading of the request decides, that may be a rule
    /// that does not match the plain reading.
    pub decides: bool,
}

impl RuleTrace {
    /// Whether every criterion matches.
    #[must_use]
    pub fn matches(&self) -> bool {
        [
            self.domain,
            self.resources,
            self.query,
            self.methods,
            self.networks,
            self.subject,
        ]
        .iter()
        .all(|check| check.passes())
    }
}

impl Policy {
    /// How every rule stands to a request, in rule order. Slower than [`Policy::decide`]: it looks at all rules.
    #[must_use]
    pub fn explain(
        &self,
        identity: Option<&Identity<'_>>,
        target: &Target<'_>,
        client: IpAddr,
    ) -> Vec<RuleTrace> {
        let decisive = self.decide(identity, target, client).rule;
        let mut traces = Vec::with_capacity(self.rules.len());
        self.for_each_reading(identity, target, client, |reading| {
            // The plain reading comes first; the others only made the decision stricter.
            if traces.is_empty() {
                traces = self
                    .rules
                    .iter()
                    .enumerate()
                    .map(|(number, rule)| trace(number, rule, reading))
                    .collect();
            }
        });
        for trace in &mut traces {
            trace.decides = Some(trace.rule) == decisive;
        }
        traces
    }
}

fn trace(number: usize, rule: &Rule, reading: &Reading<'_>) -> RuleTrace {
    let anonymous = reading.identity.is_none();
    let check = |is_set: bool, hit: bool, by_identity: bool| match (is_set, hit) {
        (false, _) => Check::Unset,
        (true, false) => Check::Miss,
        (true, true) if anonymous && by_identity => Check::AfterLogin,
        (true, true) => Check::Hit,
    };
    RuleTrace {
        rule: number,
        requirement: rule.requirement,
        domain: check(
            true,
            rule.domain_matches(reading),
            rule.domain_names_identity(),
        ),
        resources: check(
            !rule.resources.is_empty(),
            rule.resources_match(reading),
            rule.resources_name_identity(),
        ),
        query: check(!rule.query.is_empty(), rule.query_matches(reading), false),
        methods: check(!rule.methods.is_empty(), rule.methods_match(reading), false),
        networks: check(rule.networks.is_some(), rule.networks_match(reading), false),
        subject: check(
            !rule.subjects.is_empty(),
            rule.subjects_match(reading),
            true,
        ),
        decides: false,
    }
}
