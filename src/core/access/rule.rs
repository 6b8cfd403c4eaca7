//! Rules as the configuration declares them, before they are compiled.

/// What a rule asks of the visitor. The order is from lax to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// Nothing: everybody passes.
    Bypass,
    /// One factor.
    OneFactor,
    /// Two factors.
    TwoFactor,
    /// Nobody passes.
    Deny,
}

impl Requirement {
    /// Reads `bypass`, `one_factor`, `two_factor` or `deny`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bypass, Self::OneFactor, Self::TwoFactor, Self::Deny]
            .into_iter()
            .find(|known| known.as_str() == text)
    }

    /// The word the configuration uses for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::OneFactor => "one_factor",
            Self::TwoFactor => "two_factor",
            Self::Deny => "deny",
        }
    }
}

/// One entry of `access_control.rules`, its texts untouched. The compiled form comes from `Policy::compile`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSpec {
    /// `domain`: exact names, `*.example.com`, `{user}.example.com`, `{group}.example.com`; any of them matches.
    pub domains: Vec<String>,
    /// `domain_regex`: patterns, with the named groups `User` and `Group` bound to the identity.
    pub domain_patterns: Vec<String>,
    /// `policy`, as text.
    pub policy: String,
    /// `subject`: any of the lists, all within a list; `user:NAME`, `group:NAME`, `oauth2:client:ID`.
    pub subjects: Vec<Vec<String>>,
    /// `networks`: addresses, CIDR prefixes, or names of `definitions.network`.
    pub networks: Vec<String>,
    /// `resources`: patterns on path and query.
    pub resources: Vec<String>,
    /// `methods`: upper-case names.
    pub methods: Vec<String>,
    /// `query`: any of the lists, all within a list.
    pub query: Vec<Vec<QuerySpec>>,
}

/// One entry of a rule's `query`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuerySpec {
    /// `operator`: `equal`, `not equal`, `present`, `absent`, `pattern`, `not pattern`; by default `equal` with a
    /// value and `present` without.
    pub operator: Option<String>,
    /// `key`, case-sensitive.
    pub key: String,
    /// `value`.
    pub value: Option<String>,
}
