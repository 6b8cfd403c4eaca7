//! The visitor's request itself, below the path of the endpoint: Envoy, Istio, Gateway API.
//!
//! Envoy puts its `path_prefix` in front of the visitor's path. The prefix ends in a slash, so the path follows behind
//! two: `/api/authz/ext-authz//page?x=1`. The query is the visitor's and is kept.

use quorate_core::access::Target;

use super::{Facts, FactsReason, Navigation, Question, field};

pub(super) fn facts<'a>(question: &Question<'a>) -> Result<Facts<'a>, FactsReason> {
    let headers = question.headers;
    let scheme = field::single(headers, "x-forwarded-proto")?
        .unwrap_or(question.connection_scheme.as_bytes());
    // A listener folds a host to lower case, unlike a forwarded one.
    let host = host(question)?;
    let uri = visitors_uri(question)?.as_bytes();
    let method = question.method.as_str().as_bytes();
    let target = if host.iter().any(u8::is_ascii_uppercase) {
        Target::from_parts(scheme, &host.to_ascii_lowercase(), uri, method)?.into_owned()
    } else {
        Target::from_parts(scheme, host, uri, method)?
    };
    Ok(Facts {
        target,
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

/// Path and query behind the endpoint; without a path for the endpoint itself.
fn visitors_uri<'a>(question: &Question<'a>) -> Result<&'a str, FactsReason> {
    let whole = question
        .uri
        .path_and_query()
        .map_or("", http::uri::PathAndQuery::as_str);
    let rest = whole
        .strip_prefix(question.endpoint)
        .ok_or(FactsReason::Prefix)?;
    match rest.strip_prefix('/') {
        None if rest.is_empty() || rest.starts_with('?') => Ok(rest),
        Some(behind) if behind.is_empty() || behind.starts_with(['/', '?']) => Ok(behind),
        None | Some(_) => Err(FactsReason::Prefix),
    }
}
