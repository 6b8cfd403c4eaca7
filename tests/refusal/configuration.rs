//! Configuration and users file.

use std::fs;
use std::net::TcpListener;

use serde_json::json;

use super::{refused, says};
use crate::harness::{Cluster, Settings};

fn single() -> Cluster {
    Cluster::prepare(&Settings::with_nodes(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_are_told_at_once_with_their_lines_before_a_port_opens() {
    let cluster = single();
    let node = &cluster.nodes()[0];
    let text = "server:\n  adress: 'tcp://127.0.0.1:1'\nsession:\n  inactivity: never\n  cookies:\n    \
                - domain: example.com\n      authelia_url: 'http://auth.example.com'\naccess_control:\n  \
                rules:\n    - domain: one.example.com\n      policy: sometimes\n";
    fs::write(node.configuration(), text).expect("write");
    let output = refused(node).await;
    let places = [
        "2:3: server.adress",
        "4:15: session.inactivity",
        "7:21: session.cookies[0].authelia_url",
    ];
    for place in places {
        says(
            &output,
            &[&format!("{}:{place}: ", node.configuration().display())],
        );
    }
    says(
        &output,
        &[
            "did you mean `address`?",
            "`sometimes`",
            "11:15: access_control.rules[0].policy",
        ],
    );
    says(
        &output,
        &["storage.encryption_key", "authentication_backend"],
    );
    assert!(!node.data_dir().exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_there_or_not_yaml_are_named() {
    let cluster = single();
    let node = &cluster.nodes()[0];
    let sound = fs::read_to_string(node.configuration()).expect("read");
    fs::write(node.configuration(), "server: [\n").expect("write");
    says(
        &refused(node).await,
        &[&format!("{}:", node.configuration().display())],
    );
    fs::remove_file(node.configuration()).expect("remove");
    says(
        &refused(node).await,
        &[
            "configuration.yml",
            "cannot be read",
            "correct the path or the permissions",
        ],
    );
    fs::write(node.configuration(), sound).expect("write");
    fs::write(cluster.users_file(), "users:\n  john:\n    pasword: x\n").expect("write");
    says(
        &refused(node).await,
        &[
            "users.yml:3:5: users.john.pasword",
            "did you mean `password`?",
        ],
    );
    fs::remove_file(cluster.users_file()).expect("remove");
    says(&refused(node).await, &["users.yml", "cannot be read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_with_its_key() {
    let cluster = Cluster::prepare(&Settings::new());
    let node = &cluster.nodes()[0];
    let taken = TcpListener::bind(node.http()).expect("bind");
    let address = node.http().to_string();
    says(
        &refused(node).await,
        &["server.address: cannot listen on ", &address, "in use"],
    );
    drop(taken);
    let _taken = TcpListener::bind(node.peer()).expect("bind");
    says(
        &refused(node).await,
        &["cluster.address", &node.peer().to_string(), "in use"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_do_not_fit_are_named() {
    let cluster = single();
    let other = cluster.authority().sign("other", &["other.example.com"]);
    let cluster =
        Cluster::prepare(&Settings::with_nodes(1).set("server.tls.key", json!(other.key)));
    says(
        &refused(&cluster.nodes()[0]).await,
        &["server.tls", "does not fit the certificate"],
    );
    let cluster = Cluster::prepare(
        &Settings::with_nodes(1).set("server.tls.certificate", json!("/nowhere.pem")),
    );
    says(
        &refused(&cluster.nodes()[0]).await,
        &["/nowhere.pem: server.tls: names this file, and it cannot be read"],
    );
}
