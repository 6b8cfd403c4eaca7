//! `POST /api/firstfactor`: name and password in, session cookie out.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{AUTHENTICATION_FAILED, BadBody};
use crate::app::App;
use crate::app::login::{Attempt, LoginError, Opened};
use crate::app::redirect::TargetText;
use crate::app::session::Authenticated;
use crate::authn::password::PoolFull;
use crate::http::origin::{Sender, sender};
use crate::http::session::{self, Visit};
use crate::http::{cookie, reply};

/// The body; keys that are not named here are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    username: Zeroizing<String>,
    password: Zeroizing<String>,
    #[serde(default)]
    keep_me_logged_in: Option<bool>,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
    #[serde(default)]
    request_method: Option<String>,
    #[serde(default)]
    flow: Option<String>,
}

pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    // A foreign host is answered like a wrong password: nobody learns what is configured here.
    let Ok(visit) = session::visit(&app, &parts) else {
        return refuse(&app, started).await;
    };
    if sender(&parts.headers, &visit.origin) == Sender::Foreign || !visit.on_portal_host {
        visit.say_foreign(&app, &parts.headers);
        return reply::plain(StatusCode::FORBIDDEN);
    }
    if !visit.is_secure && parts.headers.contains_key("x-forwarded-proto") {
        return reply::plain(StatusCode::BAD_REQUEST);
    }
    let form: Form = match super::object(&parts, body).await {
        Ok(form) => form,
        Err(BadBody::Status(status)) => return reply::plain(status),
        Err(BadBody::Content) => return refuse(&app, started).await,
    };
    if form.username.is_empty() || form.password.is_empty() {
        return refuse(&app, started).await;
    }
    let target = super::target(&app, form.target_url.as_deref());
    let is_flow_known = form.flow.as_deref().is_none_or(str::is_empty);
    if matches!(target, TargetText::Unreadable) || !is_flow_known {
        return reply::ko(StatusCode::BAD_REQUEST, AUTHENTICATION_FAILED);
    }
    log_in(&app, &visit, &parts.headers, form, target).await
}

async fn log_in(
    app: &App,
    visit: &Visit<'_>,
    headers: &http::HeaderMap,
    form: Form,
    target: TargetText,
) -> Response {
    let Ok(before) = visit.session(app, headers).await else {
        return reply::unavailable(1);
    };
    let attempt = Attempt {
        username: &form.username,
        password: form.password,
        remember: form.keep_me_logged_in.unwrap_or(false),
        address: visit.client,
        domain: visit.domain,
        replaces: before.map(|before| before.key),
    };
    let result = app.log_in(attempt).await;
    let method = form.request_method.as_deref().unwrap_or_default();
    finish(app, visit, result, &target, method)
}

/// The body of a reauthentication; a user name in it is ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Again {
    password: Zeroizing<String>,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
    #[serde(default)]
    request_method: Option<String>,
}

/// `POST /api/firstfactor/reauthenticate`: the password of who is logged in, once more. The session gets a new id and
/// keeps its level.
pub(in crate::http) async fn reauthenticate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    if sender(&parts.headers, &visit.origin) == Sender::Foreign {
        return reply::plain(StatusCode::FORBIDDEN);
    }
    let who = match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) => who,
        Ok(None) => return reply::plain(StatusCode::FORBIDDEN),
        Err(_) => return reply::unavailable(1),
    };
    let form: Again = match super::object(&parts, body).await {
        Ok(form) => form,
        Err(BadBody::Status(status)) => return reply::plain(status),
        Err(BadBody::Content) => return refuse(&app, started).await,
    };
    let target = super::target(&app, form.target_url.as_deref());
    if form.password.is_empty() {
        return refuse(&app, started).await;
    }
    if matches!(target, TargetText::Unreadable) {
        return reply::ko(StatusCode::BAD_REQUEST, AUTHENTICATION_FAILED);
    }
    let checked = app
        .reauthenticate(&who, form.password, visit.client, visit.domain)
        .await;
    if matches!(checked, Err(LoginError::Refused(_))) {
        app.hold_refusal(started).await;
    }
    let method = form.request_method.as_deref().unwrap_or_default();
    finish(&app, &visit, checked, &target, method)
}

/// The reply to a checked password, with the cookie if a session was opened.
fn finish(
    app: &App,
    visit: &Visit<'_>,
    result: Result<Opened, LoginError>,
    target: &TargetText,
    method: &str,
) -> Response {
    let opened = match result {
        Ok(opened) => opened,
        Err(LoginError::Refused(_)) => {
            return reply::ko(StatusCode::UNAUTHORIZED, AUTHENTICATION_FAILED);
        }
        Err(LoginError::Busy(_)) => return reply::unavailable(PoolFull::RETRY_AFTER.as_secs()),
        Err(LoginError::Unavailable(_)) => return reply::unavailable(1),
    };
    let who = Authenticated::just_opened(&opened, visit.domain, app.now());
    let mut response = super::next_step(app, visit, target.safe(), method, &who);
    if let Some(field) = cookie::set(visit.domain, &opened.token, opened.lifetime, app.now()) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}

async fn refuse(app: &App, started: Instant) -> Response {
    app.hold_refusal(started).await;
    reply::ko(StatusCode::UNAUTHORIZED, AUTHENTICATION_FAILED)
}
