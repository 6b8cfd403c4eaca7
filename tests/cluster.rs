//! Three real processes on loopback: what one node has acknowledged, all know, whatever is killed.

mod backup;
mod budget;
mod credentials;
mod durability;
mod heal;
mod member;
mod operations;
mod operator;
mod regulation;
mod reload;
mod second_factor;
mod session;
mod touch;
mod upgrade;
mod users;
mod users_file;

use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, Cluster, Node, Request, Visitor, until, until_some};

/// Asks the node whether the visitor may see a page of `host`, as a proxy would.
async fn verify(cluster: &Cluster, node: usize, visitor: &Visitor, host: &str) -> Answer {
    let request = Request::get("https://quorate.internal/api/authz/forward-auth")
        .for_page()
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", host)
        .header("X-Forwarded-Uri", "/page");
    cluster.nodes()[node]
        .client()
        .send(visitor.with_cookies(request))
        .await
}

/// The status with which each running node answers.
async fn statuses(cluster: &Cluster, visitor: &Visitor, host: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for index in 0..cluster.nodes().len() {
        if cluster.nodes()[index].is_running() {
            statuses.push(verify(cluster, index, visitor, host).await.status);
        }
    }
    statuses
}

/// Waits until the members are three voters: a node that was healed answers as learner before it takes its old place.
async fn until_three_vote(node: &Node) {
    until("three nodes vote", Duration::from_secs(30), async || {
        let members = node.document(&["cluster", "members"]).await;
        let members = members.as_array().expect("a list");
        members.len() == 3 && members.iter().all(|member| member["suffrage"] == "voter")
    })
    .await;
}

/// The node that leads, by what it says itself. Between two elections nobody does; that is waited for.
async fn leader(cluster: &Cluster) -> usize {
    until_some("somebody leads", Duration::from_secs(20), async || {
        for (index, node) in cluster.nodes().iter().enumerate() {
            if !node.is_running() {
                continue;
            }
            let request = Request::get("https://quorate.internal/readyz?verbose");
            if let Ok(answer) = node.client().try_send(&request).await
                && answer.json()["role"] == json!("leader")
            {
                return Some(index);
            }
        }
        None
    })
    .await
}
