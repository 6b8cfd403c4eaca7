//! Who somebody claims to be: cookies that are none, names that are others', and answers that must not tell them apart.

use serde_json::json;

use crate::harness::{Answer, Cluster, Request, Settings, Visitor};

fn verify(host: &str) -> Request {
    Request::get("https://quorate.internal/api/authz/forward-auth")
        .for_page()
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", host)
        .header("X-Forwarded-Uri", "/")
}

/// The cookie of a visitor who has just logged in.
async fn cookie_of(cluster: &Cluster, user: &str) -> String {
    let mut visitor = cluster.visitor(0);
    visitor.log_in(user, "password").await;
    visitor.cookie_header()
}

/// The end of the log, as the metrics page has it.
async fn written(cluster: &Cluster) -> String {
    let page = cluster.nodes()[0].metrics().await;
    let mut lines = page.lines();
    let found = lines.find(|line| line.starts_with("quorate_raft_last_log_index "));
    found.expect("the metric").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_names_no_session_or_two_is_nobodys() {
    let cluster = super::node().await;
    let (john, harry) = (
        cookie_of(&cluster, "john").await,
        cookie_of(&cluster, "harry").await,
    );
    let (name, value) = john.split_once('=').expect("a cookie");
    let mut changed = value.to_owned();
    let first = if value.starts_with('A') { "B" } else { "A" };
    changed.replace_range(..1, first);
    let client = cluster.nodes()[0].client();
    let written_before = written(&cluster).await;
    for (case, fields, expected) in [
        ("the cookie", vec![john.clone()], 200),
        ("in quotes", vec![format!("{name}=\"{value}\"")], 200),
        ("beside others", vec![format!("a=b; {john}; c=d")], 200),
        ("none", vec![], 302),
        ("empty", vec![format!("{name}=")], 302),
        ("one letter", vec![format!("{name}=x")], 302),
        ("changed", vec![format!("{name}={changed}")], 302),
        (
            "cut",
            vec![format!("{name}={}", &value[..value.len() - 1])],
            302,
        ),
        ("longer", vec![format!("{name}={value}A")], 302),
        ("8 kB", vec![format!("{name}={}", "A".repeat(8_000))], 302),
        (
            "of another name",
            vec![format!("{}={value}", name.to_uppercase())],
            302,
        ),
        ("two people's", vec![format!("{john}; {harry}")], 302),
        (
            "two people's, in two fields",
            vec![harry.clone(), john.clone()],
            302,
        ),
        ("not text", vec![format!("{name}=\u{e9}{value}")], 302),
    ] {
        let request = fields
            .iter()
            .fold(verify("one.example.com"), |request, field| {
                request.header("Cookie", field)
            });
        let answer = client.send(request).await;
        assert_eq!(answer.status, expected, "{case}");
        assert!(
            expected == 200 || answer.header("remote-user").is_none(),
            "{case}"
        );
    }
    let written_after = written(&cluster).await;
    assert_eq!(
        written_before, written_after,
        "whoever is nobody makes nobody write"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_chosen_by_somebody_else_never_becomes_a_session() {
    let cluster = super::node().await;
    let chosen = "authelia_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let client = cluster.nodes()[0].client();
    let body = json!({"username": "john", "password": "password"});
    let login = Request::post_json("https://auth.example.com/api/firstfactor", &body)
        .header("Origin", "https://auth.example.com")
        .header("Cookie", chosen);
    let answer = client.send(login).await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer
            .header("set-cookie")
            .expect("a cookie")
            .contains("AAAAAAAAAAAAAAAA")
    );
    let request = verify("one.example.com").header("Cookie", chosen);
    assert_eq!(client.send(request).await.status, 302);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_says_of_who_they_are_is_replaced() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    let john = cookie_of(&cluster, "john").await;
    let claims = |request: Request| {
        [
            "Remote-User",
            "remote-user",
            "Remote-Groups",
            "Remote-Email",
            "Remote-Name",
            "X-Remote-User",
        ]
        .iter()
        .fold(request, |request, name| request.header(name, "admin"))
    };
    let known = client
        .send(claims(verify("one.example.com")).header("Cookie", &john))
        .await;
    let stranger = client.send(claims(verify("public.example.com"))).await;
    for (answer, expected) in [
        (
            &known,
            ["john", "dev,admins", "john.doe@example.com", "John Doe"],
        ),
        (&stranger, ["", "", "", ""]),
    ] {
        assert_eq!(answer.status, 200);
        for (name, value) in [
            "remote-user",
            "remote-groups",
            "remote-email",
            "remote-name",
        ]
        .iter()
        .zip(expected)
        {
            let all: Vec<_> = answer.headers.get_all(*name).iter().collect();
            assert_eq!(all, [value], "{name}");
        }
    }
    // Garbage for credentials bypasses nothing and bars nothing that is open to all.
    let garbage = client
        .send(verify("public.example.com").header("Authorization", "Basic garbage"))
        .await;
    assert_eq!(
        (garbage.status, garbage.header("remote-user")),
        (200, Some(""))
    );
    let garbage = client
        .send(verify("one.example.com").header("Authorization", "Basic garbage"))
        .await;
    assert_eq!(garbage.status, 401);
}

async fn refused(visitor: &mut Visitor, user: &str, password: &str) -> Answer {
    visitor.try_log_in(user, password).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_tells_why_a_login_is_refused() {
    let regulation = json!({"max_retries": 3, "find_time": "10m", "ban_time": "10m"});
    let settings = Settings::with_nodes(1).set("regulation", regulation);
    let cluster = Cluster::start(settings).await;
    let mut visitor = cluster.visitor(0);
    for _ in 0..3 {
        refused(&mut visitor, "harry", "wrong").await;
    }
    let mut answers = Vec::new();
    for (case, user, password) in [
        ("a wrong password", "john", "wrong"),
        ("an unknown name", "nobody", "password"),
        ("a disabled user", "gone", "password"),
        ("a banned user, wrong password", "harry", "wrong"),
        ("a banned user, right password", "harry", "password"),
        ("a name of control characters", "jo\u{0}hn", "password"),
        ("a long name", &"a".repeat(5_000), "password"),
        ("blanks around the name", " john ", "password"),
    ] {
        let answer = refused(&mut visitor, user, password).await;
        let mut headers: Vec<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "date")
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        answers.push((case, answer.status, headers, answer.text()));
    }
    let (_, status, headers, body) = answers[0].clone();
    assert_eq!(status, 401);
    for (case, other_status, other_headers, other_body) in &answers {
        assert_eq!(
            (status, &headers, &body),
            (*other_status, other_headers, other_body),
            "{case}"
        );
    }
}
