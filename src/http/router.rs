//! Every route on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, any, get, post};
use http::StatusCode;

use super::gate::allow;
use super::verify::{Endpoint, Portals};
use super::{api, gate, health, pages, reply, verify};
use crate::app::App;
use crate::config::{AuthzEndpoint, Implementation};

type Routes = Router<Arc<App>>;

/// The service of the main listener. With a base path everything is served below it as well as at the root.
pub fn router(app: Arc<App>) -> Router {
    let base = app.config.server.base_path.clone();
    let mut router = routes(&app);
    if !base.is_empty() {
        router = router
            .nest(&base, routes(&app))
            .route(&format!("{base}/"), get(pages::page));
    }
    router
        .fallback(gate::fallback)
        .layer(from_fn(gate::guard))
        .with_state(app)
}

fn routes(app: &App) -> Routes {
    let router = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/static/{name}", get(asset))
        .route("/favicon.ico", get(asset))
        .route("/robots.txt", get(asset))
        .route("/login", get(pages::page).post(pages::log_in))
        .route("/logout", get(pages::logout_page).post(pages::log_out));
    let router = [
        ("/api/health", "GET, HEAD, OPTIONS", get(health::health)),
        ("/api/state", "GET, OPTIONS", only_get(get(api::state::get))),
        (
            "/api/configuration",
            "GET, OPTIONS",
            only_get(get(api::configuration::get)),
        ),
        (
            "/api/firstfactor",
            "OPTIONS, POST",
            post(api::firstfactor::post),
        ),
        (
            "/api/firstfactor/reauthenticate",
            "OPTIONS, POST",
            post(api::firstfactor::reauthenticate),
        ),
        ("/api/logout", "OPTIONS, POST", post(api::logout::post)),
        (
            "/api/checks/safe-redirection",
            "OPTIONS, POST",
            post(api::checks::safe_redirection),
        ),
    ]
    .into_iter()
    .fold(router, |router, (path, methods, handlers)| {
        endpoint(router, path, methods, handlers)
    });
    let portals = verify::portals(&app.config.session.cookies);
    app.config
        .server
        .endpoints
        .iter()
        .fold(router, |router, entry| {
            authz(router, entry, Arc::clone(&portals))
        })
}

/// An API path: its methods, `OPTIONS` that names them, 405 for others, and the path with a slash too many.
fn endpoint(
    router: Routes,
    path: &str,
    methods: &'static str,
    handlers: MethodRouter<Arc<App>>,
) -> Routes {
    let handlers = handlers
        .options(async move || allow(methods, StatusCode::OK))
        .fallback(async move || allow(methods, StatusCode::METHOD_NOT_ALLOWED));
    let with_slash = any(async |request: Request| {
        let (parts, _) = request.into_parts();
        gate::without_slash(&parts)
    });
    router
        .route(path, handlers)
        .route(&format!("{path}/"), with_slash)
}

/// axum answers HEAD with the handler of GET; these paths have no HEAD.
fn only_get(handlers: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    handlers.head(async || allow("GET, OPTIONS", StatusCode::METHOD_NOT_ALLOWED))
}

/// One authorization endpoint; two of the dialects own everything below their path as well.
fn authz(router: Routes, entry: &AuthzEndpoint, portals: Portals) -> Routes {
    let path = match (entry.name.as_str(), entry.implementation) {
        ("legacy", Implementation::Legacy) => "/api/verify".to_owned(),
        (name, _) => format!("/api/authz/{name}"),
    };
    let judge = Arc::new(Endpoint::new(entry, &path, portals));
    let handler = move |state, request: Request| verify::verify(state, Arc::clone(&judge), request);
    match entry.implementation {
        Implementation::ForwardAuth | Implementation::AuthRequest => {
            endpoint(router, &path, "GET, HEAD, OPTIONS", get(handler))
        }
        Implementation::ExtAuthz | Implementation::Legacy => router
            .route(&path, any(handler.clone()))
            .route(&format!("{path}/"), any(handler.clone()))
            .route(&format!("{path}/{{*below}}"), any(handler)),
    }
}

/// A file of the portal. One that the browser has already is not sent again (RFC 9110 §13.1.2).
async fn asset(request: Request) -> axum::response::Response {
    let Some(asset) = quorate_portal::asset(request.uri().path()) else {
        return reply::plain(StatusCode::NOT_FOUND);
    };
    let known = request
        .headers()
        .get(http::header::IF_NONE_MATCH)
        .map(http::HeaderValue::as_bytes);
    let is_known = known == Some(asset.etag.as_bytes());
    let mut response = match is_known {
        true => reply::typed(StatusCode::NOT_MODIFIED, asset.content_type, ""),
        false => reply::typed(StatusCode::OK, asset.content_type, asset.bytes),
    };
    let headers = response.headers_mut();
    headers.insert(
        http::header::CACHE_CONTROL,
        http::HeaderValue::from_static(asset.cache_control),
    );
    if let Ok(etag) = asset.etag.parse() {
        headers.insert(http::header::ETAG, etag);
    }
    response
}

/// The service of the metrics listener: one path, nothing else.
pub fn metrics_router(app: Arc<App>, path: &str) -> Router {
    let page = async |axum::extract::State(app): axum::extract::State<Arc<App>>| {
        reply::typed(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            app.metrics.render(&app),
        )
    };
    endpoint(Router::new(), path, "GET, OPTIONS", only_get(get(page)))
        .fallback(async || reply::plain(StatusCode::NOT_FOUND))
        .layer(from_fn(gate::guard))
        .with_state(app)
}
