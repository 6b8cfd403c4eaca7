//! `GET /api/state`: who the visitor is, for scripts. Anonymous visitors may ask and get no cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use quorate_core::Level;
use serde::Serialize;

use crate::app::App;
use crate::http::{reply, session};

#[derive(Serialize)]
struct Data<'a> {
    username: &'a str,
    authentication_level: u8,
    factor_knowledge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_redirection_url: Option<&'a str>,
}

pub(in crate::http) async fn get(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let Ok(who) = visit.session(&app, &parts.headers).await else {
        return reply::unavailable(1);
    };
    let level = who
        .as_ref()
        .map_or(Level::Anonymous, |who| who.session.level);
    reply::ok(Some(Data {
        username: who.as_ref().map_or("", |who| who.user.name.as_str()),
        authentication_level: level as u8,
        factor_knowledge: level > Level::Anonymous,
        default_redirection_url: visit.domain.default_redirection_url.as_deref(),
    }))
}
