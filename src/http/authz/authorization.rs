//! Credentials in header fields. It parses them; checking a password is not its business.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use zeroize::Zeroizing;

use super::answer::HeaderChallenge;
use super::{Question, field};

/// The strategies that read credentials from a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderStrategy {
    /// `Authorization`, answered with 401.
    Authorization,
    /// `Proxy-Authorization`, answered with 407.
    ProxyAuthorization,
    /// `Proxy-Authorization`, answered with 401, for nginx.
    AuthRequestProxyAuthorization,
    /// `Authorization` where the request says `auth=basic`, otherwise `Proxy-Authorization`; answered with 401.
    Legacy,
}

/// The schemes an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schemes {
    /// `Basic`.
    pub basic: bool,
}

/// What a header field holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing: ask the next strategy.
    Absent,
    /// A known scheme that this endpoint does not take: ask the next strategy.
    NotEnabled,
    /// A name and a password, neither empty, not yet checked.
    Basic {
        /// The name as sent.
        user: String,
        /// The password as sent; wiped from memory when dropped.
        password: Zeroizing<String>,
    },
    /// Nobody is authenticated, and no further strategy is asked.
    Malformed,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "Absent",
            Self::NotEnabled => "NotEnabled",
            Self::Basic { .. } => "Basic(redacted)",
            Self::Malformed => "Malformed",
        })
    }
}

impl HeaderStrategy {
    /// Reads the credentials this strategy looks at.
    ///
    /// `auth=basic` of the legacy strategy makes them mandatory: their absence is [`Credentials::Malformed`].
    #[must_use]
    pub fn credentials(self, question: &Question<'_>, schemes: Schemes) -> Credentials {
        let headers = question.headers;
        match self {
            Self::Authorization => read(headers, &AUTHORIZATION, schemes),
            Self::ProxyAuthorization | Self::AuthRequestProxyAuthorization => {
                read(headers, &PROXY_AUTHORIZATION, schemes)
            }
            Self::Legacy if field::argument(question.uri, "auth").as_deref() == Some("basic") => {
                match read(headers, &AUTHORIZATION, schemes) {
                    Credentials::Absent | Credentials::NotEnabled => Credentials::Malformed,
                    found => found,
                }
            }
            // The old endpoint knows no other scheme, so one that is merely not enabled is a fault as well.
            Self::Legacy => match read(headers, &PROXY_AUTHORIZATION, schemes) {
                Credentials::NotEnabled => Credentials::Malformed,
                found => found,
            },
        }
    }

    /// How this strategy asks for credentials.
    #[must_use]
    pub fn challenge(self) -> HeaderChallenge {
        match self {
            Self::ProxyAuthorization => HeaderChallenge::ProxyAuthorization,
            Self::Authorization | Self::AuthRequestProxyAuthorization | Self::Legacy => {
                HeaderChallenge::Authorization
            }
        }
    }
}

/// Reads one field. Two fields are malformed: which one counts must not depend on who reads them.
fn read(headers: &HeaderMap, name: &http::HeaderName, schemes: Schemes) -> Credentials {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Credentials::Malformed,
        (Some(value), None) if !value.is_empty() => {
            parse(value.as_bytes(), schemes).unwrap_or(Credentials::Malformed)
        }
        (Some(_) | None, None) => Credentials::Absent,
    }
}

/// `Basic`, one blank, padded base64 of `user:password` in UTF-8; the first colon splits. Source: RFC 7617 section 2.
fn parse(value: &[u8], schemes: Schemes) -> Option<Credentials> {
    let end = value
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end)?;
    if scheme.eq_ignore_ascii_case(b"bearer")
        || (scheme.eq_ignore_ascii_case(b"basic") && !schemes.basic)
    {
        return Some(Credentials::NotEnabled);
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(rest.strip_prefix(b" ")?).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    if user.is_empty()
        || password.is_empty()
        || user.contains(|letter: char| letter.is_ascii_control())
    {
        return None;
    }
    Some(Credentials::Basic {
        user: user.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    })
}

#[cfg(test)]
mod tests;
