//! Every command on one screen.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;

use super::answer::Refused;
use super::{backup, ban, member, reload, session, status, totp, user};
use crate::app::App;
use crate::serve::Reloader;

/// The largest users file that is imported, quotes in JSON included.
const IMPORT_BYTES_MAX: usize = 64 << 20;

/// The service of the admin socket.
pub(crate) fn router(app: Arc<App>, reloader: Arc<Reloader>) -> Router {
    Router::new()
        .route("/v1/status", post(status::report))
        .route("/v1/digest", post(status::digest))
        .route("/v1/snapshot", post(backup::snapshot))
        .route("/v1/reload", post(reload::reload).with_state(reloader))
        .route("/v1/member/list", post(member::list))
        .route("/v1/member/change", post(member::change))
        .route("/v1/session/list", post(session::list))
        .route("/v1/session/kill", post(session::kill))
        .route("/v1/ban/list", post(ban::list))
        .route("/v1/ban/add", post(ban::add))
        .route("/v1/ban/revoke", post(ban::revoke))
        .route("/v1/totp/generate", post(totp::generate))
        .route("/v1/totp/delete", post(totp::delete))
        .route("/v1/totp/export", post(totp::export))
        .route("/v1/user/list", post(user::list))
        .route("/v1/user/show", post(user::show))
        .route("/v1/user/add", post(user::add))
        .route("/v1/user/set", post(user::set))
        .route("/v1/user/passwd", post(user::passwd))
        .route("/v1/user/disable", post(user::disable))
        .route("/v1/user/enable", post(user::enable))
        .route("/v1/user/delete", post(user::delete))
        .route(
            "/v1/user/import",
            post(user::import).layer(DefaultBodyLimit::max(IMPORT_BYTES_MAX)),
        )
        .fallback(async || {
            let error = "this node does not know that command: it is of another version than the command line";
            let refused = Refused {
                error: error.to_owned(),
            };
            (StatusCode::NOT_FOUND, Json(refused))
        })
        .with_state(app)
}
