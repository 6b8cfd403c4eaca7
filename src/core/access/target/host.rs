//! `host[:port]`: the only form a host may have. It decides nothing about which hosts are ours.

use std::borrow::Cow;

/// The longest host name. Source: RFC 1035 section 2.3.4.
const HOST_BYTES_MAX: usize = 253;
/// The longest label. Source: RFC 1035 section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// A host name or IPv4 address with an optional port, proven to hold nothing else. It borrows the text it was read
/// from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName<'a> {
    sent: Cow<'a, str>,
    /// `None` where it is as sent.
    lower: Option<String>,
    port: Option<u16>,
}

/// Why a text is not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing there.
    #[error("the host is empty")]
    Empty,
    /// More than 253 bytes, or a label of more than 63.
    #[error("the host is longer than a host name can be")]
    TooLong,
    /// A byte that is not a letter, digit, `-`, `_` or `.` (userinfo, paths, lists, escapes, IPv6 literals).
    #[error("the host has a character that no host name has")]
    Character,
    /// Two dots in a row, or a dot at the start or end.
    #[error("the host has an empty label")]
    EmptyLabel,
    /// The text behind the colon is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl<'a> HostName<'a> {
    /// Reads `host[:port]`.
    ///
    /// # Errors
    ///
    /// A [`HostError`] that says which part is wrong.
    pub fn parse(text: &'a [u8]) -> Result<Self, HostError> {
        let (name, port) = match text.iter().position(|byte| *byte == b':') {
            Some(colon) => text.split_at_checked(colon).unwrap_or((text, &[])),
            None => (text, &[][..]),
        };
        let port = match port {
            [] => None,
            [_, digits @ ..] => Some(parse_port(digits)?),
        };
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        let sent = std::str::from_utf8(name).map_err(|_| HostError::Character)?;
        if !name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        {
            return Err(HostError::Character);
        }
        if sent.split('.').any(str::is_empty) {
            return Err(HostError::EmptyLabel);
        }
        if name.len() > HOST_BYTES_MAX || sent.split('.').any(|label| label.len() > LABEL_BYTES_MAX)
        {
            return Err(HostError::TooLong);
        }
        Ok(Self {
            lower: sent
                .bytes()
                .any(|byte| byte.is_ascii_uppercase())
                .then(|| sent.to_ascii_lowercase()),
            sent: Cow::Borrowed(sent),
            port,
        })
    }

    /// The same, holding its own text.
    #[must_use]
    pub fn into_owned(self) -> HostName<'static> {
        HostName {
            sent: Cow::Owned(self.sent.into_owned()),
            lower: self.lower,
            port: self.port,
        }
    }

    /// The name as sent, without the port.
    #[must_use]
    pub fn as_sent(&self) -> &str {
        &self.sent
    }

    /// The name in lower case, without the port.
    #[must_use]
    pub fn lower(&self) -> &str {
        self.lower.as_deref().unwrap_or(&self.sent)
    }

    /// The port, if one was given.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether this is `domain` or a name below it; see [`host_is_within`].
    #[must_use]
    pub fn is_within(&self, domain: &str) -> bool {
        host_is_within(self.lower(), domain)
    }
}

/// Whether the lower-case name `host` is `domain` or lies below it. `domain` is compared ignoring case and has no
/// leading dot.
#[must_use]
pub fn host_is_within(host: &str, domain: &str) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    let Some((front, tail)) = host.split_at_checked(start) else {
        return false;
    };
    !domain.is_empty()
        && tail.eq_ignore_ascii_case(domain)
        && (front.is_empty() || front.ends_with('.'))
}

/// `str::parse` alone would take a leading plus sign.
fn parse_port(digits: &[u8]) -> Result<u16, HostError> {
    let digits = std::str::from_utf8(digits).map_err(|_| HostError::Port)?;
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    digits
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or(HostError::Port)
}
