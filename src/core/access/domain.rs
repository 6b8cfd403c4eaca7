//! The `domain` entries of a rule.

use super::Identity;

/// One entry of `domain`, its name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DomainMatch {
    /// This very name.
    Exact(String),
    /// Any name below, at any depth, but not the name itself.
    Below(String),
    /// `{user}.x`: the user's own name in front of the suffix.
    User(String),
    /// `{group}.x`: the first label is a group of the user.
    Group(String),
}

impl DomainMatch {
    pub(super) fn parse(entry: &str) -> Self {
        let entry = entry.to_ascii_lowercase();
        if let Some(suffix) = entry.strip_prefix("*.") {
            Self::Below(suffix.to_owned())
        } else if let Some(suffix) = entry.strip_prefix("{user}.") {
            Self::User(suffix.to_owned())
        } else if let Some(suffix) = entry.strip_prefix("{group}.") {
            Self::Group(suffix.to_owned())
        } else {
            Self::Exact(entry)
        }
    }

    pub(super) fn names_identity(&self) -> bool {
        matches!(self, Self::User(_) | Self::Group(_))
    }

    /// Why this entry can never match a host, if so.
    pub(super) fn why_never(&self) -> Option<&'static str> {
        let (Self::Exact(name) | Self::Below(name) | Self::User(name) | Self::Group(name)) = self;
        if name.contains(':') {
            Some(
                "ports are not compared, so an entry with a port never matches; leave the port out",
            )
        } else if name.contains('*') {
            Some("a star stands only in front, as `*.example.com`; this entry never matches")
        } else if name.split('.').any(str::is_empty) || name.ends_with('.') {
            Some("a name with an empty label never matches")
        } else {
            None
        }
    }

    /// Whether `host`, in the case it was sent, matches. Placeholders compare the host's case exactly, except the
    /// group itself; for an anonymous visitor any name below fits, and the rule then asks for a login.
    pub(super) fn matches(&self, host: &str, identity: Option<&Identity<'_>>) -> bool {
        match self {
            Self::Exact(name) => host.eq_ignore_ascii_case(name),
            Self::Below(suffix) => is_below(host, suffix),
            Self::User(suffix) => match identity {
                Some(identity) => front_of(host, suffix) == Some(identity.user),
                None => front_of(host, suffix).is_some(),
            },
            Self::Group(suffix) => match (front_of(host, suffix), identity) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(front), Some(identity)) => {
                    !front.contains('.')
                        && identity
                            .groups
                            .iter()
                            .any(|group| group.eq_ignore_ascii_case(front))
                }
            },
        }
    }
}

/// Whether something and a dot stand in front of `suffix`, in any case.
fn is_below(host: &str, suffix: &str) -> bool {
    let front = host
        .len()
        .checked_sub(suffix.len() + 1)
        .filter(|end| *end > 0);
    let parts = front.and_then(|end| host.split_at_checked(end));
    parts.is_some_and(|(_, tail)| {
        tail.strip_prefix('.')
            .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
    })
}

/// What stands in front of `.suffix`, if anything.
fn front_of<'a>(host: &'a str, suffix: &str) -> Option<&'a str> {
    host.strip_suffix(suffix)?
        .strip_suffix('.')
        .filter(|front| !front.is_empty())
}
