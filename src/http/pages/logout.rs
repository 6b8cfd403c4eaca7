//! Logging out by form: a mere link ends no session.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use quorate_portal::{LogoutPage, SignedOutPage, Target};

use super::{Errand, error, frame, html, unavailable};
use crate::app::App;
use crate::http::origin::{Sender, sender};
use crate::http::{body, cookie, session};

/// `GET {base}/logout`: asks.
pub(in crate::http) async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let target = Errand::read(parts.uri.query().unwrap_or_default().as_bytes()).target(&app);
    let frame = frame(&app, &parts.headers);
    match visit.session(&app, &parts.headers).await {
        Ok(Some(_)) => {
            let target = target.safe().map(|target| target.as_text());
            html(&app, StatusCode::OK, LogoutPage { frame, target }.render())
        }
        Ok(None) => {
            let shown = target
                .safe()
                .map(|target| (target.as_text(), target.host()));
            let target = shown.as_ref().map(|(url, host)| Target { url, host });
            html(
                &app,
                StatusCode::OK,
                SignedOutPage { frame, target }.render(),
            )
        }
        Err(_) => unavailable(&app, &parts.headers),
    }
}

/// `POST {base}/logout`: ends the session, and says so.
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    if sender(&parts.headers, &visit.origin) != Sender::Portal {
        return error(&app, &parts.headers, StatusCode::FORBIDDEN);
    }
    let bytes = match body::read(body).await {
        Ok(bytes) => bytes,
        Err(status) => return error(&app, &parts.headers, status),
    };
    let values = cookie::values(&parts.headers, &visit.domain.name);
    if app.log_out_of(values).await.is_err() {
        return unavailable(&app, &parts.headers);
    }
    let target = Errand::read(&bytes).target(&app);
    let shown = target
        .safe()
        .map(|target| (target.as_text(), target.host()));
    let target = shown.as_ref().map(|(url, host)| Target { url, host });
    let mut response = html(
        &app,
        StatusCode::OK,
        SignedOutPage {
            frame: frame(&app, &parts.headers),
            target,
        }
        .render(),
    );
    if let Some(field) = cookie::delete(visit.domain) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}
