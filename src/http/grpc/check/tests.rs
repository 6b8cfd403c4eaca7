//! Messages as data.
#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use proptest::prelude::*;

use super::*;

/// A message of the given fields.
fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut message = Vec::new();
    for (field, value) in fields {
        put_bytes(&mut message, *field, value);
    }
    message
}

/// A check with a source address, fields of `HttpRequest`, and the portal of the route.
fn check(source: &str, http: &[(u64, &[u8])], portal: &str) -> Vec<u8> {
    let mut socket = Vec::new();
    put_number(&mut socket, 1, 0);
    put_bytes(&mut socket, 2, source.as_bytes());
    put_number(&mut socket, 3, 4711);
    let peer = message(&[(1, &message(&[(1, &socket)]))]);
    let request = message(&[(1, b"time"), (2, &message(http))]);
    let extension = message(&[(1, b"authelia_url"), (2, portal.as_bytes())]);
    message(&[(1, &message(&[(1, &peer), (4, &request), (10, &extension)]))])
}

fn entry(name: &str, value: &str) -> Vec<u8> {
    message(&[(1, name.as_bytes()), (2, value.as_bytes())])
}

const PAGE: [(u64, &[u8]); 4] = [
    (2, b"GET"),
    (4, b"/page?x=1"),
    (5, b"one.example.com"),
    (6, b"https"),
];

#[test]
fn a_path_that_a_uri_would_cut_or_lack_is_refused() {
    for (path, is_http) in [
        ("/a", true),
        ("/a%23b", true),
        ("/a#b", false),
        ("#", false),
        ("", false),
    ] {
        let request = CheckRequest {
            method: b"GET",
            path: path.as_bytes(),
            host: b"one.example.com",
            ..CheckRequest::default()
        };
        assert_eq!(request.into_parts("/authz").is_ok(), is_http, "{path:?}");
    }
}

#[test]
fn a_check_is_the_request_that_the_dialect_reads() {
    let headers = [
        entry(":authority", "evil.example.com"),
        entry("host", "evil.example.com"),
        entry("cookie", "a=b"),
        entry("content-length", "12"),
        entry("X-Authelia-URL", "https://evil.example.com"),
    ];
    let raw = message(&[(1, &message(&[(1, b"x-raw"), (3, "ö".as_bytes())]))]);
    let mut http: Vec<(u64, &[u8])> = PAGE.to_vec();
    http.extend(headers.iter().map(|entry| (3, entry.as_slice())));
    http.push((13, &raw));
    let bytes = check("::ffff:192.0.2.7", &http, "https://auth.example.com");
    let request = CheckRequest::read(&bytes).expect("a message");
    assert_eq!(request.source, "192.0.2.7".parse().ok());
    let parts = request.into_parts("/api/authz/ext-authz").expect("HTTP");
    assert_eq!(parts.method, "GET");
    assert_eq!(parts.uri, "/api/authz/ext-authz//page?x=1");
    let expected: Vec<(&str, &[u8])> = vec![
        ("cookie", b"a=b"),
        ("x-raw", "ö".as_bytes()),
        ("host", b"one.example.com"),
        ("x-authelia-url", b"https://auth.example.com"),
        ("x-forwarded-proto", b"https"),
    ];
    let found = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn the_scheme_of_a_proxy_in_front_of_envoy_counts() {
    let header = entry("x-forwarded-proto", "http");
    let http = [&PAGE[..], &[(3, &header)]].concat();
    let bytes = check("/run/a.sock", &http, "");
    let request = CheckRequest::read(&bytes).expect("a message");
    assert_eq!(request.source, None);
    let parts = request.into_parts("/e").expect("HTTP");
    let schemes: Vec<_> = parts.headers.get_all("x-forwarded-proto").iter().collect();
    assert_eq!(schemes, ["http"]);
    assert!(!parts.headers.contains_key("x-authelia-url"));
}

#[test]
fn what_is_no_request_is_refused() {
    for (field, value) in [(2, "G T"), (4, "/a b"), (4, "/a\nb"), (5, "a\nb")] {
        let http: Vec<(u64, &[u8])> = PAGE
            .iter()
            .filter(|(number, _)| *number != field)
            .copied()
            .chain([(field, value.as_bytes())])
            .collect();
        let bytes = check("192.0.2.7", &http, "");
        let request = CheckRequest::read(&bytes).expect("a message");
        assert_eq!(request.into_parts("/e").err(), Some(NotHttp), "{value:?}");
    }
    let one = entry("a", "b");
    let many: Vec<(u64, &[u8])> = vec![(3, &one); HEADERS_MAX + 1];
    assert_eq!(CheckRequest::read(&check("", &many, "")), Err(Malformed));
}

#[test]
fn an_answer_names_the_user_and_removes_what_the_visitor_said() {
    let mut headers = HeaderMap::new();
    headers.insert("remote-user", HeaderValue::from_static("john"));
    headers.insert("remote-groups", HeaderValue::from_static(""));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    let user = message(&[(1, b"remote-user"), (2, b"john")]);
    let option = message(&[(1, &user), (2, b"")]);
    let mut ok: Vec<(u64, &[u8])> = vec![(2, &option)];
    ok.extend(["remote-groups", "remote-name", "remote-email"].map(|name| (5, name.as_bytes())));
    ok.extend(REMOTE_LIKE.map(|name| (5, name.as_bytes())));
    assert_eq!(allowed(&headers), message(&[(1, b""), (3, &message(&ok))]));
}

#[test]
fn a_refusal_carries_status_headers_and_body() {
    let mut headers = HeaderMap::new();
    headers.append("set-cookie", HeaderValue::from_static("a=1"));
    headers.append("set-cookie", HeaderValue::from_static("b=2"));
    headers.insert("content-length", HeaderValue::from_static("4"));
    let option = |value: &[u8], append: &[u8]| {
        message(&[
            (1, &message(&[(1, b"set-cookie"), (2, value)])),
            (2, append),
        ])
    };
    let (first, second) = (option(b"a=1", b""), option(b"b=2", &[8, 1]));
    // 302 is 0xae 0x02; the code 16 is UNAUTHENTICATED.
    let http = message(&[
        (1, &[8, 0xae, 0x02]),
        (2, &first),
        (2, &second),
        (3, b"body"),
    ]);
    let expected = message(&[(1, &[8, 16]), (2, &http)]);
    assert_eq!(denied(StatusCode::FOUND, &headers, b"body"), expected);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<usize>()) {
        if let Ok(request) = CheckRequest::read(&bytes) {
            let _ = request.into_parts("/e");
        }
        let mut near = check("192.0.2.7", &PAGE, "p");
        let place = at % near.len();
        if let (Some(byte), Some(other)) = (near.get_mut(place), bytes.first()) {
            *byte = *other;
        }
        if let Ok(request) = CheckRequest::read(&near) {
            let _ = request.into_parts("/e");
        }
    }
}
