//! Sessions that end by inactivity, and what it costs the cluster to know that they are used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate::clock;
use serde_json::{Value, json};

use super::{statuses, verify};
use crate::harness::{Cluster, Node, Request, Settings, Visitor, until};

const INACTIVITY: Duration = Duration::from_secs(10);

/// How often one node tells the cluster of uses at most, and by how much a session may end early.
const INTERVAL: Duration = Duration::from_secs(1);

const SESSIONS: usize = 60;
const SITE: &str = "one.example.com";

/// The metric without labels, on every node.
async fn values(cluster: &Cluster, name: &str) -> [u64; 3] {
    let mut values = [0; 3];
    for (node, value) in cluster.nodes().iter().zip(&mut values) {
        let page = node.metrics().await;
        let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
        let found = lines.find_map(|rest| rest.strip_prefix(' '));
        *value = found.expect("the metric").parse().expect("a number");
    }
    values
}

fn largest(values: [u64; 3]) -> u64 {
    values.into_iter().fold(0, u64::max)
}

/// Verifies all sessions one after another at one node, on one connection, for `time`; how many verifies that were.
async fn verify_all(
    cluster: Arc<Cluster>,
    node: usize,
    visitors: Vec<Visitor>,
    time: Duration,
) -> u64 {
    let request = Request::get("https://quorate.internal/api/authz/forward-auth")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", SITE)
        .header("X-Forwarded-Uri", "/page");
    let requests: Vec<_> = visitors
        .iter()
        .map(|visitor| visitor.with_cookies(request.clone()))
        .collect();
    let client = cluster.nodes()[node].client();
    let mut connection = client.connect(&request).await.expect("a connection");
    let begun = Instant::now();
    let mut verifies = 0;
    while begun.elapsed() < time {
        for request in &requests {
            let answer = connection.try_send(request).await.expect("an answer");
            assert_eq!(answer.status, 200, "verify {verifies} at node {node}");
            verifies += 1;
        }
    }
    verifies
}

#[tokio::test(flavor = "multi_thread")]
async fn many_verifies_cost_no_more_than_one_entry_per_node_and_interval() {
    let settings = Settings::new().set("session.inactivity", json!("10s"));
    let cluster = Arc::new(Cluster::start(settings).await);
    let mut visitors = Vec::new();
    for number in 0..SESSIONS {
        let mut visitor = cluster.visitor(number % 3);
        visitor.log_in("john", "password").await;
        visitors.push(visitor);
    }
    let (last, batches) = ("quorate_raft_last_log_index", "quorate_touch_batches_total");
    let entries_before = largest(values(&cluster, last).await);
    let batches_before = values(&cluster, batches).await;
    let begun = Instant::now();
    // Longer than any of the sessions would live unused.
    let time = INACTIVITY + INTERVAL * 3;
    let mut load = tokio::task::JoinSet::new();
    for node in 0..3 {
        load.spawn(verify_all(
            Arc::clone(&cluster),
            node,
            visitors.clone(),
            time,
        ));
    }
    let verifies: u64 = load.join_all().await.into_iter().sum();
    let batches_after = values(&cluster, batches).await;
    let entries = largest(values(&cluster, last).await) - entries_before;
    let took = begun.elapsed();
    let all: u64 = batches_after.iter().sum::<u64>() - batches_before.iter().sum::<u64>();
    println!(
        "{verifies} verifies of {SESSIONS} sessions in {took:?}: {entries} entries, {all} of them uses"
    );
    // The first tick and the last may both fall into the time.
    let ticks_max = took.as_secs() / INTERVAL.as_secs() + 2;
    for (after, before) in batches_after.iter().zip(&batches_before) {
        assert!(
            after - before <= ticks_max,
            "{batches_before:?} {batches_after:?}"
        );
    }
    assert!(all > 0, "all sessions would be over");
    // An election and the clean-up after the logins have entries of their own.
    assert!(entries <= all + 5, "{entries} entries for {all} batches");
    assert!(verifies > 500, "only {verifies} verifies");
}

/// The one session of a user, as the node knows it; `None` if it does not count any more.
async fn session(node: &Node, user: &str) -> Option<Value> {
    let list = node.document(&["session", "list", "--user", user]).await;
    list.as_array().expect("a list").first().cloned()
}

fn time(session: &Value, name: &str) -> u64 {
    session[name].as_u64().expect("a time")
}

async fn seen_at(node: &Node, user: &str) -> Option<u64> {
    Some(time(&session(node, user).await?, "seen_at_ms"))
}

/// Waits until the wall clock of all, which sessions end by, is past an instant.
async fn until_clock(instant_ms: u64) {
    until("it is time", Duration::from_secs(30), async || {
        clock::now().0 > instant_ms
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_at_one_node_is_known_to_all_and_a_session_ends_when_nobody_uses_it() {
    let settings = Settings::new().set("session.inactivity", json!("10s"));
    let cluster = Cluster::start(settings).await;
    let [mut used, mut unused] = [0, 1].map(|node| cluster.visitor(node));
    used.log_in("john", "password").await;
    unused.log_in("harry", "password").await;
    let n1 = &cluster.nodes()[0];
    let opened = seen_at(n1, "john").await.expect("a session");
    let millis = |time: Duration| u64::try_from(time.as_millis()).expect("a time");

    until_clock(opened + millis(INACTIVITY) / 2).await;
    assert_eq!(verify(&cluster, 0, &used, SITE).await.status, 200);
    for node in cluster.nodes() {
        let what = format!("{} knows of the use at n1", node.name());
        let bound = Duration::from_secs(20);
        until(&what, bound, async || {
            seen_at(node, "john")
                .await
                .is_some_and(|seen| seen > opened)
        })
        .await;
    }
    let unused_seen = seen_at(n1, "harry").await.unwrap_or(opened);
    until_clock(unused_seen + millis(INACTIVITY)).await;
    assert_eq!(statuses(&cluster, &unused, SITE).await, [302; 3]);
    let seen = seen_at(n1, "john").await.expect("it is not over");
    until_clock(seen + millis(INACTIVITY)).await;
    assert_eq!(statuses(&cluster, &used, SITE).await, [302; 3]);
}

/// Asks all nodes until the session has ended; how often all of them said that it is good. It ends at `end_ms`, not
/// earlier and not later.
async fn watch_end(cluster: &Cluster, visitor: &Visitor, end_ms: u64) -> usize {
    let mut good = 0;
    loop {
        let asked = clock::now().0;
        let answers = statuses(cluster, visitor, SITE).await;
        if answers == [200; 3] {
            assert!(asked < end_ms, "{} ms too late", asked - end_ms);
            good += 1;
            continue;
        }
        let answered = clock::now().0;
        let early_ms = end_ms.saturating_sub(answered);
        assert_eq!(early_ms, 0, "too early: {answers:?}");
        if asked >= end_ms {
            assert_eq!(answers, [302; 3]);
            return good;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_session_outlives_inactivity_and_an_ordinary_one_ends_by_expiration_although_it_is_used()
 {
    let settings = Settings::new()
        .set("session.inactivity", json!("4s"))
        .set("session.expiration", json!("8s"))
        .set("session.remember_me", json!("14s"));
    let cluster = Cluster::start(settings).await;
    let mut remembered = cluster.visitor(0);
    let form = json!({"username": "john", "password": "password", "keepMeLoggedIn": true});
    let answer = remembered.post_to_portal("/api/firstfactor", &form).await;
    assert_eq!(answer.status, 200);
    let mut ordinary = cluster.visitor(1);
    ordinary.log_in("harry", "password").await;
    let [n1, n2, _] = cluster.nodes() else {
        panic!("three nodes");
    };
    let long = session(n1, "john").await.expect("a session");
    let short = session(n2, "harry").await.expect("a session");
    let lives = |session: &Value| time(session, "expires_at_ms") - time(session, "opened_at_ms");
    assert_eq!((lives(&short), lives(&long)), (8_000, 14_000));

    let good = watch_end(&cluster, &ordinary, time(&short, "expires_at_ms")).await;
    assert!(good > 5, "only {good} looks");
    // Not used for twice the time of inactivity, the remembered one is still there.
    let still = session(n1, "john").await.expect("it is not over");
    assert_eq!(time(&still, "seen_at_ms"), time(&still, "opened_at_ms"));
    let good = watch_end(&cluster, &remembered, time(&long, "expires_at_ms")).await;
    assert!(good > 5, "only {good} looks");
}
