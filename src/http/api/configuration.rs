//! `GET /api/configuration`: what the portal offers to whoever is logged in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::http::{reply, session};

#[derive(Serialize)]
struct Data {
    available_methods: &'static [&'static str],
    password_change_disabled: bool,
    password_reset_disabled: bool,
}

pub(in crate::http) async fn get(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    match visit.session(&app, &parts.headers).await {
        Ok(Some(_)) => {
            let has_totp =
                app.access().policy.needs_two_factor_anywhere() && !app.config.totp.is_disabled;
            let available_methods: &[_] = if has_totp { &["totp"] } else { &[] };
            reply::ok(Some(Data {
                available_methods,
                password_change_disabled: true,
                password_reset_disabled: true,
            }))
        }
        Ok(None) => reply::plain(StatusCode::FORBIDDEN),
        Err(_) => reply::unavailable(1),
    }
}
