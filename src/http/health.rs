//! Health in three grades: the process lives, the node can decide, and in words why it cannot.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::reply;
use crate::app::App;

/// `GET /livez`: the process answers.
pub(super) async fn live() -> Response {
    reply::plain(StatusCode::OK)
}

/// `GET /api/health`: 200 means "send me requests"; 503 that this node cannot decide any.
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    if app.is_ready() {
        reply::ok::<()>(None)
    } else {
        reply::unavailable(1)
    }
}

/// `GET /readyz`: as `/api/health`; with `?verbose` it says what it sees.
pub(super) async fn ready(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_ready = app.is_ready();
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if request.uri().query() != Some("verbose") {
        return reply::plain(status);
    }
    reply::json(status, &app.report())
}
