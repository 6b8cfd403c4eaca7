//! A node that is configured in the less usual ways: unix sockets, a path of its own, its own security policy, and a
//! log file that is rotated.

use std::fs;
use std::future::ready;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::{Desk, program};
use crate::harness::{Process, until};

const BOUND: Duration = Duration::from_secs(60);

/// What the server behind a socket answers to a GET, if there is one.
fn get(socket: &Path, path: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: auth.example.com\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: auth.example.com\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn configuration(desk: &Desk) -> String {
    let folder = desk.0.path().display();
    format!(
        "\
theme: oled
server:
  address: 'unix://{folder}/portal.sock?umask=0117&path=auth'
  headers: {{csp_template: \"default-src 'self'; style-src 'self' 'nonce-${{NONCE}}'; img-src https:\"}}
telemetry: {{metrics: {{enabled: true, address: 'unix://{folder}/metrics.sock'}}}}
log: {{file_path: '{folder}/node-{{datetime:2006}}.log', format: json}}
storage: {{encryption_key: 'a key of more than twenty characters', local: {{path: '{folder}/db.sqlite3'}}}}
authentication_backend: {{file: {{path: 'users_database.yml'}}}}
session: {{cookies: [{{domain: example.com, authelia_url: 'https://auth.example.com/auth'}}]}}
access_control: {{default_policy: one_factor}}
"
    )
}

fn logs(desk: &Desk) -> Vec<String> {
    let names = fs::read_dir(desk.0.path()).expect("a folder");
    names
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with("node-"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unix_sockets_a_path_a_policy_and_a_log_file_work_as_configured() {
    let desk = super::config::desk();
    desk.write("configuration.yml", &configuration(&desk));
    let mut command = program(desk.0.path());
    command.args(["serve", "--config", "configuration.yml"]);
    let mut node = Process::start("node", command, desk.0.path());
    let (portal, metrics) = (desk.path("portal.sock"), desk.path("metrics.sock"));
    let healthy =
        || get(&portal, "/auth/api/health").is_some_and(|answer| answer.contains(" 200 "));
    until("the node is healthy", BOUND, || ready(healthy())).await;

    let mode = fs::metadata(&portal)
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    for path in ["/login", "/auth/login"] {
        let page = get(&portal, path).expect("an answer");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        assert!(page.contains("data-theme=\"oled\""), "{page}");
        assert!(
            page.contains("; img-src https:") && !page.contains("${NONCE}"),
            "{page}"
        );
    }
    let counts = get(&metrics, "/metrics").expect("an answer");
    assert!(counts.contains("authelia_request"), "{counts}");

    let names = logs(&desk);
    let [name] = names.as_slice() else {
        panic!("one log file: {names:?}")
    };
    assert!(
        name.starts_with("node-20") && name.len() == "node-2026.log".len(),
        "{name}"
    );
    let log = desk.path(name);
    fs::rename(&log, desk.path("rotated.log")).expect("moved away");
    node.signal(Signal::HUP);
    let is_new = || fs::read_to_string(&log).is_ok_and(|text| text.contains("files read again"));
    until("the log file is made anew", BOUND, || ready(is_new())).await;

    node.signal(Signal::TERM);
    until("the node has ended", BOUND, || {
        ready(node.try_exit().is_some())
    })
    .await;
    assert!(!portal.exists(), "the socket's file is removed");
}
