//! The portal and the URL that sends a visitor there. Only configured portals exist: a request can choose among them
//! and add nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quorate_core::access::{HostName, Scheme, Target, TargetError};

/// What form encoding leaves as it is, beside letters and digits. Blanks become `+` afterwards.
const ARGUMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b' ');

/// The URL of a portal, `https`, without userinfo or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalUrl {
    host: HostName<'static>,
    /// The path with a final slash, percent-encoded.
    path: String,
    /// The path with a final slash, decoded and folded, for comparing.
    place: String,
    /// Arguments of the configured URL without `rd` and `rm`, decoded.
    arguments: Vec<(String, String)>,
}

/// Why a text is not the URL of a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PortalError {
    /// The scheme is `wss`.
    #[error("the URL of the portal is not https")]
    NotHttps,
    /// It is not a well-formed https URL.
    #[error(transparent)]
    Url(#[from] TargetError),
}

impl PortalUrl {
    /// Reads a configured `authelia_url`. A missing final slash of the path is added.
    ///
    /// # Errors
    ///
    /// [`PortalError`] where the URL is not https or not well-formed.
    pub fn parse(text: &str) -> Result<Self, PortalError> {
        let url = Target::from_url(text.as_bytes(), b"GET")?;
        if url.scheme() != Scheme::Https {
            return Err(PortalError::NotHttps);
        }
        let place = if url.path().is_empty() {
            "/"
        } else {
            url.rule_path()
        };
        let arguments =
            form_urlencoded::parse(url.query().unwrap_or_default().as_bytes()).into_owned();
        Ok(Self {
            host: url.host().clone().into_owned(),
            path: with_final_slash(url.path_text()),
            place: with_final_slash(place.to_owned()),
            arguments: arguments
                .filter(|(name, _)| name != "rd" && name != "rm")
                .collect(),
        })
    }

    /// The host and port of the portal.
    #[must_use]
    pub fn host(&self) -> &HostName<'static> {
        &self.host
    }

    /// The absolute URL that sends the visitor of `target` to this portal.
    ///
    /// Its arguments are the portal's own, `rd` (the target, not normalised) and `rm` (the method), sorted by name and
    /// form-encoded.
    #[must_use]
    pub fn login_url(&self, target: &Target<'_>) -> String {
        let back = target.url_text();
        let own = self
            .arguments
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut arguments: Vec<_> = own
            .chain([("rd", back.as_str()), ("rm", target.method())])
            .collect();
        arguments.sort_by_key(|(name, _)| *name);
        let mut url = format!("https://{}", self.host.lower());
        if let Some(port) = self.host.port() {
            url.push(':');
            url.push_str(&port.to_string());
        }
        url.push_str(&self.path);
        for (place, (name, value)) in arguments.into_iter().enumerate() {
            url.push(if place == 0 { '?' } else { '&' });
            push_encoded(&mut url, name);
            url.push('=');
            push_encoded(&mut url, value);
        }
        url
    }

    /// Whether both name the same place: host, port and path.
    fn is_same_place(&self, other: &Self) -> bool {
        let port = |portal: &Self| portal.host.port().unwrap_or(443);
        self.host.lower() == other.host.lower()
            && port(self) == port(other)
            && self.place == other.place
    }
}

/// The configured portal that a request names, without the arguments of either.
///
/// `text` is the decoded override of the request, `cookie_domain` the domain that covers the target, and `configured`
/// every configured portal. The portal must lie within the cookie domain. The `#/` of old portal URLs is forgiven.
/// `None` means that the request must be refused, even where the rules would let it pass.
#[must_use]
pub fn requested(text: &str, cookie_domain: &str, configured: &[PortalUrl]) -> Option<PortalUrl> {
    let text = text
        .strip_suffix("#/")
        .or_else(|| text.strip_suffix('#'))
        .unwrap_or(text);
    let named = PortalUrl::parse(text).ok()?;
    let known = configured
        .iter()
        .find(|portal| portal.is_same_place(&named))?;
    known.host.is_within(cookie_domain).then(|| PortalUrl {
        arguments: Vec::new(),
        ..known.clone()
    })
}

fn with_final_slash(mut path: String) -> String {
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

fn push_encoded(url: &mut String, text: &str) {
    let encoded = utf8_percent_encode(text, ARGUMENT);
    encoded.for_each(|part| url.push_str(&part.replace(' ', "+")));
}

#[cfg(test)]
mod tests;
