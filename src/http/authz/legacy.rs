//! `/api/verify` of old: `X-Original-URL`, or `X-Forwarded-*`, or the request itself.
//!
//! A proxy that sets one family often passes the visitor's own fields of the other family on. So where both name a
//! target they must name the same one; otherwise a visitor could ask about a public page and get another.

use quorate_core::access::Target;

use super::{Facts, FactsReason, Navigation, Question, ext_authz, field};

pub(super) fn facts<'a>(question: &Question<'a>) -> Result<Facts<'a>, FactsReason> {
    let headers = question.headers;
    let method = field::single(headers, "x-forwarded-method")?
        .unwrap_or(question.method.as_str().as_bytes());
    let target = if headers.contains_key("x-original-url") {
        let url = field::required(headers, "x-original-url")?;
        let target = Target::from_url(url, method)?;
        agree(question, &target)?;
        target
    } else {
        forwarded(question, method)?
    };
    let portal_override = match field::argument(question.uri, "rd") {
        Some(portal) => Some(portal.into_owned()),
        None => field::portal(headers)?,
    };
    Ok(Facts {
        target,
        portal_override,
        navigation: Navigation::read(headers),
    })
}

fn forwarded<'a>(question: &Question<'a>, method: &'a [u8]) -> Result<Target<'a>, FactsReason> {
    let headers = question.headers;
    let scheme = field::single(headers, "x-forwarded-proto")?
        .unwrap_or(question.connection_scheme.as_bytes());
    let host = match field::single(headers, "x-forwarded-host")? {
        Some(host) => host,
        None => ext_authz::host(question)?,
    };
    let uri = field::single(headers, "x-forwarded-uri")?.unwrap_or_default();
    Ok(Target::from_parts(scheme, host, uri, method)?)
}

/// Refuses every `X-Forwarded-*` that is there and says something else than `X-Original-URL`.
fn agree(question: &Question<'_>, target: &Target<'_>) -> Result<(), FactsReason> {
    let headers = question.headers;
    let method = target.method().as_bytes();
    let (own_scheme, own_host) = (
        target.scheme().as_str().as_bytes(),
        target.host().lower().as_bytes(),
    );
    if let Some(scheme) = field::single(headers, "x-forwarded-proto")?
        && Target::from_parts(scheme, own_host, b"", method).is_err()
    {
        // https and wss are one site; whatever else stands here is another.
        return Err(FactsReason::Contradiction("x-forwarded-proto"));
    }
    if let Some(host) = field::single(headers, "x-forwarded-host")? {
        let other = Target::from_parts(own_scheme, host, b"", method)?;
        let port = |target: &Target| target.host().port().unwrap_or(443);
        if other.host().lower() != target.host().lower() || port(&other) != port(target) {
            return Err(FactsReason::Contradiction("x-forwarded-host"));
        }
    }
    if let Some(uri) = field::single(headers, "x-forwarded-uri")? {
        let other = Target::from_parts(own_scheme, own_host, uri, method)?;
        if other.path() != target.path() || other.query() != target.query() {
            return Err(FactsReason::Contradiction("x-forwarded-uri"));
        }
    }
    Ok(())
}
