//! Header fields that may occur once, and arguments of the authorization request. It knows no field by name.

use std::borrow::Cow;

use http::{HeaderMap, Uri};

use super::FactsReason;

/// The value of a field that may occur once; an empty value counts as absent.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a [u8]>, FactsReason> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(FactsReason::Doubled(name));
    }
    Ok(value
        .map(http::HeaderValue::as_bytes)
        .filter(|value| !value.is_empty()))
}

/// The value of a field that must occur once and not be empty.
pub(super) fn required<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<&'a [u8], FactsReason> {
    single(headers, name)?.ok_or(FactsReason::Missing(name))
}

/// The first argument of that name in the query of the request, decoded. Names are case-sensitive.
pub(super) fn argument<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// A field as the portal the proxy names.
pub(super) fn portal(headers: &HeaderMap) -> Result<Option<String>, FactsReason> {
    let named = single(headers, "x-authelia-url")?;
    Ok(named.map(|value| String::from_utf8_lossy(value).into_owned()))
}
