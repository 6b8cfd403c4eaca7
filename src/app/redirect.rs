//! Where a visitor may be sent: never anywhere but to an https page of a configured cookie domain.

use std::net::IpAddr;

use quorate_core::Level;
use quorate_core::access::{Identity, Requirement, Scheme, Target, host_is_within};

use super::App;
use super::session::Authenticated;
use crate::config::CookieDomain;

/// What a text says of where to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetText {
    /// No text, or an empty one.
    None,
    /// Not a URL at all; whoever sent it made a mistake or tries something.
    Unreadable,
    /// A URL that nobody is sent to.
    Unsafe,
    /// A page of ours.
    Safe(SafeTarget),
}

/// A URL that visitors may be sent to: https or wss, on a configured cookie domain, readable in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeTarget {
    text: String,
}

impl SafeTarget {
    /// The URL as it was given, fragment included.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The host, lower case, without port: what a page may show.
    #[must_use]
    pub fn host(&self) -> String {
        self.target("GET")
            .map(|target| target.host().lower().to_owned())
            .unwrap_or_default()
    }

    fn target<'a>(&'a self, method: &'a str) -> Option<Target<'a>> {
        // The fragment never leaves the browser, so no rule sees it.
        let without_fragment = self.text.split('#').next().unwrap_or_default();
        // Where no method is known, rules that name methods do not match.
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let method = if is_method { method } else { "UNKNOWN" };
        Target::from_url(without_fragment.as_bytes(), method.as_bytes()).ok()
    }
}

impl TargetText {
    /// The longest target, in bytes.
    const BYTES_MAX: usize = 8 * 1024;

    /// Judges `text` against the configured cookie domains.
    #[must_use]
    pub fn read(text: Option<&str>, domains: &[CookieDomain]) -> Self {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Self::None;
        };
        if text.len() > Self::BYTES_MAX || !is_readable(text) {
            return Self::Unreadable;
        }
        let safe = SafeTarget {
            text: text.to_owned(),
        };
        let is_ours = safe.target("GET").is_some_and(|target| {
            matches!(target.scheme(), Scheme::Https | Scheme::Wss)
                && domains
                    .iter()
                    .any(|domain| host_is_within(target.host().lower(), &domain.domain))
        });
        if is_ours {
            Self::Safe(safe)
        } else {
            Self::Unsafe
        }
    }

    /// The target, if visitors may be sent there.
    #[must_use]
    pub fn safe(&self) -> Option<&SafeTarget> {
        match self {
            Self::Safe(target) => Some(target),
            _ => None,
        }
    }
}

/// Whether a text is a URL or an absolute path at all: `scheme:` or `/` in front, nothing in it that no URL has.
fn is_readable(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return text.starts_with('/');
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    // A fragment right after the host is none: programs disagree on where the host ends.
    let after = rest.strip_prefix("//").unwrap_or_default();
    let authority = after.split(['/', '?']).next().unwrap_or_default();
    (is_scheme || text.starts_with('/'))
        && !text.chars().any(|c| c.is_control() || c == ' ')
        && !authority.contains(['\\', '%', '"', '<', '>', '#'])
        && is_port_a_number(authority)
        && are_percent_codes_whole(rest.split(['?', '#']).next().unwrap_or_default())
}

/// Whether what follows the host's last colon, if anything, is a number. An IPv6 address has its colons in brackets.
fn is_port_a_number(authority: &str) -> bool {
    let after_address = authority.rsplit(']').next().unwrap_or_default();
    let host = after_address.rsplit('@').next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    port.bytes().all(|byte| byte.is_ascii_digit())
}

fn are_percent_codes_whole(path: &str) -> bool {
    path.split('%')
        .skip(1)
        .all(|code| code.len() >= 2 && code.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

impl App {
    /// Whether `who` needs no further factor for `target`. A page that the rules deny needs none: the proxy will say
    /// so.
    #[must_use]
    pub fn is_level_enough(
        &self,
        who: &Authenticated,
        target: &SafeTarget,
        method: &str,
        client: IpAddr,
    ) -> bool {
        let Some(target) = target.target(method) else {
            return true;
        };
        let identity = Identity {
            user: who.user.name.as_str(),
            groups: &who.user.groups,
        };
        let decision = self
            .access()
            .policy
            .decide(Some(&identity), &target, client);
        decision.requirement != Requirement::TwoFactor || who.session.level >= Level::TwoFactor
    }
}

#[cfg(test)]
mod tests {
    use super::is_readable;

    #[test]
    fn what_is_no_url_is_told_from_what_is_unsafe() {
        let readable = [
            "https://one.example.com",
            "https://one.example.com:8443/a?b=c#d",
            "https://a:b@one.example.com/",
            "https://[2001:db8::1]:8443/",
            "https:/one.example.com",
            "javascript:alert('a:b')",
            "//one.example.com",
            "/x",
        ];
        for text in readable {
            assert!(is_readable(text), "{text}");
        }
        let not = [
            "not a url",
            "one.example.com",
            "%%",
            "https://one.example.com#x",
            "https://one.example.com:abc/",
            "https://one.example.com\\@evil.com/",
            "https://one example.com/",
            "https://one.example.com/%zz",
        ];
        for text in not {
            assert!(!is_readable(text), "{text}");
        }
    }
}
