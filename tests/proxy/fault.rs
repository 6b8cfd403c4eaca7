//! What must be true of every proxy with our recipe while nodes die, freeze, or cannot decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::scenario::{passed, scenes};
use super::stage::Stage;
use crate::harness::{Client, Request, Seen, Visitor, until};

scenes![
    no_request_fails_while_nodes_are_killed_and_come_back,
    no_request_fails_while_a_node_is_frozen,
    nothing_passes_without_a_quorum,
    nothing_passes_while_all_nodes_are_down_and_the_session_is_back_after,
];

/// How many clients ask all the time while a node is killed.
const CLIENTS: usize = 4;

/// How many requests are answered before, and how many after each event.
const REQUESTS: usize = 60;

/// Clients with a session that ask for the same page all the time.
struct Load {
    counted: Arc<Counted>,
    clients: JoinSet<Vec<String>>,
}

/// What the clients of a load have in common.
#[derive(Default)]
struct Counted {
    is_over: AtomicBool,
    answered: AtomicUsize,
}

impl Load {
    async fn start(stage: &Stage) -> Self {
        let john = stage.logged_in("john").await;
        let request = john.with_cookies(Request::get(&stage.url("one", "/load")).for_page());
        let counted = Arc::new(Counted::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (client, request) = (stage.client(), request.clone());
            clients.spawn(ask_until_over(client, request, Arc::clone(&counted)));
        }
        Self { counted, clients }
    }

    async fn until_answered(&self, more: usize) {
        let answered = || self.counted.answered.load(Ordering::SeqCst);
        let goal = answered() + more;
        let bound = Duration::from_secs(60);
        until("the load has gone on", bound, || async {
            answered() >= goal
        })
        .await;
    }

    /// Stops the clients and panics if any of their requests failed.
    async fn end(self) {
        self.counted.is_over.store(true, Ordering::SeqCst);
        let failures = self.clients.join_all().await.concat();
        let answered = self.counted.answered.load(Ordering::SeqCst);
        let count = failures.len();
        assert!(
            failures.is_empty(),
            "{count} of {answered} requests failed: {failures:#?}"
        );
    }
}

/// Asks for the same page again and again, and returns what was not the page.
async fn ask_until_over(client: Client, request: Request, counted: Arc<Counted>) -> Vec<String> {
    let mut failures = Vec::new();
    while !counted.is_over.load(Ordering::SeqCst) {
        match client.try_send(&request).await {
            Ok(answer) => match Seen::in_answer(&answer) {
                Some(seen) if answer.status == 200 && seen.one("remote-user") == "john" => {}
                _ => failures.push(format!("{answer:?}")),
            },
            Err(error) => failures.push(error.to_string()),
        }
        counted.answered.fetch_add(1, Ordering::SeqCst);
    }
    failures
}

async fn no_request_fails_while_nodes_are_killed_and_come_back(stage: Arc<Stage>) {
    let load = Load::start(&stage).await;
    for node in stage.cluster.nodes() {
        load.until_answered(REQUESTS).await;
        node.kill();
        load.until_answered(REQUESTS).await;
        node.start();
        node.wait_until_ready().await;
    }
    load.until_answered(REQUESTS).await;
    load.end().await;
}

async fn no_request_fails_while_a_node_is_frozen(stage: Arc<Stage>) {
    let load = Load::start(&stage).await;
    for node in stage.cluster.nodes() {
        load.until_answered(REQUESTS).await;
        node.pause();
        load.until_answered(REQUESTS).await;
        node.resume();
        node.wait_until_ready().await;
    }
    load.until_answered(REQUESTS).await;
    load.end().await;
}

async fn nothing_passes_without_a_quorum(stage: Arc<Stage>) {
    let john = stage.logged_in("john").await;
    let nodes = stage.cluster.nodes();
    for node in &nodes[1..] {
        node.kill();
    }
    let bound = Duration::from_secs(20);
    until(
        "the last node says that it cannot decide",
        bound,
        || async { nodes[0].is_running() && !nodes[0].is_ready().await },
    )
    .await;
    // Some refusals and redirects need no quorum; letting a session pass does.
    assert_closed(&stage, &[john], &["one", "two"]).await;
    for node in &nodes[1..] {
        node.start();
    }
    stage.cluster.wait_until_ready().await;
    stage.wait_until_open().await;
}

async fn nothing_passes_while_all_nodes_are_down_and_the_session_is_back_after(stage: Arc<Stage>) {
    let mut john = stage.logged_in("john").await;
    passed(&john.open(&stage.url("one", "/")).await);
    for node in stage.cluster.nodes() {
        node.kill();
    }
    let visitors = [john.clone(), stage.visitor()];
    assert_closed(&stage, &visitors, &["one", "public", "deny", "auth"]).await;

    for node in stage.cluster.nodes() {
        node.start();
    }
    stage.cluster.wait_until_ready().await;
    stage.wait_until_open().await;
    let seen = passed(&john.open(&stage.url("one", "/")).await);
    assert_eq!(seen.one("remote-user"), "john");
}

/// Asserts that no page of `sites` comes through to any of `visitors`, and that every answer is 5xx.
async fn assert_closed(stage: &Stage, visitors: &[Visitor], sites: &[&'static str]) {
    let served = stage.site.served();
    // All at once, because a proxy may look for a living node for seconds.
    let mut asked = JoinSet::new();
    for &site in sites {
        for visitor in visitors {
            let (mut visitor, url) = (visitor.clone(), stage.url(site, "/"));
            asked.spawn(async move { (site, visitor.open(&url).await) });
        }
    }
    for (site, answer) in asked.join_all().await {
        assert!((500..600).contains(&answer.status), "{site}: {answer:?}");
        assert!(
            Seen::in_answer(&answer).is_none(),
            "{site}: the application answered: {answer:?}"
        );
    }
    assert_eq!(
        stage.site.served(),
        served,
        "a request reached the application"
    );
}
