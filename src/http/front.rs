//! What the main listener calls: authorization endpoints by their path, everything else through the router.
//!
//! Verifying is nearly all that a busy node does, and a router with its layers costs about as much as the decision. So
//! the endpoints are found here, by comparing paths; the router serves pages, the API and health.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;

use super::endpoint::{self, Endpoint, Errand};
use super::listen::{Answer, Peer};
use super::router::{router, through};
use super::{gate, reply, verify};
use crate::app::App;

/// The service of the main listener; clones are the same one.
#[derive(Clone)]
pub struct Front(Arc<Parts>);

struct Parts {
    app: Arc<App>,
    endpoints: Vec<Arc<Endpoint>>,
    router: Router,
}

impl Front {
    /// Everything that `app` serves. With a base path everything is served below it as well as at the root.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let server = &app.config.server;
        let endpoints = endpoint::all(
            &server.endpoints,
            &server.base_path,
            &app.config.session.cookies,
        );
        Self(Arc::new(Parts {
            router: router(Arc::clone(&app)),
            app,
            endpoints,
        }))
    }
}

impl Answer for Front {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response {
        let (started, method) = (Instant::now(), request.method().clone());
        let response = self.reply(request, peer).await;
        let counts = &self.0.app.metrics.requests;
        counts.record(&method, response.status(), started.elapsed());
        response
    }
}

impl Front {
    async fn reply(&self, request: Request<Incoming>, peer: Peer) -> Response {
        let front = &*self.0;
        let path = request.uri().path();
        let Some((endpoint, errand)) = endpoint::find(&front.endpoints, request.method(), path)
        else {
            return Box::pin(through(&front.router, request, peer)).await;
        };
        let (parts, _) = request.into_parts();
        let mut response = match errand {
            _ if !gate::is_sound(&parts) => gate::unsound(),
            Errand::Verify if gate::may_guess(&parts) => {
                let (front, endpoint) = (self.clone(), Arc::clone(endpoint));
                gate::to_the_end(async move {
                    verify::verify(&front.0.app, &endpoint, parts, peer, peer.address).await
                })
                .await
            }
            Errand::Verify => verify::verify(&front.app, endpoint, parts, peer, peer.address).await,
            Errand::Methods(status) => gate::allow("GET, HEAD, OPTIONS", status),
            Errand::Slash => gate::without_slash(&parts, peer),
        };
        reply::secure(response.headers_mut(), peer.over_tls);
        response
    }
}
