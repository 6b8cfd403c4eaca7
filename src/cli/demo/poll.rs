//! Asks every node again and again how it is.

use std::time::Duration;

use http::{Request, header};
use http_body_util::Full;
use hyper::body::Bytes;

use super::member::{Members, Status, change};
use super::plan::NodePlan;
use super::site::Site;
use super::upstream::Upstream;

/// How often a node is asked, and how long it may take to answer.
const EVERY: Duration = Duration::from_millis(400);

/// Keeps the status of one node up to date until the task is dropped.
pub(super) async fn watch(node: NodePlan, upstream: Upstream, members: Members) {
    loop {
        let status = ask(&upstream, node.http_port).await;
        change(&members, node.name, |member| {
            // An answer that arrives after the process has ended is that of the past.
            member.status = status.filter(|_| member.pid().is_some());
        });
        tokio::time::sleep(EVERY).await;
    }
}

/// One look; none if the node does not answer in time or not in the expected form. A node that is
/// not ready answers 503 with the same form.
pub(super) async fn ask(upstream: &Upstream, port: u16) -> Option<Status> {
    let request = Request::get("/readyz?verbose")
        .header(header::HOST, Site::Portal.host())
        .header(header::ACCEPT, "application/json")
        .body(Full::<Bytes>::default())
        .ok()?;
    let answer = upstream.send(port, request, EVERY).await.ok()?;
    serde_json::from_slice(answer.body()).ok()
}
