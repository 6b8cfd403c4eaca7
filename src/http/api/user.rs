//! `/api/user`: who the visitor is, which second factors they have, and which they want to be asked for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use quorate_core::Level;
use serde::{Deserialize, Serialize};

use super::{BadBody, OPERATION_FAILED};
use crate::app::App;
use crate::app::session::Authenticated;
use crate::http::origin::{Sender, sender};
use crate::http::{reply, session};

#[derive(Serialize)]
struct Info<'a> {
    display_name: &'a str,
    emails: Option<Vec<String>>,
    method: &'static str,
    has_totp: bool,
    has_webauthn: bool,
    has_duo: bool,
}

/// Who is logged in, or the refusal of everybody else.
async fn logged_in(app: &App, parts: &Parts) -> Result<Authenticated, Response> {
    let visit = session::visit(app, parts)?;
    if sender(&parts.headers, &visit.origin) == Sender::Foreign {
        return Err(reply::plain(StatusCode::FORBIDDEN));
    }
    match visit.session(app, &parts.headers).await {
        Ok(Some(who)) => Ok(who),
        Ok(None) => Err(reply::plain(StatusCode::FORBIDDEN)),
        Err(_) => Err(reply::unavailable(1)),
    }
}

/// `GET /api/user/info`.
pub(in crate::http) async fn info(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match logged_in(&app, &parts).await {
        Ok(who) => {
            let emails = who.user.emails.first().map(|mail| vec![masked(mail)]);
            reply::ok(Some(described(&app, &who, emails)))
        }
        Err(refusal) => refusal,
    }
}

/// `POST /api/user/info`: as `GET`, without the addresses and with what the portal would ask for first. The body is not
/// looked at.
pub(in crate::http) async fn choose(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match logged_in(&app, &parts).await {
        Ok(who) => {
            let mut info = described(&app, &who, None);
            info.method = app.available_factors().first().copied().unwrap_or_default();
            reply::ok(Some(info))
        }
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
struct Preference {
    method: String,
}

/// `POST /api/user/info/2fa_method`. With one kind of second factor there is nothing to remember.
pub(in crate::http) async fn prefer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body): (Parts, Body) = request.into_parts();
    if let Err(refusal) = logged_in(&app, &parts).await {
        return refusal;
    }
    let preference: Preference = match super::object(&parts, body).await {
        Ok(preference) => preference,
        Err(BadBody::Status(status)) => return reply::plain(status),
        Err(BadBody::Content) => return reply::ko(StatusCode::OK, OPERATION_FAILED),
    };
    if app
        .available_factors()
        .contains(&preference.method.as_str())
    {
        return reply::ok(None::<()>);
    }
    reply::ko(StatusCode::OK, OPERATION_FAILED)
}

fn described<'a>(app: &App, who: &'a Authenticated, emails: Option<Vec<String>>) -> Info<'a> {
    let has_totp = app.totp(&who.user.name).is_some();
    Info {
        display_name: &who.user.display_name,
        emails,
        method: if has_totp { "totp" } else { "" },
        has_totp,
        has_webauthn: false,
        has_duo: false,
    }
}

#[derive(Serialize)]
struct Elevation {
    require_second_factor: bool,
    skip_second_factor: bool,
    can_skip_second_factor: bool,
    factor_knowledge: bool,
    elevated: bool,
    expires: u64,
}

/// `GET /api/user/session/elevation`: no session is elevated, as nothing here needs it.
pub(in crate::http) async fn elevation(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match logged_in(&app, &parts).await {
        Ok(who) => reply::ok(Some(Elevation {
            require_second_factor: false,
            skip_second_factor: false,
            can_skip_second_factor: false,
            factor_knowledge: who.session.level < Level::TwoFactor,
            elevated: false,
            expires: 0,
        })),
        Err(refusal) => refusal,
    }
}

/// First and last character of the part before `@`, a star for each one between; all stars if there are one or two.
fn masked(mail: &str) -> String {
    let (local, domain) = mail.split_once('@').unwrap_or((mail, ""));
    let count = local.chars().count();
    let stars = local.chars().enumerate().map(|(index, letter)| {
        let is_shown = count > 2 && (index == 0 || index + 1 == count);
        if is_shown { letter } else { '*' }
    });
    format!("{}@{domain}", stars.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn an_address_is_hinted_at() {
        let cases = [
            ("john.doe@example.com", "j******e@example.com"),
            ("bob@example.com", "b*b@example.com"),
            ("ab@example.com", "**@example.com"),
            ("a@example.com", "*@example.com"),
            ("zoë@example.com", "z*ë@example.com"),
        ];
        for (mail, hint) in cases {
            assert_eq!(masked(mail), hint);
        }
    }
}
