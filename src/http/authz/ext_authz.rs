//! The visitor's request itself, below the path of the endpoint: Envoy, Istio, Gateway API.
//!
//! Envoy puts its `path_prefix` in front of the visitor's path. The prefix ends in a slash, so the path follows behind
//! two: `/api/authz/ext-authz//page?x=1`. The query is the visitor's and is kept.

use quorate_core::access::Target;

use super::{Facts, FactsReason, Navigation, Question, field};

pub(super) fn facts(question: &Question<'_>) -> Result<Facts, FactsReason> {
    let headers = question.headers;
    let scheme = field::single(headers, "x-forwarded-proto")?
        .unwrap_or(question.connection_scheme.as_bytes());
    // A listener folds a host to lower case, unlike a forwarded one.
    let host = host(question)?.to_ascii_lowercase();
    let uri = visitors_uri(question)?;
    Ok(Facts {
        target: Target::from_parts(
            scheme,
            &host,
            uri.as_bytes(),
            question.method.as_str().as_bytes(),
        )?,
        portal_override: field::portal(headers)?,
        navigation: Navigation::read(headers),
    })
}

/// The authority of the request line replaces the `Host` field. Source: RFC 9112 section 3.2.2.
pub(super) fn host<'a>(question: &Question<'a>) -> Result<&'a [u8], FactsReason> {
    let named = field::single(question.headers, "host")?;
    match question.uri.authority() {
        Some(authority) => Ok(authority.as_str().as_bytes()),
        None => named.ok_or(FactsReason::Missing("host")),
    }
}

/// Path and query behind the endpoint; empty for the endpoint itself.
fn visitors_uri(question: &Question<'_>) -> Result<String, FactsReason> {
    let rest = question
        .uri
        .path()
        .strip_prefix(question.endpoint)
        .ok_or(FactsReason::Prefix)?;
    let path = match rest.strip_prefix('/') {
        None if rest.is_empty() => "",
        Some("") => "",
        Some(path) if path.starts_with('/') => path,
        None | Some(_) => return Err(FactsReason::Prefix),
    };
    Ok(match question.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}
