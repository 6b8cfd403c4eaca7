//! `/api/secondfactor/totp`: the one-time password of who is logged in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use quorate_core::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::BadBody;
use crate::app::App;
use crate::app::login::LoginError;
use crate::app::redirect::TargetText;
use crate::authn::password::PoolFull;
use crate::authn::totp::algorithm_name;
use crate::clock;
use crate::http::origin::{Sender, sender};
use crate::http::{cookie, reply, session};

/// The one sentence for every second factor that did not work.
const REFUSED: &str = "Authentication failed, please retry later.";

#[derive(Serialize)]
struct Device<'a> {
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    issuer: &'a str,
    algorithm: &'static str,
    digits: u8,
    period: u32,
}

/// `GET`: the device, without its secret.
pub(in crate::http) async fn get(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let who = match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) => who,
        Ok(None) => return reply::plain(StatusCode::FORBIDDEN),
        Err(_) => return reply::unavailable(1),
    };
    let Some(totp) = app.totp(&who.user.name) else {
        return reply::ko(
            StatusCode::NOT_FOUND,
            "Could not find TOTP Configuration for user.",
        );
    };
    let time = |at: Timestamp| clock::rfc3339(at);
    reply::ok(Some(Device {
        created_at: time(totp.created_at),
        last_used_at: totp.last_used_at.map(time),
        issuer: &totp.device.issuer,
        algorithm: algorithm_name(totp.device.algorithm),
        digits: totp.device.digits,
        period: totp.device.period_s,
    }))
}

/// The body; keys that are not named here are ignored.
#[derive(Deserialize)]
struct Form {
    token: Zeroizing<String>,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
}

/// `POST`: takes the session to two factors, under a new id.
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    if sender(&parts.headers, &visit.origin) == Sender::Foreign || !visit.on_portal_host {
        return reply::plain(StatusCode::FORBIDDEN);
    }
    let Ok(who) = visit.session(&app, &parts.headers).await else {
        return reply::unavailable(1);
    };
    let user = who.as_ref().map(|who| &who.user.name);
    if let Err(again_at) = app.admit_second_factor(user, visit.client) {
        return reply::too_many(again_at);
    }
    let Some(who) = who else {
        return reply::plain(StatusCode::FORBIDDEN);
    };
    let form: Form = match super::object(&parts, body).await {
        Ok(form) => form,
        Err(BadBody::Status(status)) => return reply::plain(status),
        Err(BadBody::Content) => return reply::ko(StatusCode::FORBIDDEN, REFUSED),
    };
    let target = super::target(&app, form.target_url.as_deref());
    if form.token.is_empty() {
        return reply::ko(StatusCode::FORBIDDEN, REFUSED);
    }
    // No device has passwords of another length, so nothing is guessed.
    if !matches!(form.token.len(), 6 | 8) || matches!(target, TargetText::Unreadable) {
        return reply::ko(StatusCode::BAD_REQUEST, REFUSED);
    }
    let opened = match app
        .use_totp(&who, &form.token, visit.client, visit.domain)
        .await
    {
        Ok(opened) => opened,
        Err(LoginError::Refused(_)) => return reply::ko(StatusCode::FORBIDDEN, REFUSED),
        Err(LoginError::Busy(_)) => return reply::unavailable(PoolFull::RETRY_AFTER.as_secs()),
        Err(LoginError::Unavailable(_)) => return reply::unavailable(1),
    };
    let mut response = super::destination(&visit, &target);
    if let Some(field) = cookie::set(visit.domain, &opened.token, opened.lifetime, app.now()) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}
