//! `X-Original-*` alone: nginx.

use quorate_core::access::Target;

use super::{Facts, FactsReason, Navigation, Question, field};

pub(super) fn facts<'a>(question: &Question<'a>) -> Result<Facts<'a>, FactsReason> {
    let method = field::required(question.headers, "x-original-method")?;
    let url = field::required(question.headers, "x-original-url")?;
    Ok(Facts {
        target: Target::from_url(url, method)?,
        portal_override: field::argument(question.uri, "authelia_url").map(String::from),
        navigation: Navigation::read(question.headers),
    })
}
