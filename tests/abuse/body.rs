//! Bodies that are no login: too long, too deep, doubled, of another kind, from another page.

use serde_json::json;

use crate::harness::{Cluster, Request};

const LOGIN: &str = "https://auth.example.com/api/firstfactor";

async fn status(cluster: &Cluster, kind: &str, body: &[u8]) -> u16 {
    let request = Request::new("POST", LOGIN).body(body);
    let request = match kind {
        "" => request,
        kind => request.header("Content-Type", kind),
    };
    cluster.nodes()[0].client().send(request).await.status
}

fn login(extra: &str) -> Vec<u8> {
    format!(r#"{{"username":"john","password":"password","keepMeLoggedIn":false{extra}}}"#)
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_plain_object_is_a_login() {
    let cluster = super::node().await;
    const JSON: &str = "application/json";
    // The API answers what it cannot read as it answers a wrong password.
    const NO_LOGIN: &[u16] = &[400, 401];
    let deep = |length: usize| [vec![b'['; length], vec![b']'; length]].concat();
    let many_keys = (0..700)
        .map(|key| format!(",\"k{key}\":1"))
        .collect::<String>();
    let nested = format!(r#","extra":{}"#, String::from_utf8_lossy(&deep(5_000)));
    let with_bom = [b"\xef\xbb\xbf".as_slice(), &login("")].concat();
    let cases: Vec<(&str, &str, Vec<u8>, &[u16])> = vec![
        ("a login", JSON, login(""), &[200]),
        (
            "with a character set",
            "application/json; charset=utf-8",
            login(""),
            &[200],
        ),
        ("no type", "", login(""), &[400, 415]),
        ("plain text", "text/plain", login(""), &[400, 415]),
        (
            "a form",
            "application/x-www-form-urlencoded",
            login(""),
            &[400, 415],
        ),
        (
            "multipart",
            "multipart/form-data; boundary=x",
            login(""),
            &[400, 415],
        ),
        ("nothing", JSON, Vec::new(), NO_LOGIN),
        ("deep lists", JSON, deep(8_000), NO_LOGIN),
        (
            "deep inside a key that nobody reads",
            JSON,
            login(&nested),
            &[200, 400, 401],
        ),
        (
            "many unknown keys, short enough",
            JSON,
            login(&many_keys),
            &[200, 400],
        ),
        (
            "a key twice",
            JSON,
            login(r#","username":"harry""#),
            NO_LOGIN,
        ),
        (
            "a password twice",
            JSON,
            login(r#","password":"other""#),
            NO_LOGIN,
        ),
        (
            "a huge number",
            JSON,
            login(r#","requestMethod":1e999"#),
            NO_LOGIN,
        ),
        ("a byte order mark", JSON, with_bom, NO_LOGIN),
        (
            "two values",
            JSON,
            [login(""), login("")].concat(),
            NO_LOGIN,
        ),
        ("a list", JSON, b"[]".to_vec(), NO_LOGIN),
        (
            "not UTF-8",
            JSON,
            b"{\"username\":\"\xff\",\"password\":\"x\"}".to_vec(),
            NO_LOGIN,
        ),
        (
            "a lone surrogate",
            JSON,
            br#"{"username":"john","password":"\ud800"}"#.to_vec(),
            NO_LOGIN,
        ),
        (
            "a number for a name",
            JSON,
            br#"{"username":1,"password":"x"}"#.to_vec(),
            NO_LOGIN,
        ),
        (
            "an empty password",
            JSON,
            br#"{"username":"john","password":""}"#.to_vec(),
            NO_LOGIN,
        ),
        (
            "a NUL in the password",
            JSON,
            br#"{"username":"john","password":"a\u0000b"}"#.to_vec(),
            NO_LOGIN,
        ),
        (
            "a long password",
            JSON,
            format!(
                r#"{{"username":"john","password":"{}"}}"#,
                "x".repeat(1 << 20)
            )
            .into_bytes(),
            &[413],
        ),
    ];
    let mut wrong = Vec::new();
    for (case, kind, body, expected) in &cases {
        let found = status(&cluster, kind, body).await;
        if !expected.contains(&found) {
            wrong.push(format!("{case}: {found}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_refused_when_it_is_announced() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    // More than 4 MiB is a mistake or an attack, and refused before anybody asks who it is.
    for path in ["/api/firstfactor", "/api/secondfactor/totp", "/api/logout"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
        );
        let answer = client
            .raw("auth.example.com", head.as_bytes(), |got| {
                got.windows(4).any(|w| w == b"\r\n\r\n")
            })
            .await
            .expect("an answer");
        let line = String::from_utf8_lossy(&answer);
        assert!(line.starts_with("HTTP/1.1 400"), "{path}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_pages_send_changes_nothing() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    let body = json!({"username": "john", "password": "password"});
    for path in ["/api/firstfactor", "/api/secondfactor/totp", "/api/logout"] {
        for origin in [
            "https://evil.test",
            "https://one.example.com",
            "http://auth.example.com",
            "https://auth.example.com:8443",
            "https://auth.example.com.evil.test",
            "null",
        ] {
            let request = Request::post_json(&format!("https://auth.example.com{path}"), &body)
                .header("Origin", origin);
            let answer = client.send(request).await;
            assert_eq!(answer.status, 403, "{path} from {origin}");
            assert!(
                answer.header("set-cookie").is_none(),
                "{path} from {origin}"
            );
        }
    }
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    for url in [
        "https://auth.example.com/logout?confirm=1",
        "https://auth.example.com/logout",
        "https://auth.example.com/?username=john&password=password",
        "https://auth.example.com/api/logout",
    ] {
        john.open(url).await;
    }
    let state = john.open("https://auth.example.com/api/state").await;
    assert_eq!(
        state.json()["data"]["username"],
        json!("john"),
        "no GET logs out"
    );
}
