//! `POST /api/checks/safe-redirection`: whether a target is one this portal sends people to.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::OPERATION_FAILED;
use crate::app::App;
use crate::app::redirect::TargetText;
use crate::http::{reply, session};

#[derive(Deserialize)]
struct Form {
    uri: String,
}

#[derive(Serialize)]
struct Data {
    ok: bool,
}

pub(in crate::http) async fn safe_redirection(
    State(app): State<Arc<App>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(visit) = session::visit(&app, &parts) else {
        return reply::plain(StatusCode::UNAUTHORIZED);
    };
    match visit.session(&app, &parts.headers).await {
        Ok(Some(_)) => {}
        Ok(None) => return reply::plain(StatusCode::UNAUTHORIZED),
        Err(_) => return reply::unavailable(1),
    }
    let Ok(form) = super::object::<Form>(&parts, body).await else {
        return reply::ko(StatusCode::OK, OPERATION_FAILED);
    };
    match super::target(&app, Some(&form.uri)) {
        TargetText::Unreadable | TargetText::None => reply::ko(StatusCode::OK, OPERATION_FAILED),
        TargetText::Unsafe => reply::ok(Some(Data { ok: false })),
        TargetText::Safe(_) => reply::ok(Some(Data { ok: true })),
    }
}
