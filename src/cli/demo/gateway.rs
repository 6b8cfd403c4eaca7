//! The demo's reverse proxy: it guards the sample sites by asking a live node about every request,
//! and shows the portal. It is what nginx, Traefik, HAProxy, Caddy or Envoy are elsewhere, without
//! any of their features. It decides which node is asked, never who may see what.

mod guard;
mod header;
mod page;
mod portal;
mod visit;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};

use self::visit::Visit;
use super::member::{Members, order};
use super::site::Site;
use super::upstream::Upstream;

/// An answer to a visitor.
type Answer = Response<Full<Bytes>>;

/// The gateway, shared by all its connections.
pub(super) struct Gateway {
    /// The port under which visitors see it, for links.
    port: u16,
    upstream: Upstream,
    members: Members,
    turn: AtomicUsize,
}

impl Gateway {
    pub(super) fn new(port: u16, upstream: Upstream, members: Members) -> Arc<Self> {
        Arc::new(Self {
            port,
            upstream,
            members,
            turn: AtomicUsize::new(0),
        })
    }

    /// Answers one request of a visitor.
    pub(super) async fn answer(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Answer {
        let Some((visit, body)) = Visit::read(peer, request) else {
            return page::plain(StatusCode::BAD_REQUEST, "The request names no host.");
        };
        match Site::of(visit.host()) {
            None => page::plain(
                StatusCode::MISDIRECTED_REQUEST,
                "The demo has no such host.",
            ),
            Some(Site::Home) => page::home(self.port),
            Some(Site::Portal) => portal::pass(&self, &visit, body).await,
            Some(site) => match guard::ask(&self, &visit).await {
                guard::Verdict::Allowed(allowed) => page::sample(site, self.port, &allowed),
                guard::Verdict::Refused(answer) => answer,
                guard::Verdict::Undecided => page::undecided(self.port),
            },
        }
    }

    /// The nodes to try for the next request, in this order: name and port.
    fn candidates(&self) -> Vec<(&'static str, u16)> {
        order(
            &self.members.borrow(),
            self.turn.fetch_add(1, Ordering::Relaxed),
        )
    }
}

#[cfg(test)]
mod tests;
