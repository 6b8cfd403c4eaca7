//! The JSON API: one small file per resource. The forms of requests and replies are Authelia's.

pub(super) mod checks;
pub(super) mod configuration;
pub(super) mod firstfactor;
pub(super) mod logout;
pub(super) mod secondfactor;
pub(super) mod state;
pub(super) mod user;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::session::Visit;
use super::{body, reply};
use crate::app::App;
use crate::app::redirect::{SafeTarget, TargetText};
use crate::app::session::Authenticated;

/// The one sentence for every refused login.
pub(super) const AUTHENTICATION_FAILED: &str = "Authentication failed. Check your credentials.";
/// The one sentence for everything else that did not work.
pub(super) const OPERATION_FAILED: &str = "Operation failed.";

/// Why a body is not the JSON object that was expected.
pub(super) enum BadBody {
    /// The status says it all: too large, too slow, of another type than JSON.
    Status(StatusCode),
    /// It is not one JSON object of the right types.
    Content,
}

/// The body as one JSON object. Unknown keys are ignored, doubled ones refused, names compared exactly.
pub(super) async fn object<T: DeserializeOwned>(parts: &Parts, body: Body) -> Result<T, BadBody> {
    let bytes = body::read(body).await.map_err(BadBody::Status)?;
    if !is_json(parts, bytes.is_empty()) {
        return Err(BadBody::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // serde would take an array of the right values for an object.
    let begins_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let value = serde_json::from_slice(&bytes)
        .ok()
        .filter(|_| begins_object);
    value.ok_or(BadBody::Content)
}

/// Nothing needs no type; a browser sends anything else without one across sites, and asks nobody first.
fn is_json(parts: &Parts, is_empty: bool) -> bool {
    let Some(content_type) = parts.headers.get(header::CONTENT_TYPE) else {
        return is_empty;
    };
    let essence = content_type
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// The reply to a login that worked: where to go, if that is known and one more factor is not needed first.
pub(super) fn next_step(
    app: &App,
    visit: &Visit<'_>,
    target: Option<&SafeTarget>,
    method: &str,
    who: &Authenticated,
) -> Response {
    let redirect = match target {
        Some(target) => app
            .is_level_enough(who, target, method, visit.client)
            .then(|| target.as_text()),
        None if app.access().policy.needs_two_factor_anywhere() => None,
        None => visit.domain.default_redirection_url.as_deref(),
    };
    redirect_to(redirect)
}

/// The reply to a second factor that worked: nothing more is needed for any target.
pub(super) fn destination(visit: &Visit<'_>, text: &TargetText) -> Response {
    redirect_to(match text {
        TargetText::None => visit.domain.default_redirection_url.as_deref(),
        other => other.safe().map(SafeTarget::as_text),
    })
}

fn redirect_to(redirect: Option<&str>) -> Response {
    #[derive(serde::Serialize)]
    struct Redirect<'a> {
        redirect: &'a str,
    }
    reply::ok(redirect.map(|redirect| Redirect { redirect }))
}

/// Reads a target that a visitor wants to go to after a login or logout.
pub(super) fn target(app: &App, text: Option<&str>) -> TargetText {
    TargetText::read(text, &app.config.session.cookies)
}
