//! What an operator asks of the node on their machine, through its admin socket.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::statuses;
use crate::harness::{Cluster, Settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn status_says_what_the_node_sees() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(1);
    john.log_in("john", "password").await;
    let mut leaders = 0;
    for node in cluster.nodes() {
        let status = node.document(&["cluster", "status"]).await;
        assert_eq!(status["name"], node.name());
        assert_eq!(status["ready"], true);
        assert_eq!(status["formation"]["phase"], "member");
        assert_eq!(status["members"].as_array().map(Vec::len), Some(3));
        assert!(
            status["lease_ms"].as_u64().expect("a number") > 0,
            "{status}"
        );
        leaders += u32::from(status["role"] == "leader");
        let (_, text, _) = node.command(&["cluster", "status"]).await;
        assert!(
            text.contains(node.name()) && text.contains(", ready"),
            "{text}"
        );
        let mode = node
            .data_dir()
            .join("admin.sock")
            .metadata()
            .expect("a socket")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(leaders, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_killed_at_any_node_is_refused_by_all_when_the_command_is_done() {
    let cluster = Cluster::start(Settings::new()).await;
    let [mut john, mut other, mut harry] = [0, 1, 2].map(|node| cluster.visitor(node));
    john.log_in("john", "password").await;
    other.log_in("john", "password").await;
    harry.log_in("harry", "password").await;
    let node = &cluster.nodes()[2];
    let list = node.document(&["session", "list"]).await;
    let users: Vec<_> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["user"].clone())
        .collect();
    assert_eq!(users, ["john", "john", "harry"]);

    let id = list[0]["id"].as_str().expect("an id").to_owned();
    let (code, text, error) = node.command(&["session", "kill", "--id", &id]).await;
    assert_eq!(
        (code, text.as_str()),
        (Some(0), "1 session ended.\n"),
        "{error}"
    );
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    assert_eq!(
        statuses(&cluster, &other, "one.example.com").await,
        [200; 3]
    );

    let ended = cluster.nodes()[0]
        .document(&["session", "kill", "--user", "john"])
        .await;
    assert_eq!(ended["ended"], 1);
    assert_eq!(
        statuses(&cluster, &other, "one.example.com").await,
        [302; 3]
    );
    assert_eq!(
        statuses(&cluster, &harry, "one.example.com").await,
        [200; 3]
    );

    let ended = cluster.nodes()[1]
        .document(&["session", "kill", "--all"])
        .await;
    assert_eq!(ended["ended"], 1);
    assert_eq!(
        statuses(&cluster, &harry, "one.example.com").await,
        [302; 3]
    );
    let (code, _, error) = node.command(&["session", "kill", "--user", "john"]).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("no such session"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_logs_are_equal_states_on_all_nodes() {
    let cluster = Cluster::start(Settings::new()).await;
    for name in ["john", "harry"] {
        cluster.visitor(0).log_in(name, "password").await;
    }
    // A follower may be an entry behind at the moment it is asked.
    until(
        "all nodes have applied as much",
        Duration::from_secs(5),
        async || {
            let mut digests = Vec::new();
            for node in cluster.nodes() {
                digests.push(node.document(&["cluster", "digest"]).await);
            }
            let applied = |digest: &serde_json::Value| digest["applied"].as_u64();
            let have_applied_as_much = digests
                .iter()
                .all(|other| applied(other) == applied(&digests[0]));
            if have_applied_as_much {
                assert!(applied(&digests[0]) > Some(0));
                assert!(
                    digests.iter().all(|other| *other == digests[0]),
                    "{digests:?}"
                );
            }
            have_applied_as_much
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_a_node_says_where_it_looked() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let node = &cluster.nodes()[0];
    node.terminate().await;
    let socket = node.data_dir().join("admin.sock");
    assert!(!socket.exists(), "the socket goes with the process");
    let (code, _, error) = node.command(&["cluster", "status"]).await;
    assert_eq!(code, Some(1));
    assert!(error.contains(socket.to_str().expect("text")), "{error}");
    assert!(error.contains("is it running on this machine"), "{error}");
}
