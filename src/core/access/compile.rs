//! From the rules as declared to the rules as run, with every fault found at once.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::arguments::{ArgumentTest, Operator};
use super::domain::DomainMatch;
use super::index::Index;
use super::network;
use super::pattern::Pattern;
use super::policy::{Policy, Rule, RuleError, RuleWarning, SubjectMatch};
use super::{QuerySpec, Requirement, RuleSpec};

/// The methods a rule may name. Source: RFC 9110 section 9, RFC 5789, RFC 4918 section 9.
const METHODS: [&str; 16] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
];

/// Compiles a whole list; see [`Policy::compile`].
pub(super) fn policy(
    default: Requirement,
    specs: &[RuleSpec],
    networks: &BTreeMap<String, Vec<IpNet>>,
) -> Result<Policy, Vec<RuleError>> {
    let mut errors = Vec::new();
    if specs.is_empty() && matches!(default, Requirement::Deny | Requirement::Bypass) {
        let message = format!(
            "without rules the default policy `{}` decides everything; write rules, or `one_factor` or `two_factor`",
            default.as_str()
        );
        errors.push(RuleError {
            rule: None,
            field: "default_policy",
            message,
        });
    }
    let (mut rules, mut warnings) = (Vec::with_capacity(specs.len()), Vec::new());
    for (number, spec) in specs.iter().enumerate() {
        let mut compiler = Compiler {
            number,
            networks,
            errors: &mut errors,
            warnings: &mut warnings,
        };
        rules.push(compiler.rule(spec));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let tests_query = rules.iter().any(|rule| !rule.query.is_empty());
    Ok(Policy {
        default,
        index: Index::new(&rules),
        rules,
        warnings,
        tests_query,
    })
}

/// Compiles one rule. A faulty part is reported and left out; a list with errors is never used.
struct Compiler<'a> {
    number: usize,
    networks: &'a BTreeMap<String, Vec<IpNet>>,
    errors: &'a mut Vec<RuleError>,
    warnings: &'a mut Vec<RuleWarning>,
}

impl Compiler<'_> {
    fn rule(&mut self, spec: &RuleSpec) -> Rule {
        let requirement = Requirement::parse(&spec.policy);
        if requirement.is_none() {
            let message = format!(
                "`{}` is none of `bypass`, `one_factor`, `two_factor`, `deny`",
                spec.policy
            );
            self.error("policy", message);
        }
        let domain_patterns = self.patterns("domain_regex", &spec.domain_patterns);
        let mut rule = Rule {
            domains: self.domains(spec),
            domain_patterns,
            requirement: requirement.unwrap_or(Requirement::Deny),
            subjects: self.subjects(&spec.subjects),
            networks: self.networks(&spec.networks),
            resources: self.patterns("resources", &spec.resources),
            methods: self.methods(&spec.methods),
            query: self.query(&spec.query),
            depends_on_subject: false,
        };
        rule.depends_on_subject = !rule.subjects.is_empty()
            || rule.domain_names_identity()
            || rule.resources_name_identity();
        if rule.requirement == Requirement::Bypass && rule.depends_on_subject {
            self.bypass_by_identity(&mut rule);
        }
        rule
    }

    /// A bypass is decided before anybody is known, so it cannot hang on who asks. Authelia refuses two of the four
    /// forms and runs the other two so that strangers pass everywhere; those are run as `one_factor`, which is what
    /// their author can have meant at most.
    fn bypass_by_identity(&mut self, rule: &mut Rule) {
        if !rule.subjects.is_empty() {
            self.error(
                "subject",
                "a `bypass` rule cannot have a subject; use `one_factor`".to_owned(),
            );
        }
        if rule.domain_patterns.iter().any(Pattern::names_identity) {
            let message = "a `bypass` rule cannot bind `User` or `Group`; use `one_factor`, or an unnamed group";
            self.error("domain_regex", message.to_owned());
        }
        let by_domain = rule.domains.iter().any(DomainMatch::names_identity);
        let by_resource = rule.resources_name_identity();
        for (field, found) in [("domain", by_domain), ("resources", by_resource)] {
            if found {
                let message =
                    "`bypass` cannot depend on the user or group; this rule is run as `one_factor`";
                self.warning(field, message.to_owned());
                rule.requirement = Requirement::OneFactor;
            }
        }
    }

    fn domains(&mut self, spec: &RuleSpec) -> Vec<DomainMatch> {
        if spec.domains.is_empty() && spec.domain_patterns.is_empty() {
            self.error(
                "domain",
                "a rule needs `domain` or `domain_regex`".to_owned(),
            );
        }
        let mut domains = Vec::with_capacity(spec.domains.len());
        for entry in &spec.domains {
            let domain = DomainMatch::parse(entry);
            if entry.is_empty() {
                self.error("domain", "the name is empty".to_owned());
            } else if let Some(why) = domain.why_never() {
                self.warning("domain", format!("`{entry}`: {why}"));
            }
            domains.push(domain);
        }
        domains
    }

    fn patterns(&mut self, field: &'static str, texts: &[String]) -> Vec<Pattern> {
        let mut patterns = Vec::with_capacity(texts.len());
        for text in texts {
            match Pattern::compile(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(why) => self.error(
                    field,
                    format!("`{text}` is not a regular expression: {why}"),
                ),
            }
        }
        patterns
    }

    fn subjects(&mut self, lists: &[Vec<String>]) -> Vec<Vec<SubjectMatch>> {
        if lists.iter().any(Vec::is_empty) {
            self.error(
                "subject",
                "an empty list inside the list would match everybody".to_owned(),
            );
        }
        lists
            .iter()
            .map(|all| all.iter().filter_map(|entry| self.subject(entry)).collect())
            .collect()
    }

    fn subject(&mut self, entry: &str) -> Option<SubjectMatch> {
        let entry = entry.trim();
        let found = if let Some(name) = entry.strip_prefix("user:") {
            Some((name, SubjectMatch::User(name.trim().to_owned())))
        } else if let Some(name) = entry.strip_prefix("group:") {
            Some((name, SubjectMatch::Group(name.trim().to_owned())))
        } else {
            entry
                .strip_prefix("oauth2:client:")
                .map(|name| (name, SubjectMatch::Client))
        };
        match found {
            Some((name, subject)) if !name.trim().is_empty() => Some(subject),
            _ => {
                let message =
                    format!("`{entry}` is none of `user:NAME`, `group:NAME`, `oauth2:client:ID`");
                self.error("subject", message);
                None
            }
        }
    }

    fn networks(&mut self, entries: &[String]) -> Option<Vec<IpNet>> {
        if entries.is_empty() {
            return None;
        }
        let mut prefixes = Vec::with_capacity(entries.len());
        for entry in entries {
            match network::parse(entry, self.networks) {
                Some(found) => prefixes.extend(found),
                None => {
                    let message = format!(
                        "`{entry}` is neither an address, a prefix like `10.0.0.0/8`, nor in `definitions.network`"
                    );
                    self.error("networks", message);
                }
            }
        }
        Some(prefixes)
    }

    fn methods(&mut self, methods: &[String]) -> Vec<String> {
        for method in methods
            .iter()
            .filter(|method| !METHODS.contains(&method.as_str()))
        {
            self.error(
                "methods",
                format!("`{method}` is none of {}", METHODS.join(", ")),
            );
        }
        methods.to_vec()
    }

    fn query(&mut self, lists: &[Vec<QuerySpec>]) -> Vec<Vec<ArgumentTest>> {
        if lists.iter().any(Vec::is_empty) {
            self.error(
                "query",
                "an empty list inside the list would match every request".to_owned(),
            );
        }
        lists
            .iter()
            .map(|all| all.iter().filter_map(|test| self.argument(test)).collect())
            .collect()
    }

    fn argument(&mut self, spec: &QuerySpec) -> Option<ArgumentTest> {
        if spec.key.is_empty() {
            self.error("query", "a test needs a key".to_owned());
        }
        let default = if spec.value.is_some() {
            "equal"
        } else {
            "present"
        };
        let name = spec
            .operator
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(default);
        let operator = match (name, &spec.value) {
            ("present", _) => Operator::Present,
            ("absent", _) => Operator::Absent,
            ("equal", Some(value)) => Operator::Equal(value.clone()),
            ("not equal", Some(value)) => Operator::NotEqual(value.clone()),
            ("pattern", Some(value)) => Operator::Pattern(self.query_pattern(value)?),
            ("not pattern", Some(value)) => Operator::NotPattern(self.query_pattern(value)?),
            ("equal" | "not equal" | "pattern" | "not pattern", None) => {
                self.error(
                    "query",
                    format!(
                        "the operator `{name}` of the key `{}` needs a value",
                        spec.key
                    ),
                );
                return None;
            }
            _ => {
                let known = "`equal`, `not equal`, `present`, `absent`, `pattern`, `not pattern`";
                self.error("query", format!("the operator `{name}` is none of {known}"));
                return None;
            }
        };
        if matches!(operator, Operator::Present | Operator::Absent) && spec.value.is_some() {
            self.warning(
                "query",
                format!(
                    "the operator `{name}` of the key `{}` looks at no value",
                    spec.key
                ),
            );
        }
        Some(ArgumentTest {
            key: spec.key.clone(),
            operator,
        })
    }

    fn query_pattern(&mut self, text: &str) -> Option<Pattern> {
        self.patterns("query", &[text.to_owned()]).pop()
    }

    fn error(&mut self, field: &'static str, message: String) {
        self.errors.push(RuleError {
            rule: Some(self.number),
            field,
            message,
        });
    }

    fn warning(&mut self, field: &'static str, message: String) {
        self.warnings.push(RuleWarning {
            rule: self.number,
            field,
            message,
        });
    }
}

#[cfg(test)]
mod tests;
