//! The compiled rules and the decision by them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::arguments::{ArgumentTest, Arguments};
use super::compile;
use super::domain::DomainMatch;
use super::index::Index;
use super::network;
use super::pattern::Pattern;
use super::{Requirement, RuleSpec, Target};

/// Who asks, once a session or credentials have said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The user's name, as the directory spells it.
    pub user: &'a str,
    /// The names of the user's groups.
    pub groups: &'a [String],
}

/// Why the rules cannot be compiled: one fault of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Which rule, counted from 0; `None` for a fault of the whole list.
    pub rule: Option<usize>,
    /// The key of the rule, as the configuration spells it.
    pub field: &'static str,
    /// What is wrong and what to write instead: one line, no full stop.
    pub message: String,
}

/// Something in the rules that is accepted but will surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWarning {
    /// Which rule, counted from 0.
    pub rule: usize,
    /// The key of the rule, as the configuration spells it.
    pub field: &'static str,
    /// What happens: one line, no full stop.
    pub message: String,
}

/// What the rules ask of one request.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the deciding rule asks for.
    pub requirement: Requirement,
    /// The deciding rule, counted from 0; `None` when no rule matched and the default counts.
    pub rule: Option<usize>,
    /// Whether the deciding rule speaks about who asks. The default never does.
    pub depends_on_subject: bool,
}

/// One compiled rule. A criterion that the configuration leaves out is an empty list or `None`.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) domains: Vec<DomainMatch>,
    pub(super) domain_patterns: Vec<Pattern>,
    pub(super) requirement: Requirement,
    pub(super) subjects: Vec<Vec<SubjectMatch>>,
    pub(super) networks: Option<Vec<IpNet>>,
    pub(super) resources: Vec<Pattern>,
    pub(super) methods: Vec<String>,
    pub(super) query: Vec<Vec<ArgumentTest>>,
    pub(super) depends_on_subject: bool,
}

/// One entry of `subject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SubjectMatch {
    User(String),
    Group(String),
    /// A client of the OpenID Connect provider; no visitor with a session is one.
    Client,
}

/// Access rules, compiled once. Cheap to share behind an `Arc`; deciding takes `&self` and locks nothing.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) default: Requirement,
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
    pub(super) warnings: Vec<RuleWarning>,
    pub(super) tests_query: bool,
}

/// One reading of a request.
pub(super) struct Reading<'a> {
    pub(super) identity: Option<&'a Identity<'a>>,
    pub(super) host: &'a str,
    pub(super) resource: &'a str,
    pub(super) arguments: &'a Arguments<'a>,
    pub(super) method: &'a str,
    pub(super) client: IpAddr,
}

impl Policy {
    /// Compiles the rules.
    ///
    /// `networks` are the named sets of `definitions.network`.
    ///
    /// # Errors
    ///
    /// Every fault of every rule at once, in rule order.
    pub fn compile(
        default: Requirement,
        specs: &[RuleSpec],
        networks: &BTreeMap<String, Vec<IpNet>>,
    ) -> Result<Self, Vec<RuleError>> {
        compile::policy(default, specs, networks)
    }

    /// What the rules ask of a request: the first matching rule, or the default.
    ///
    /// `client` is the visitor's address; the unspecified address stands for one that could not be told and is in
    /// no network. Where the request can be read in several ways, the strictest answer of all readings counts.
    pub fn decide(
        &self,
        identity: Option<&Identity<'_>>,
        target: &Target<'_>,
        client: IpAddr,
    ) -> Decision {
        let mut strictest: Option<Decision> = None;
        self.for_each_reading(identity, target, client, |reading| {
            let decision = self.first_match(target.host().lower(), reading);
            if strictest
                .as_ref()
                .is_none_or(|known| decision.requirement > known.requirement)
            {
                strictest = Some(decision);
            }
        });
        strictest.unwrap_or(Decision {
            requirement: Requirement::Deny,
            rule: None,
            depends_on_subject: false,
        })
    }

    /// Whether any rule or the default asks for two factors, so that the portal must offer a second one.
    #[must_use]
    pub fn needs_two_factor_anywhere(&self) -> bool {
        self.default == Requirement::TwoFactor
            || self
                .rules
                .iter()
                .any(|rule| rule.requirement == Requirement::TwoFactor)
    }

    /// What in the rules is accepted but will surprise, in rule order.
    #[must_use]
    pub fn warnings(&self) -> &[RuleWarning] {
        &self.warnings
    }

    /// Calls `decide` with every reading of the request, the plain one first. Nearly every request has one.
    pub(super) fn for_each_reading<'a>(
        &self,
        identity: Option<&'a Identity<'a>>,
        target: &'a Target<'_>,
        client: IpAddr,
        mut decide: impl FnMut(&Reading<'_>),
    ) {
        let host = target.host();
        let hosts = std::iter::once(host.as_sent())
            .chain(Some(host.lower()).filter(|lower| *lower != host.as_sent()));
        let query = target.query().unwrap_or_default();
        let plain = target.rule_resource();
        let guarded = target.guarded_resource();
        let tested = if self.tests_query { query } else { "" };
        let strict = Arguments::strict(tested);
        let lenient = Some(Arguments::lenient(tested)).filter(|lenient| *lenient != strict);
        for host in hosts {
            for resource in std::iter::once(&plain).chain(&guarded) {
                for arguments in std::iter::once(&strict).chain(&lenient) {
                    decide(&Reading {
                        identity,
                        host,
                        resource,
                        arguments,
                        method: target.method(),
                        client,
                    });
                }
            }
        }
    }

    fn first_match(&self, host_lower: &str, reading: &Reading<'_>) -> Decision {
        let candidates = self
            .index
            .candidates(reading.host, host_lower, reading.resource);
        for (number, rule) in
            candidates.filter_map(|number| Some((number, self.rules.get(number)?)))
        {
            if rule.matches(reading) {
                return Decision {
                    requirement: rule.requirement,
                    rule: Some(number),
                    depends_on_subject: rule.depends_on_subject,
                };
            }
        }
        Decision {
            requirement: self.default,
            rule: None,
            depends_on_subject: false,
        }
    }
}

impl Rule {
    /// Whether all given criteria match; the cheap ones are asked first.
    pub(super) fn matches(&self, reading: &Reading<'_>) -> bool {
        self.domain_matches(reading)
            && self.methods_match(reading)
            && self.networks_match(reading)
            && self.subjects_match(reading)
            && self.resources_match(reading)
            && self.query_matches(reading)
    }

    pub(super) fn domain_matches(&self, reading: &Reading<'_>) -> bool {
        self.domains
            .iter()
            .any(|domain| domain.matches(reading.host, reading.identity))
            || self
                .domain_patterns
                .iter()
                .any(|pattern| pattern.matches(reading.host, reading.identity))
    }

    pub(super) fn methods_match(&self, reading: &Reading<'_>) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|method| method == reading.method)
    }

    pub(super) fn networks_match(&self, reading: &Reading<'_>) -> bool {
        self.networks
            .as_ref()
            .is_none_or(|networks| network::contains(networks, reading.client))
    }

    /// For an anonymous visitor every subject may turn out to be theirs, so the rule matches and asks for a login.
    pub(super) fn subjects_match(&self, reading: &Reading<'_>) -> bool {
        let Some(identity) = reading.identity else {
            return true;
        };
        self.subjects.is_empty()
            || self
                .subjects
                .iter()
                .any(|all| all.iter().all(|subject| subject.matches(identity)))
    }

    pub(super) fn resources_match(&self, reading: &Reading<'_>) -> bool {
        self.resources.is_empty()
            || self
                .resources
                .iter()
                .any(|pattern| pattern.matches(reading.resource, reading.identity))
    }

    pub(super) fn query_matches(&self, reading: &Reading<'_>) -> bool {
        self.query.is_empty()
            || self
                .query
                .iter()
                .any(|all| all.iter().all(|test| test.matches(reading.arguments)))
    }
}

impl Rule {
    /// Whether `domain` or `domain_regex` speak about who asks.
    pub(super) fn domain_names_identity(&self) -> bool {
        self.domains.iter().any(DomainMatch::names_identity)
            || self.domain_patterns.iter().any(Pattern::names_identity)
    }

    /// Whether `resources` speak about who asks.
    pub(super) fn resources_name_identity(&self) -> bool {
        self.resources.iter().any(Pattern::names_identity)
    }
}

impl SubjectMatch {
    fn matches(&self, identity: &Identity<'_>) -> bool {
        match self {
            Self::User(name) => identity.user == name,
            Self::Group(name) => identity.groups.iter().any(|group| group == name),
            Self::Client => false,
        }
    }
}
