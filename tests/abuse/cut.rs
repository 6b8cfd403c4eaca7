//! Requests that two programs could cut in two ways. Raw bytes on a real listener.

use std::time::Duration;

/// Sooner than any connection ends by itself.
const END_MAX: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_could_be_cut_in_two_ways_is_refused_and_the_connection_ends() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    let start = "POST /api/firstfactor HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\n";
    let get = "GET /api/health HTTP/1.1\r\nHost: auth.example.com\r\n";
    let smuggled = "GET /api/health HTTP/1.1\r\nHost: auth.example.com\r\n\r\n";
    for (case, request) in [
        (
            "length and chunks",
            format!(
                "{start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        (
            "two lengths",
            format!("{start}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} {smuggled}"),
        ),
        (
            "two equal lengths",
            format!("{start}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}{smuggled}"),
        ),
        (
            "a list of lengths",
            format!("{start}Content-Length: 2, 2\r\n\r\n{{}}{smuggled}"),
        ),
        (
            "a signed length",
            format!("{start}Content-Length: +2\r\n\r\n{{}}{smuggled}"),
        ),
        (
            "a negative length",
            format!("{start}Content-Length: -1\r\n\r\n{smuggled}"),
        ),
        (
            "an unknown coding",
            format!("{start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "chunked twice",
            format!("{start}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "chunked is not last",
            format!("{start}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "a folded line",
            format!("{get}X-A: b\r\n c\r\n\r\n{smuggled}"),
        ),
        (
            "a blank before the colon",
            format!("{get}X-A : b\r\n\r\n{smuggled}"),
        ),
        (
            "a blank before the name",
            format!("GET /api/health HTTP/1.1\r\n Host: auth.example.com\r\n\r\n{smuggled}"),
        ),
        (
            "no host",
            format!("GET /api/health HTTP/1.1\r\n\r\n{smuggled}"),
        ),
        (
            "two hosts",
            format!("{get}Host: public.example.com\r\n\r\n{smuggled}"),
        ),
        (
            "a host with a path",
            format!("GET /api/health HTTP/1.1\r\nHost: a/b\r\n\r\n{smuggled}"),
        ),
        (
            "a NUL in a value",
            format!("{get}X-A: \0\r\n\r\n{smuggled}"),
        ),
        (
            "a bare CR in a value",
            format!("{get}X-A: a\rX-B: b\r\n\r\n{smuggled}"),
        ),
        (
            "a bare LF at the end of lines",
            format!(
                "GET /api/health HTTP/1.1\nHost: auth.example.com\n\n{start}Content-Length: 5\r\n\
                 Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "a fragment",
            format!("GET /api/health#a HTTP/1.1\r\nHost: auth.example.com\r\n\r\n{smuggled}"),
        ),
        (
            "another version",
            format!("GET /api/health HTTP/1.7\r\nHost: auth.example.com\r\n\r\n{smuggled}"),
        ),
        ("no version", format!("GET /api/health\r\n\r\n{smuggled}")),
        (
            "a method that is none",
            format!("G@T /api/health HTTP/1.1\r\nHost: a\r\n\r\n{smuggled}"),
        ),
        (
            "not HTTP",
            "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        ),
    ] {
        let got = client.raw("auth.example.com", request.as_bytes(), |_| false);
        let got = tokio::time::timeout(END_MAX, got)
            .await
            .unwrap_or_else(|_| panic!("{case}: the connection does not end"))
            .expect("an end");
        let text = String::from_utf8_lossy(&got);
        let answers = text.matches("HTTP/1.1 ").count();
        assert!(
            answers <= 1,
            "{case}: the rest was taken for a request: {text}"
        );
        // One reading alone, and the connection ends after the answer.
        let may_answer = case == "chunked twice";
        assert!(
            may_answer || text.is_empty() || text.starts_with("HTTP/1.1 400"),
            "{case}: {text}"
        );
    }
}
