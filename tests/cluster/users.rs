//! Users kept in the cluster, and passwords in place of those of the users file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use quorate::authn::digest::Recipe;
use serde_json::{Value, json};

use super::{leader, statuses, verify};
use crate::harness::{Answer, Cluster, Node, Request, Settings, until};

/// Users in the cluster, none yet; hashes cost little.
fn replicated() -> Settings {
    Settings::new().set(
        "authentication_backend",
        json!({"replicated": {"password": cheap()}}),
    )
}

fn cheap() -> Value {
    json!({"argon2": {"iterations": 1, "memory": 64, "parallelism": 1}})
}

/// What the command prints; it must succeed.
async fn done(node: &Node, arguments: &[&str]) -> String {
    let (code, text, error) = node.command(arguments).await;
    assert_eq!(code, Some(0), "{arguments:?}: {error}");
    text
}

/// What the command says on its failure.
async fn refused(node: &Node, arguments: &[&str]) -> String {
    let (code, _, error) = node.command(arguments).await;
    assert_eq!(code, Some(1), "{arguments:?}: {error}");
    error
}

/// A file that holds `text` in one line.
fn file(cluster: &Cluster, text: &str) -> String {
    let path = cluster.folder().join(format!("file-of-{text}"));
    fs::write(&path, format!("{text}\n")).expect("written");
    path.display().to_string()
}

async fn add(cluster: &Cluster, node: usize, name: &str, more: &[&str]) {
    let password = file(cluster, "password");
    let arguments = ["storage", "user", "add", name, "--password-file", &password];
    let node = &cluster.nodes()[node];
    assert_eq!(
        done(node, &[&arguments, more].concat()).await,
        format!("`{name}` is added.\n")
    );
}

async fn passwd(cluster: &Cluster, node: usize, name: &str, password: &str) -> String {
    let password = file(cluster, password);
    let arguments = ["storage", "user", "passwd", name, "--password-file"];
    done(
        &cluster.nodes()[node],
        &[&arguments[..], &[&password]].concat(),
    )
    .await
}

async fn log_in(cluster: &Cluster, node: usize, name: &str, password: &str) -> Answer {
    cluster.visitor(node).try_log_in(name, password).await
}

/// Asks with credentials in the header, as programs do.
async fn basic(cluster: &Cluster, node: usize, credentials: &str) -> u16 {
    let request = Request::get("https://quorate.internal/api/authz/forward-auth")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "one.example.com")
        .header("X-Forwarded-Uri", "/page")
        .header("Authorization", format!("Basic {credentials}"));
    cluster.nodes()[node].client().send(request).await.status
}

const JOHN_PASSWORD: &str = "am9objpwYXNzd29yZA==";
const JOHN_SECOND: &str = "am9objpzZWNvbmQ=";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_at_one_node_logs_in_at_every_other_at_once() {
    let cluster = Cluster::start(replicated()).await;
    let none = done(&cluster.nodes()[2], &["storage", "user", "list"]).await;
    assert!(none.contains("There are no users"), "{none}");
    let more = [
        "--displayname",
        "Zoë Müller",
        "--email",
        "zoe@example.com",
        "--groups",
        "dev,admins",
    ];
    for (node, name) in ["john", "harry", "zoe"].into_iter().enumerate() {
        add(&cluster, node, name, &more).await;
        let mut visitor = cluster.visitor((node + 1) % 3);
        visitor.log_in(name, "password").await;
        assert_eq!(
            statuses(&cluster, &visitor, "admins.example.com").await,
            [200; 3]
        );
        let answer = verify(&cluster, node, &visitor, "one.example.com").await;
        let remote = [
            "remote-user",
            "remote-groups",
            "remote-name",
            "remote-email",
        ];
        let remote = remote.map(|name| {
            let value = answer.headers.get(name).expect("a header");
            String::from_utf8(value.as_bytes().to_vec()).expect("UTF-8")
        });
        assert_eq!(
            remote,
            [name, "dev,admins", "Zoë Müller", "zoe@example.com"]
        );
    }
    assert_eq!(basic(&cluster, 2, JOHN_PASSWORD).await, 200);
    let list = cluster.nodes()[1]
        .document(&["storage", "user", "list"])
        .await;
    let names: Vec<_> = list.as_array().expect("a list").iter().collect();
    assert_eq!(
        names.iter().map(|line| &line["user"]).collect::<Vec<_>>(),
        ["harry", "john", "zoe"]
    );
    let status = cluster.nodes()[0].document(&["cluster", "status"]).await;
    assert_eq!(status["warnings"], json!([]), "members have the same users");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_all_sessions_and_the_old_one_is_worth_nothing() {
    let cluster = Cluster::start(replicated()).await;
    add(&cluster, 0, "john", &[]).await;
    let [mut one, mut two] = [0, 1].map(|node| cluster.visitor(node));
    one.log_in("john", "password").await;
    two.log_in("john", "password").await;
    let said = passwd(&cluster, 2, "john", "second").await;
    assert_eq!(said, "The password of `john` is set; 2 sessions ended.\n");
    for visitor in [&one, &two] {
        assert_eq!(
            statuses(&cluster, visitor, "one.example.com").await,
            [302; 3]
        );
    }
    for node in 0..3 {
        let old = log_in(&cluster, node, "john", "password").await;
        assert_eq!(old.status, 401, "the old password at node {node}");
        let new = log_in(&cluster, node, "john", "second").await;
        assert_eq!(new.status, 200, "the new password at node {node}");
    }
    assert_eq!(basic(&cluster, 0, JOHN_PASSWORD).await, 401);
    assert_eq!(basic(&cluster, 1, JOHN_SECOND).await, 200);
    for node in cluster.nodes() {
        assert!(!node.log().contains("second"), "a password in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_or_removed_user_is_refused_by_every_node_when_the_command_is_done() {
    let cluster = Cluster::start(replicated()).await;
    add(&cluster, 0, "john", &[]).await;
    let mut john = cluster.visitor(1);
    john.log_in("john", "password").await;
    let said = done(&cluster.nodes()[2], &["storage", "user", "disable", "john"]).await;
    assert_eq!(said, "`john` is disabled; 1 session ended.\n");
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    for node in 0..3 {
        let answer = log_in(&cluster, node, "john", "password").await;
        assert_eq!(answer.status, 401, "login of a disabled user at {node}");
    }
    done(&cluster.nodes()[0], &["storage", "user", "enable", "john"]).await;
    john.log_in("john", "password").await;
    let said = done(&cluster.nodes()[1], &["storage", "user", "delete", "john"]).await;
    assert_eq!(said, "`john` is removed; 1 session ended.\n");
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    assert_eq!(log_in(&cluster, 2, "john", "password").await.status, 401);
    let error = refused(&cluster.nodes()[2], &["storage", "user", "show", "john"]).await;
    assert!(error.contains("there is no user `john`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_taken_away_count_on_every_node_when_the_command_is_done() {
    let cluster = Cluster::start(replicated()).await;
    add(&cluster, 0, "john", &["--groups", "dev,admins"]).await;
    let mut john = cluster.visitor(1);
    john.log_in("john", "password").await;
    for round in 0..5 {
        let node = &cluster.nodes()[round % 3];
        let set = ["storage", "user", "set", "john", "--groups"];
        done(node, &[&set[..], &["dev,admins"]].concat()).await;
        assert_eq!(
            statuses(&cluster, &john, "admins.example.com").await,
            [200; 3]
        );
        done(node, &[&set[..], &["dev"]].concat()).await;
        assert_eq!(
            statuses(&cluster, &john, "admins.example.com").await,
            [403; 3],
            "round {round}"
        );
    }
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_slept_through_a_change_answers_nothing_stale() {
    let cluster = Cluster::start(replicated()).await;
    for name in ["john", "harry"] {
        add(&cluster, 0, name, &[]).await;
    }
    let leads = leader(&cluster).await;
    let (sleeper, other) = ((leads + 1) % 3, (leads + 2) % 3);
    let [mut john, mut harry] = [0, 1].map(|_| cluster.visitor(sleeper));
    john.log_in("john", "password").await;
    harry.log_in("harry", "password").await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
    cluster.nodes()[sleeper].pause();
    passwd(&cluster, other, "john", "second").await;
    done(
        &cluster.nodes()[other],
        &["storage", "user", "delete", "harry"],
    )
    .await;
    cluster.nodes()[sleeper].resume();
    for visitor in [&john, &harry] {
        let late = verify(&cluster, sleeper, visitor, "one.example.com").await;
        assert_ne!(late.status, 200, "a session that has ended");
    }
    for name in ["john", "harry"] {
        let late = log_in(&cluster, sleeper, name, "password").await;
        assert_ne!(late.status, 200, "{name}: a password that counts no more");
    }
    assert_ne!(basic(&cluster, sleeper, JOHN_PASSWORD).await, 200);
    cluster.nodes()[sleeper].wait_until_ready().await;
    let new = log_in(&cluster, sleeper, "john", "second").await;
    assert_eq!(new.status, 200, "{new:?}");
}

/// Nobody learns whether a name exists: the answer is the same, and so is the work, which is one check of a password.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_disabled_and_passwordless_users_are_refused_as_a_wrong_password_is() {
    let cluster = Cluster::start(replicated()).await;
    let node = &cluster.nodes()[0];
    add(&cluster, 0, "john", &[]).await;
    add(&cluster, 0, "gone", &["--disabled"]).await;
    done(node, &["storage", "user", "add", "robot", "--no-password"]).await;
    let begun = async || {
        let page = node.metrics().await;
        let line = page.lines().find_map(|line| {
            line.strip_prefix("quorate_password_checks_total ")
                .map(str::to_owned)
        });
        line.expect("the metric").parse::<f64>().expect("a number")
    };
    let mut bodies = Vec::new();
    for name in ["john", "gone", "robot", "nobody"] {
        let before = begun().await;
        let answer = log_in(&cluster, 0, name, "wrong").await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(begun().await - before, 1.0, "checks for {name}");
        bodies.push(answer.text());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let log = node.log();
    assert!(log.contains("cause=\"the user has no password\" user=\"robot\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_outlive_the_end_of_all_processes_and_travel_in_snapshots() {
    let cluster = Cluster::start(replicated()).await;
    add(&cluster, 0, "john", &["--groups", "admins"]).await;
    add(&cluster, 1, "harry", &[]).await;
    passwd(&cluster, 2, "john", "second").await;
    done(
        &cluster.nodes()[0],
        &["storage", "user", "disable", "harry"],
    )
    .await;
    let key = file(&cluster, &"k".repeat(64));
    let backup = cluster.folder().join("users.qb").display().to_string();
    let taken = ["cluster", "backup", &backup, "--key-file", &key];
    done(&cluster.nodes()[0], &taken).await;
    for node in cluster.nodes() {
        node.kill();
    }
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    let wiped = (leader(&cluster).await + 1) % 3;
    let node = &cluster.nodes()[wiped];
    node.kill();
    fs::remove_dir_all(node.data_dir()).expect("removed");
    node.start();
    node.wait_until_ready().await;
    let list = node.document(&["storage", "user", "list"]).await;
    let states: Vec<_> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| (line["user"].clone(), line["disabled"].clone()))
        .collect();
    assert_eq!(
        states,
        [(json!("harry"), json!(true)), (json!("john"), json!(false))]
    );
    assert_eq!(
        log_in(&cluster, wiped, "john", "password").await.status,
        401
    );
    let mut john = cluster.visitor(wiped);
    john.log_in("john", "second").await;
    assert_eq!(
        statuses(&cluster, &john, "admins.example.com").await,
        [200; 3]
    );
    let plain = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"second");
    let stored = contents(&cluster.nodes()[0].data_dir());
    assert!(!stored.is_empty() && !stored.iter().any(|bytes| plain(bytes)));
}

/// What is in the files below `folder`.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.is_file() {
            found.push(fs::read(&path).expect("a file"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_file_are_imported_with_their_passwords() {
    let cluster = Cluster::start(replicated()).await;
    let node = &cluster.nodes()[1];
    let path = cluster.users_file().display().to_string();
    let import = ["storage", "user", "import", &path];
    let said = done(node, &[&import[..], &["--dry-run"]].concat()).await;
    assert!(
        said.contains("4 added: gone, harry, john, zoe") && said.contains("dry run"),
        "{said}"
    );
    assert_eq!(log_in(&cluster, 0, "john", "password").await.status, 401);
    done(node, &import).await;
    let mut john = cluster.visitor(2);
    john.log_in("john", "password").await;
    assert_eq!(
        statuses(&cluster, &john, "admins.example.com").await,
        [200; 3]
    );
    assert_eq!(
        log_in(&cluster, 2, "gone", "password").await.status,
        401,
        "a disabled user stays disabled"
    );
    let again = node.document(&import).await;
    assert_eq!(again["unchanged"], json!(["gone", "harry", "john", "zoe"]));

    passwd(&cluster, 0, "john", "second").await;
    let kept = node.document(&import).await;
    assert_eq!(kept["kept"], json!(["john"]));
    assert_eq!(log_in(&cluster, 0, "john", "second").await.status, 200);
    let mut john = cluster.visitor(0);
    john.log_in("john", "second").await;
    let replaced = node.document(&[&import[..], &["--replace"]].concat()).await;
    assert_eq!(replaced["replaced"], json!(["john"]));
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [302; 3]);
    assert_eq!(log_in(&cluster, 0, "john", "password").await.status, 200);

    let broken = file(&cluster, "users: {ann: {password: secret}}");
    let error = refused(node, &["storage", "user", "import", &broken]).await;
    assert!(
        error.contains("nobody was imported") && error.contains("users.ann.password"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_addresses_are_searched_as_configured() {
    let backend = json!({"replicated": {
        "password": cheap(),
        "search": {"email": true, "case_insensitive": true},
    }});
    let cluster =
        Cluster::start(Settings::with_nodes(1).set("authentication_backend", backend)).await;
    let node = &cluster.nodes()[0];
    add(&cluster, 0, "john", &["--email", "John@Example.com"]).await;
    for typed in ["john", "JOHN", "john@example.com", "JOHN@EXAMPLE.COM"] {
        let answer = log_in(&cluster, 0, typed, "password").await;
        assert_eq!(answer.status, 200, "{typed}");
    }
    let taken = ["storage", "user", "add", "jane", "--no-password", "--email"];
    let error = refused(node, &[&taken[..], &["john@example.com"]].concat()).await;
    assert!(error.contains("leads to `john` already"), "{error}");
    let error = refused(node, &["storage", "user", "add", "JOHN", "--no-password"]).await;
    assert!(error.contains("there is a user `john` already"), "{error}");
    done(node, &["storage", "user", "set", "JOHN", "--email", ""]).await;
    assert_eq!(
        log_in(&cluster, 0, "john@example.com", "password")
            .await
            .status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_in_words() {
    let cluster = Cluster::start(Settings::with_nodes(1).set(
        "authentication_backend",
        json!({"replicated": {"password": cheap()}}),
    ))
    .await;
    let node = &cluster.nodes()[0];
    for command in ["show", "disable", "enable", "delete"] {
        let error = refused(node, &["storage", "user", command, "nobody"]).await;
        assert!(
            error.contains("there is no user `nobody`; `quorate storage user list` shows all"),
            "{command}: {error}"
        );
    }
    let empty = file(&cluster, "");
    let add = ["storage", "user", "add", "john", "--password-file", &empty];
    let error = refused(node, &add).await;
    assert!(
        error.contains("must hold the password in one line"),
        "{error}"
    );
    let (code, _, error) = node.command(&["storage", "user", "set", "john"]).await;
    assert_eq!(code, Some(64), "{error}");
    let bad = [
        "storage",
        "user",
        "add",
        "john",
        "--no-password",
        "--groups",
    ];
    let error = refused(node, &[&bad[..], &["a\u{7}b"]].concat()).await;
    assert!(error.contains("has a control character"), "{error}");
}

/// As an operator edits the users file, on all members.
async fn edit(cluster: &Cluster, from: &str, to: &str) {
    let text = fs::read_to_string(cluster.users_file()).expect("a users file");
    assert!(text.contains(from), "{from} in\n{text}");
    fs::write(cluster.users_file(), text.replace(from, to)).expect("written");
    for node in cluster.nodes() {
        done(node, &["config", "reload"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_set_over_the_users_file_counts_until_the_file_declares_another() {
    let settings = Settings::new().set("authentication_backend.file.password", cheap());
    let cluster = Cluster::start(settings).await;
    let [mut one, mut two] = [0, 1].map(|node| cluster.visitor(node));
    one.log_in("john", "password").await;
    two.log_in("john", "password").await;
    let said = passwd(&cluster, 2, "john", "second").await;
    assert_eq!(said, "The password of `john` is set; 2 sessions ended.\n");
    for visitor in [&one, &two] {
        assert_eq!(
            statuses(&cluster, visitor, "one.example.com").await,
            [302; 3]
        );
    }
    let only_second = async |cluster: &Cluster| {
        for node in 0..3 {
            let old = log_in(cluster, node, "john", "password").await.status;
            let new = log_in(cluster, node, "john", "second").await.status;
            assert_eq!((old, new), (401, 200), "at node {node}");
        }
    };
    only_second(&cluster).await;
    assert_eq!(basic(&cluster, 1, JOHN_SECOND).await, 200);
    assert_eq!(
        log_in(&cluster, 0, "harry", "password").await.status,
        200,
        "nobody else's password has changed"
    );
    let shown = cluster.nodes()[0]
        .document(&["storage", "user", "show", "john"])
        .await;
    assert_eq!(shown["password"], "changed");

    // An edit of anything else must not bring the old password back.
    edit(&cluster, "displayname: John Doe", "displayname: Johnny").await;
    only_second(&cluster).await;
    for node in cluster.nodes() {
        node.kill();
    }
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    only_second(&cluster).await;

    let text = fs::read_to_string(cluster.users_file()).expect("a users file");
    let line = text.lines().find(|line| line.contains("password: "));
    let old = line.expect("a password").trim().to_owned();
    let new = Recipe::DEFAULT.make(b"third", &[7; 16]).expect("a hash");
    edit(&cluster, &old, &format!("password: {new}")).await;
    for node in 0..3 {
        let answers = ["password", "second"].map(|old| log_in(&cluster, node, "john", old));
        let [first, second] = answers;
        assert_eq!((first.await.status, second.await.status), (401, 401));
        assert_eq!(
            log_in(&cluster, node, "john", "third").await.status,
            200,
            "the password of the file at node {node}"
        );
    }
    let shown = cluster.nodes()[0]
        .document(&["storage", "user", "show", "john"])
        .await;
    assert_eq!(shown["password"], "declared");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_file_are_changed_in_the_file() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let node = &cluster.nodes()[0];
    let users = cluster.users_file().display().to_string();
    for arguments in [
        &["disable", "john"][..],
        &["enable", "john"],
        &["delete", "john"],
        &["add", "jane", "--no-password"],
        &["set", "john", "--groups", "dev"],
    ] {
        let error = refused(node, &[&["storage", "user"], arguments].concat()).await;
        assert!(
            error.contains(&users) && error.contains("quorate config reload"),
            "{arguments:?}: {error}"
        );
    }
    let list = done(node, &["storage", "user", "list"]).await;
    assert!(list.contains("gone") && list.contains("disabled"), "{list}");
    let password = file(&cluster, "second");
    let nobody = ["storage", "user", "passwd", "jane", "--password-file"];
    let error = refused(node, &[&nobody[..], &[&password]].concat()).await;
    assert!(error.contains("there is no user `jane`"), "{error}");
}

/// Starts the node again with users in the cluster instead of the file.
async fn keep_users_in_the_cluster(node: &Node) {
    let text = fs::read_to_string(node.configuration()).expect("a configuration");
    let at = text.find("authentication_backend:").expect("the section");
    let end = text[at..].find("\ncluster:").expect("the next section") + at;
    let changed = format!(
        "{}authentication_backend: {{replicated: }}{}",
        &text[..at],
        &text[end..]
    );
    node.terminate().await;
    fs::write(node.configuration(), changed).expect("written");
    node.start();
    node.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_move_from_a_users_file_to_the_cluster_one_by_one_and_nobody_is_logged_out() {
    let settings = Settings::new().set("authentication_backend.file.password", cheap());
    let cluster = Cluster::start(settings).await;
    let [n1, n2, n3] = cluster.nodes() else {
        unreachable!("three nodes");
    };
    passwd(&cluster, 0, "john", "second").await;
    let [mut john, mut harry] = [0, 1].map(|node| cluster.visitor(node));
    john.log_in("john", "second").await;
    harry.log_in("harry", "password").await;
    let users = cluster.users_file().display().to_string();
    done(n2, &["storage", "user", "import", &users]).await;
    for node in [n1, n2, n3] {
        keep_users_in_the_cluster(node).await;
        for visitor in [&john, &harry] {
            assert_eq!(
                statuses(&cluster, visitor, "one.example.com").await,
                [200; 3],
                "after {} was moved",
                node.name()
            );
        }
        if node.name() == "n1" {
            until(
                "n2 says that n1 has other users",
                Duration::from_secs(20),
                async || {
                    let status = n2.document(&["cluster", "status"]).await;
                    let warnings = status["warnings"].to_string();
                    warnings.contains("`n1` has other users")
                        && warnings.contains("`n1` is configured")
                },
            )
            .await;
        }
    }
    for node in 0..3 {
        let old = log_in(&cluster, node, "john", "password").await.status;
        let new = log_in(&cluster, node, "john", "second").await.status;
        assert_eq!((old, new), (401, 200), "the changed password came along");
    }
}
