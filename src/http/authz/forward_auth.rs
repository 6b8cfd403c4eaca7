//! `X-Forwarded-*` alone: Traefik, Caddy, Skipper, HAProxy.

use quorate_core::access::Target;

use super::{Facts, FactsReason, Navigation, Question, field};

pub(super) fn facts<'a>(question: &Question<'a>) -> Result<Facts<'a>, FactsReason> {
    let headers = question.headers;
    let method = field::required(headers, "x-forwarded-method")?;
    let scheme = field::single(headers, "x-forwarded-proto")?
        .unwrap_or(question.connection_scheme.as_bytes());
    let host = field::required(headers, "x-forwarded-host")?;
    let uri = field::single(headers, "x-forwarded-uri")?.unwrap_or_default();
    Ok(Facts {
        target: Target::from_parts(scheme, host, uri, method)?,
        portal_override: field::argument(question.uri, "authelia_url").map(String::from),
        navigation: Navigation::read(headers),
    })
}
