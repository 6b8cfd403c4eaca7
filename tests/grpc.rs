//! Envoy's checks over gRPC, asked by Google's client with the messages of Envoy's own definitions (`grpc/ask.py`).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Cluster, NODES_NAME, Request, Settings};

/// The answers of the first node to a list of questions.
fn ask(cluster: &Cluster, questions: &Value) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = std::env::var("QUORATE_TEST_VENV").unwrap_or_else(|_| "target/test-venv".to_owned());
    let mut asking = Command::new(root.join(venv).join("bin/python"))
        .arg(root.join("tests/grpc/ask.py"))
        .args(["--address", &cluster.nodes()[0].grpc().to_string()])
        .arg("--authority")
        .arg(cluster.authority().certificate())
        .args(["--name", NODES_NAME])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tests/setup makes the virtual environment");
    let mut input = asking.stdin.take().expect("a pipe");
    input
        .write_all(questions.to_string().as_bytes())
        .expect("questions are taken");
    drop(input);
    let output = asking.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no answers: {error}"))
}

/// A browser's request for a page of `host`, from an address of documentation.
fn page(host: &str, headers: &Value) -> Value {
    let mut all = json!({"accept": "text/html"});
    for (name, value) in headers.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    json!({
        "source": "198.51.100.7", "method": "GET", "path": "/page?x=1", "host": host, "scheme": "https",
        "headers": all,
    })
}

/// The headers that an answer sets, as `name: value` with names in lower case.
fn headers(response: &Value) -> Vec<String> {
    let options = response["headers"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    options
        .map(|option| {
            let header = &option["header"];
            format!("{}: {}", text(&header["key"]), text(&header["value"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_judged_as_requests_are() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let cookie = john.cookie_header();
    let forged = json!({"remote-user": "root", "x-authelia-url": "https://evil.example.com"});
    let script = json!({"accept": "application/json"});
    let basic = json!({"authorization": "Basic am9objpwYXNzd29yZA=="});
    let session = json!({"cookie": cookie, "remote-user": "root"});
    let answers = ask(
        &cluster,
        &json!([
            page("public.example.com", &forged),
            page("one.example.com", &forged),
            page("one.example.com", &script),
            page("one.example.com", &session),
            page("one.example.com", &basic),
            page("deny.example.com", &session),
            page("elsewhere.example.org", &session),
        ]),
    );
    let [public, anonymous, script, session, basic, denied, elsewhere] = answers.as_slice() else {
        panic!("seven answers, not {answers:?}");
    };

    assert_eq!(headers(&public["okResponse"]), Vec::<String>::new());
    let removed = public["okResponse"]["headersToRemove"].to_string();
    for name in ["\"remote-user\"", "\"remote_user\"", "\"remote.groups\""] {
        assert!(removed.contains(name), "{public}");
    }

    let refusal = &anonymous["deniedResponse"];
    assert_eq!(refusal["status"]["code"], "Found", "{anonymous}");
    let portal = "location: https://auth.example.com/?rd=https%3A%2F%2Fone.example.com%2Fpage%3Fx%3D1&rm=GET";
    let told = headers(refusal);
    assert!(told.contains(&portal.to_owned()), "{anonymous}");
    assert!(told.iter().any(|header| header.starts_with("set-cookie: ")));
    assert!(told.contains(&"x-content-type-options: nosniff".to_owned()));
    assert_eq!(script["deniedResponse"]["status"]["code"], "Unauthorized");

    for answer in [session, basic] {
        let told = headers(&answer["okResponse"]);
        let expected = [
            "remote-user: john",
            "remote-groups: dev,admins",
            "remote-name: John Doe",
            "remote-email: john.doe@example.com",
        ];
        assert_eq!(told, expected, "{answer}");
        let removed = answer["okResponse"]["headersToRemove"].to_string();
        assert!(!removed.contains("remote-"), "what is set stays: {answer}");
    }
    assert_eq!(denied["deniedResponse"]["status"]["code"], "Forbidden");
    assert_eq!(elsewhere["deniedResponse"]["status"]["code"], "BadRequest");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_visitors_address_is_the_one_that_envoy_sees() {
    let rules =
        json!([{"domain": "lan.example.com", "networks": ["192.0.2.0/24"], "policy": "bypass"}]);
    let cluster = Cluster::start(Settings::with_nodes(1).set("access_control.rules", rules)).await;
    let from = |source: &str, forwarded: &str| {
        let mut page = page("lan.example.com", &json!({"x-forwarded-for": forwarded}));
        page["source"] = json!(source);
        page
    };
    let answers = ask(
        &cluster,
        &json!([
            from("192.0.2.7", ""),
            from("192.0.2.7", "198.51.100.1"),
            from("127.0.0.1", "192.0.2.7"),
            from("198.51.100.1", "192.0.2.7"),
            from("127.0.0.1", "198.51.100.1, 192.0.2.7"),
            from("", "192.0.2.7"),
        ]),
    );
    let passed: Vec<bool> = answers
        .iter()
        .map(|answer| answer["okResponse"].is_object())
        .collect();
    assert_eq!(
        passed,
        [true, true, true, false, true, false],
        "{answers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_check_gets_a_status_and_strangers_get_none() {
    let cluster = Cluster::start(Settings::with_nodes(1)).await;
    let check = "/envoy.service.auth.v3.Authorization/Check";
    let large = "00".repeat(200_000);
    let answers = ask(
        &cluster,
        &json!([
            {"health": ""},
            {"health": "envoy.service.auth.v3.Authorization"},
            {"health": "another.Service"},
            {"raw": "ff", "to": check},
            {"raw": large, "to": check},
            {"raw": "", "to": "/envoy.service.auth.v3.Authorization/Other"},
            page("a b", &json!({})),
        ]),
    );
    let expected = json!([
        {"health": "SERVING"},
        {"health": "SERVING"},
        {"code": "NOT_FOUND"},
        {"code": "INVALID_ARGUMENT"},
        {"code": "RESOURCE_EXHAUSTED"},
        {"code": "UNIMPLEMENTED"},
    ]);
    assert_eq!(json!(answers[..6]), expected);
    assert_eq!(answers[6]["deniedResponse"]["status"]["code"], "BadRequest");

    let node = &cluster.nodes()[0];
    let not_grpc = Request::get(&format!("https://{NODES_NAME}/{check}"));
    let client = node.client().at(node.grpc());
    assert_eq!(client.send(not_grpc).await.status, 415);

    let stranger = Settings::with_nodes(1).set("server.trusted_proxies", json!(["192.0.2.1"]));
    let cluster = Cluster::start(stranger).await;
    let answers = ask(&cluster, &json!([page("public.example.com", &json!({}))]));
    assert_eq!(json!(answers), json!([{"code": "PERMISSION_DENIED"}]));
}
