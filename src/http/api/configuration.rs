//! `/api/configuration`: what the portal offers, and what it asks of new passwords.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::config;
use crate::http::{reply, session};

#[derive(Serialize)]
struct Data {
    available_methods: &'static [&'static str],
    password_change_disabled: bool,
    password_reset_disabled: bool,
}

/// `GET /api/configuration`, for whoever is logged in.
pub(in crate::http) async fn get(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    match visit.session(&app, &parts.headers).await {
        Ok(Some(_)) => reply::ok(Some(Data {
            available_methods: app.available_factors(),
            password_change_disabled: true,
            password_reset_disabled: true,
        })),
        Ok(None) => reply::plain(StatusCode::FORBIDDEN),
        Err(_) => reply::unavailable(1),
    }
}

/// Every field is there in every mode.
#[derive(Default, Serialize)]
struct PasswordPolicy {
    mode: &'static str,
    min_length: u32,
    max_length: u32,
    min_score: u32,
    require_uppercase: bool,
    require_lowercase: bool,
    require_number: bool,
    require_special: bool,
}

/// `GET /api/configuration/password-policy`, for everybody.
pub(in crate::http) async fn password_policy(State(app): State<Arc<App>>) -> Response {
    reply::ok(Some(match app.config.password_policy {
        config::PasswordPolicy::None => PasswordPolicy {
            mode: "disabled",
            ..PasswordPolicy::default()
        },
        config::PasswordPolicy::Score { min_score } => PasswordPolicy {
            mode: "zxcvbn",
            min_score,
            ..PasswordPolicy::default()
        },
        config::PasswordPolicy::Form(form) => PasswordPolicy {
            mode: "standard",
            min_length: form.min_length,
            max_length: form.max_length,
            min_score: 0,
            require_uppercase: form.require_uppercase,
            require_lowercase: form.require_lowercase,
            require_number: form.require_number,
            require_special: form.require_special,
        },
    }))
}
