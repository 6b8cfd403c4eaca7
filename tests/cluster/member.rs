//! Members that come and go while the cluster serves, by the operator's commands.

use std::time::Duration;

use serde_json::{Value, json};

use super::{leader, statuses, verify};
use crate::harness::{Cluster, Node, Settings, until};

/// Three of four nodes run; the fourth is listed nowhere.
async fn three_of_four() -> Cluster {
    let cluster = Cluster::prepare(&Settings::with_newcomer());
    for node in &cluster.nodes()[..3] {
        node.start();
    }
    cluster.wait_until_ready().await;
    cluster
}

async fn refused(node: &Node, arguments: &[&str]) -> String {
    let (code, _, error) = node.command(arguments).await;
    assert_eq!(code, Some(1), "{arguments:?}: {error}");
    error
}

/// `name suffrage` of each member.
async fn members(node: &Node) -> Vec<String> {
    let list = node.document(&["cluster", "members"]).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let lines = list.as_array().expect("a list").iter();
    lines
        .map(|m| format!("{} {}", text(&m["name"]), text(&m["suffrage"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_added_as_learner_promoted_demoted_and_removed() {
    let cluster = three_of_four().await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let (n1, n4) = (&cluster.nodes()[0], &cluster.nodes()[3]);
    let place = format!("n4={}", n4.peer());

    n4.start();
    let added = n1.document(&["cluster", "add", &place, "--learner"]).await;
    assert_eq!(added["done"], json!("`n4` is a learner now"));
    n4.wait_until_ready().await;
    assert_eq!(
        statuses(&cluster, &john, "one.example.com").await,
        [200; 4],
        "a read replica answers"
    );
    let mut harry = cluster.visitor(3);
    harry.log_in("harry", "password").await;
    assert_eq!(
        verify(&cluster, 1, &harry, "one.example.com").await.status,
        200
    );

    let (code, printed, error) = n4.command(&["cluster", "promote", "n4"]).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(
        printed,
        "`n4` is a voter now\n4 voters: the cluster goes on with 1 of them lost\n\
         3 voters would stand as many losses; an odd number is cheaper\n"
    );
    let done = n1.document(&["cluster", "demote", "n4"]).await;
    assert_eq!(done["done"], json!("`n4` is a learner now"));
    let expect = ["n1 voter", "n2 voter", "n3 voter", "n4 learner"];
    assert_eq!(members(n4).await, expect);
    let done = n1.document(&["cluster", "remove", "n4"]).await;
    assert!(done["done"].as_str().expect("a text").contains("removed"));
    assert_eq!(members(n1).await, expect[..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_is_transferred_and_a_leader_is_removed_without_a_failed_verify() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let old = leader(&cluster).await;
    let next = (old + 1) % 3;
    let name = cluster.nodes()[next].name();
    let done = cluster.nodes()[old]
        .document(&["cluster", "transfer-leader", name])
        .await;
    assert_eq!(done["done"], json!(format!("`{name}` leads now")));
    assert_eq!(leader(&cluster).await, next);
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);

    cluster.nodes()[old]
        .document(&["cluster", "remove", name])
        .await;
    for stays in (0..3).filter(|node| *node != next) {
        let answer = verify(&cluster, stays, &john, "one.example.com").await;
        assert_eq!(answer.status, 200);
        assert_eq!(members(&cluster.nodes()[stays]).await.len(), 2);
    }
    until(
        "the removed node says so",
        Duration::from_secs(10),
        || async {
            let status = cluster.nodes()[next].document(&["cluster", "status"]).await;
            let why = status["formation"]["cause"].as_str().unwrap_or_default();
            why.contains("not a member of this cluster any more")
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_or_loses_quorum_is_refused_with_the_reason() {
    let cluster = Cluster::start(Settings::new()).await;
    let n1 = &cluster.nodes()[0];
    let error = refused(n1, &["cluster", "remove", "n9"]).await;
    assert!(error.contains("the members are n1, n2, n3"), "{error}");
    let error = refused(n1, &["cluster", "add", "n1=127.0.0.1:1"]).await;
    assert!(error.contains("is a member already"), "{error}");
    let error = refused(n1, &["cluster", "promote", "n2"]).await;
    assert!(error.contains("votes already"), "{error}");
    let (code, _, error) = n1.command(&["cluster", "add", "n4"]).await;
    assert_eq!(code, Some(64), "{error}");
    cluster.nodes()[2].kill();
    let error = refused(n1, &["cluster", "remove", "n2"]).await;
    assert!(error.contains("would lose quorum"), "{error}");
    assert!(error.contains("--force"), "{error}");
}

/// Forced, a change is made that only those can finish who do not run: it is not committed until one of them is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_change_that_loses_quorum_is_finished_when_the_lost_one_is_back() {
    let cluster = Cluster::start(Settings::new()).await;
    let leads = leader(&cluster).await;
    let (lost, leaves) = ((leads + 1) % 3, (leads + 2) % 3);
    let [keeper, lost, leaves] = [leads, lost, leaves].map(|node| &cluster.nodes()[node]);
    lost.kill();
    let error = refused(keeper, &["cluster", "remove", leaves.name(), "--force"]).await;
    assert!(error.contains("no majority has confirmed"), "{error}");
    let again = format!("then run `quorate cluster remove {}` again", leaves.name());
    assert!(error.contains(&again), "{error}");
    lost.start();
    lost.wait_until_ready().await;
    let learner = format!("{} learner", leaves.name());
    until("its vote is gone", Duration::from_secs(30), || async {
        let (code, printed, _) = keeper.command(&["cluster", "members"]).await;
        let words = printed.lines().map(str::split_whitespace);
        let lines = words.map(|words| words.collect::<Vec<_>>().join(" "));
        code == Some(0) && lines.into_iter().any(|line| line.contains(&learner))
    })
    .await;
    keeper.document(&["cluster", "remove", leaves.name()]).await;
    assert_eq!(members(keeper).await.len(), 2);
    cluster.visitor(leads).log_in("john", "password").await;
}
