//! Requests whose target could be read in two ways, or belongs to nobody: refused, or judged as the strictest reading.

use crate::harness::{Cluster, Request, Visitor};

const VERIFY: &str = "https://quorate.internal/api/authz/forward-auth";

/// The headers of an authorization request, `Name: value` each. A case that names a header replaces it; one with an
/// empty value leaves it out.
fn asked(fields: &[(&str, &[u8])]) -> Request {
    let usual: [(&str, &[u8]); 4] = [
        ("X-Forwarded-Method", b"GET"),
        ("X-Forwarded-Proto", b"https"),
        ("X-Forwarded-Host", b"one.example.com"),
        ("X-Forwarded-Uri", b"/page"),
    ];
    let named = |name: &str| fields.iter().any(|(field, _)| *field == name);
    let request = Request::get(VERIFY).for_page();
    usual
        .iter()
        .filter(|(name, _)| !named(name))
        .chain(fields)
        .filter(|(_, value)| !value.is_empty())
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        })
}

/// The header fields of a request, and the status it gets.
type Case<'a> = (&'a [(&'a str, &'a [u8])], u16);

/// Asks each case with a session of a user of one factor; the statuses that differ from what is expected.
async fn check(cluster: &Cluster, visitor: &Visitor, cases: &[Case<'_>]) {
    let client = cluster.nodes()[0].client();
    let mut wrong = Vec::new();
    for (fields, expected) in cases {
        let answer = client.send(visitor.with_cookies(asked(fields))).await;
        if answer.status != *expected {
            let shown: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
                .collect();
            wrong.push(format!("{shown:?} is {}, not {expected}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const METHOD: &str = "X-Forwarded-Method";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";
const URI: &str = "X-Forwarded-Uri";

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_read_in_one_way_or_not_at_all() {
    let cluster = super::node().await;
    let mut harry = cluster.visitor(0);
    harry.log_in("harry", "password").await;
    let (long_host, long_uri) = ([b'a'; 300], [b"/".as_slice(), &[b'a'; 10_000]].concat());
    check(
        &cluster,
        &harry,
        &[
            // Missing and doubled.
            (&[], 200),
            (&[(METHOD, b"")], 400),
            (&[(HOST, b"")], 400),
            (
                &[(HOST, b"public.example.com"), (HOST, b"deny.example.com")],
                400,
            ),
            (
                &[(HOST, b"deny.example.com"), (HOST, b"public.example.com")],
                400,
            ),
            (
                &[(HOST, b"one.example.com"), (HOST, b"one.example.com")],
                400,
            ),
            (&[(URI, b"/a"), (URI, b"/b")], 400),
            (&[(PROTO, b"https"), (PROTO, b"http")], 400),
            (&[(METHOD, b"GET"), (METHOD, b"POST")], 400),
            // The host: another spelling is the same host, anything beside a host is none.
            (&[(HOST, b"ONE.Example.COM")], 200),
            (&[(HOST, b"one.example.com:443")], 200),
            (&[(HOST, b"deny.example.com:8443")], 403),
            (&[(HOST, b"DENY.example.com")], 403),
            (&[(HOST, b"one.example.com.")], 400),
            (&[(HOST, b"one.example.com, public.example.com")], 400),
            (&[(HOST, b"one.example.com/x")], 400),
            (&[(HOST, b"one.example.com?x")], 400),
            (&[(HOST, b"one.example.com#x")], 400),
            (&[(HOST, b"john@one.example.com")], 400),
            (&[(HOST, b"one.example.com\\x")], 400),
            (&[(HOST, b"one.example.com x")], 400),
            (&[(HOST, b"one.example.com\tx")], 400),
            (&[(HOST, b"one%00.example.com")], 400),
            (&[(HOST, b"one%2eexample.com")], 400),
            (&[(HOST, "öne.example.com".as_bytes())], 400),
            (&[(HOST, b"\xff.example.com")], 400),
            (&[(HOST, &long_host)], 400),
            (&[(HOST, b"[2001:db8::1]")], 400),
            (&[(HOST, b"one.example.com:0")], 400),
            (&[(HOST, b"one.example.com:65536")], 400),
            (&[(HOST, b"one.example.com:+443")], 400),
            (&[(HOST, b"one.example.com:")], 400),
            (&[(HOST, b".example.com")], 400),
            (&[(HOST, b"one..example.com")], 400),
            // Hosts of others.
            (&[(HOST, b"example.com.evil.test")], 400),
            (&[(HOST, b"evilexample.com")], 400),
            (&[(HOST, b"evil.test")], 400),
            // The scheme.
            (&[(PROTO, b"HTTPS")], 200),
            (&[(PROTO, b"wss")], 200),
            (&[(PROTO, b"http")], 400),
            (&[(PROTO, b"ws")], 400),
            (&[(PROTO, b"ftp")], 400),
            (&[(PROTO, b"https, http")], 400),
            (&[(PROTO, b"https://one.example.com/?")], 400),
            // The path.
            (&[(URI, b"page")], 400),
            (&[(URI, b"*")], 400),
            (&[(URI, b"@public.example.com/")], 400),
            (&[(URI, b"https://public.example.com/")], 400),
            (&[(URI, b"/a#b")], 400),
            (&[(URI, b"/a\tb")], 400),
            (&[(URI, b"/\xff")], 400),
            (&[(URI, b"/%zz")], 400),
            (&[(URI, b"/%2")], 400),
            (&[(URI, b"/%00")], 400),
            (&[(URI, b"/a\\b")], 400),
            (&[(URI, b"/%5cb")], 400),
            (&[(URI, b"/%252e%252e/a")], 400),
            (&[(URI, b"/%25252fa")], 400),
            (&[(URI, b"/%ff")], 400),
            (&[(URI, &long_uri)], 200),
            // The method.
            (&[(METHOD, b"get")], 400),
            (&[(METHOD, b"G ET")], 400),
            (&[(METHOD, b"GET, POST")], 400),
            (&[(METHOD, &[b'A'; 1000])], 400),
            (&[(METHOD, b"PROPFIND")], 200),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_steps_around_a_rule() {
    let cluster = super::node().await;
    let stranger = cluster.visitor(0);
    let mixed: (&str, &[u8]) = (HOST, b"mixed.example.com");
    let spelt = |uri: &'static [u8]| [mixed, (URI, uri)];
    let open = [
        b"/open".as_slice(),
        b"/open/x",
        b"//open/x",
        b"/./open",
        b"/a/../open",
        b"/%6fpen",
    ];
    let closed: [&[u8]; 21] = [
        b"/secret",
        b"/open/../secret",
        b"/open/%2e%2e/secret",
        b"/open/..%2fsecret",
        b"/open%2f..%2fsecret",
        b"/open/..;/secret",
        b"/open/..;a=b/secret",
        b"/open;/../secret",
        b"/open/%2e%2e;/secret",
        b"/OPEN",
        b"/open%20",
        b"/open%23/x",
        b"/open.",
        b"/opened",
        b"/secret?next=/open",
        b"/secret?/open/",
        b"/secret//open",
        b"/secret/open",
        b"/secret%3f/open",
        b"/x/open/",
        b"",
    ];
    let mut cases = Vec::new();
    for uri in open {
        cases.push((spelt(uri), 200));
    }
    for uri in closed {
        cases.push((spelt(uri), 302));
    }
    let cases: Vec<Case<'_>> = cases
        .iter()
        .map(|(fields, status)| (fields.as_slice(), *status))
        .collect();
    check(&cluster, &stranger, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_is_refused_what_is_no_url_and_never_told_yes() {
    let cluster = super::node().await;
    let mut harry = cluster.visitor(0);
    harry.log_in("harry", "password").await;
    let client = cluster.nodes()[0].client();
    for (url, expected) in [
        ("https://one.example.com/page", 200),
        ("https://one.example.com", 200),
        ("https://[::1", 400),
        ("https:///x", 400),
        ("https://%zz/", 400),
        ("javascript:1", 400),
        ("one.example.com/page", 400),
        ("//one.example.com/page", 400),
        ("http://one.example.com/page", 400),
        ("https://public.example.com@one.example.com/", 400),
        ("https://one.example.com\\@public.example.com/", 400),
        ("https://evil.test/https://one.example.com/", 400),
        ("", 400),
    ] {
        let request = Request::get("https://quorate.internal/api/authz/auth-request")
            .header("X-Original-Method", "GET")
            .header("X-Original-URL", url)
            // The other family is not this dialect's.
            .header(HOST, "public.example.com")
            .header(PROTO, "https")
            .header(URI, "/open");
        let answer = client.send(harry.with_cookies(request)).await;
        assert_eq!(answer.status, expected, "{url}");
    }
}
