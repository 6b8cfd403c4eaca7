//! The commands of docs/operations.md and docs/users.md, read from them and run in their order.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::until_three_vote;
use crate::harness::{Cluster, Node, Settings};

/// The lines of all shell blocks of a page.
pub(super) fn commands(page: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = fs::read_to_string(page).expect("the page");
    let mut is_shell = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        match line {
            "```sh" => is_shell = true,
            "```" => is_shell = false,
            _ if is_shell => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_page_works_in_its_order() {
    let cluster = Cluster::prepare(&Settings::with_newcomer());
    for node in &cluster.nodes()[..3] {
        node.start();
    }
    cluster.wait_until_ready().await;
    let (n1, n4) = (&cluster.nodes()[0], &cluster.nodes()[3]);
    let folder = cluster.folder().display().to_string();
    let commands = commands("docs/operations.md");
    assert!(commands.len() >= 12, "{commands:#?}");
    for line in commands {
        let line = line
            .replace("n4.internal:9092", &n4.peer().to_string())
            .replace("/backup/", &format!("{folder}/"))
            .replace("/etc/quorate/", &format!("{folder}/"));
        let Some(arguments) = line.strip_prefix("quorate ") else {
            let status = Command::new("sh").args(["-c", &line]).status();
            assert!(status.expect("a shell").success(), "{line}");
            continue;
        };
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        match arguments[1] {
            "add" => n4.start(),
            "heal" => damage(n1),
            "recover" => cluster.nodes().iter().for_each(|node| node.kill()),
            "restore" => fs::remove_dir_all(n1.data_dir()).expect("remove"),
            _ => {}
        }
        let (code, _, error) = n1.command(&arguments).await;
        assert_eq!(code, Some(0), "{line}: {error}");
        if arguments[1] == "heal" {
            n1.start();
            n1.wait_until_ready().await;
            until_three_vote(n1).await;
        }
    }
}

/// Stops the node and damages what it has on disk.
fn damage(node: &Node) {
    node.kill();
    fs::write(node.data_dir().join("mark"), "QRT").expect("write");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_about_users_works_in_its_order() {
    let cheap = serde_json::json!({"argon2": {"iterations": 1, "memory": 64, "parallelism": 1}});
    let backend = serde_json::json!({"replicated": {"password": cheap}});
    let cluster = Cluster::start(Settings::new().set("authentication_backend", backend)).await;
    let folder = cluster.folder().display().to_string();
    fs::rename(
        cluster.users_file(),
        cluster.folder().join("users_database.yml"),
    )
    .expect("renamed");
    let commands = commands("docs/users.md");
    assert!(commands.len() >= 11, "{commands:#?}");
    for line in commands {
        let line = line.replace("/etc/quorate/", &format!("{folder}/"));
        let Some(arguments) = line.strip_prefix("quorate ") else {
            let status = Command::new("sh").args(["-c", &line]).status();
            assert!(status.expect("a shell").success(), "{line}");
            continue;
        };
        let arguments = arguments.replace('\'', "");
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let (code, _, error) = cluster.nodes()[1].command(&arguments).await;
        assert_eq!(code, Some(0), "{line}: {error}");
    }
    cluster.visitor(2).log_in("john", "password").await;
}
