//! `POST /api/logout`: ends the session that the cookie names, and says whether the portal may go on to a target.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::BadBody;
use crate::app::App;
use crate::http::origin::{Sender, sender};
use crate::http::{cookie, reply, session};

#[derive(Default, Deserialize)]
struct Form {
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
}

#[derive(Serialize)]
struct Data {
    #[serde(rename = "safeTargetURL")]
    safe_target_url: bool,
}

pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // On a foreign host there is no session to end.
    let Ok(visit) = session::visit(&app, &parts) else {
        return reply::ok(Some(Data {
            safe_target_url: false,
        }));
    };
    if sender(&parts.headers, &visit.origin) == Sender::Foreign {
        return reply::plain(StatusCode::FORBIDDEN);
    }
    // Whoever wants to leave may leave, however broken the body is.
    let form: Form = match super::object(&parts, body).await {
        Ok(form) => form,
        Err(BadBody::Status(StatusCode::PAYLOAD_TOO_LARGE)) => {
            return reply::plain(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Err(_) => Form::default(),
    };
    let values = cookie::values(&parts.headers, &visit.domain.name);
    if app.log_out_of(values).await.is_err() {
        return reply::unavailable(1);
    }
    let safe_target_url = super::target(&app, form.target_url.as_deref())
        .safe()
        .is_some();
    let mut response = reply::ok(Some(Data { safe_target_url }));
    if let Some(field) = cookie::delete(visit.domain) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}
