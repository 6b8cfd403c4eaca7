//! Every route on one screen, except the authorization endpoints, which [`front`](super::front) finds by itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use http::StatusCode;
use hyper::body::Incoming;
use tower::Service as _;

use super::gate::allow;
use super::listen::{Answer, Peer};
use super::{api, gate, health, pages, reply, session};
use crate::app::App;

type Routes = Router<Arc<App>>;

/// Pages, API and health. With a base path everything is served below it as well as at the root.
pub(super) fn router(app: Arc<App>) -> Router {
    let base = app.config.server.base_path.clone();
    let mut router = routes();
    if !base.is_empty() {
        router = router
            .nest(&base, routes())
            .route(&format!("{base}/"), get(pages::page));
    }
    router.fallback(gate::fallback).with_state(app)
}

fn routes() -> Routes {
    let router = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/static/{name}", get(asset))
        .route("/favicon.ico", get(asset))
        .route("/robots.txt", get(asset))
        .route("/locales/{language}/portal.json", get(asset))
        .route("/login", get(pages::page).post(pages::log_in))
        .route("/logout", get(pages::logout_page).post(pages::log_out))
        .route(
            "/second-factor",
            get(pages::second_factor_page).post(pages::second_factor),
        );
    [
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
        (
            "/api/secondfactor/totp",
            "GET, OPTIONS, POST",
            only_get(get(api::secondfactor::get)).post(api::secondfactor::post),
        ),
        (
            "/api/configuration/password-policy",
            "GET, OPTIONS",
            only_get(get(api::configuration::password_policy)),
        ),
        (
            "/api/user/info",
            "GET, OPTIONS, POST",
            only_get(get(api::user::info)).post(api::user::choose),
        ),
        (
            "/api/user/info/2fa_method",
            "OPTIONS, POST",
            post(api::user::prefer),
        ),
        (
            "/api/user/session/elevation",
            "GET, OPTIONS",
            only_get(get(api::user::elevation)),
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
        let peer = session::peer(&parts);
        gate::without_slash(&parts, peer)
    });
    router
        .route(path, handlers)
        .route(&format!("{path}/"), with_slash)
}

/// axum answers HEAD with the handler of GET; these paths have no HEAD.
fn only_get(handlers: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    handlers.head(async || allow("GET, OPTIONS", StatusCode::METHOD_NOT_ALLOWED))
}

/// A file of the portal. One that the browser has already is not sent again (RFC 9110 §13.1.2).
async fn asset(request: Request) -> Response {
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
    headers.insert(
        http::header::CONTENT_SECURITY_POLICY,
        http::HeaderValue::from_static("default-src 'none'"),
    );
    if let Ok(etag) = asset.etag.parse() {
        headers.insert(http::header::ETAG, etag);
    }
    response
}

/// The service of the metrics listener: one path, nothing else.
#[derive(Clone)]
pub struct MetricsPage(Router);

impl MetricsPage {
    /// Serves the metrics of `app` at `path`.
    #[must_use]
    pub fn new(app: Arc<App>, path: &str) -> Self {
        let page = async |axum::extract::State(app): axum::extract::State<Arc<App>>| {
            reply::typed(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                app.metrics.render(&app),
            )
        };
        let router = endpoint(Router::new(), path, "GET, OPTIONS", only_get(get(page)))
            .fallback(async || reply::plain(StatusCode::NOT_FOUND))
            .with_state(app);
        Self(router)
    }
}

impl Answer for MetricsPage {
    async fn answer(&self, request: http::Request<Incoming>, peer: Peer) -> Response {
        through(&self.0, request, peer).await
    }
}

/// Sends a request through the gate and a router.
pub(super) async fn through(
    router: &Router,
    request: http::Request<Incoming>,
    peer: Peer,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut response = if gate::is_sound(&parts) {
        let must_finish = gate::may_guess(&parts);
        parts.extensions.insert(peer);
        let mut router = router.clone();
        let answer = async move {
            let answer = router.call(http::Request::from_parts(parts, body));
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        if must_finish {
            gate::to_the_end(answer).await
        } else {
            answer.await
        }
    } else {
        gate::unsound()
    };
    reply::secure(response.headers_mut(), peer.over_tls);
    response
}
