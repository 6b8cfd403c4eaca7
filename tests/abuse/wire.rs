//! Heads that are too large, paths that lead to files, and TLS of another age. Raw bytes on a real listener.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::Request;

fn is_head(got: &[u8]) -> bool {
    got.windows(4).any(|part| part == b"\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    let start = "GET /api/health HTTP/1.1\r\nHost: auth.example.com\r\n";
    let many: String = (0..1_000)
        .map(|number| format!("X-{number}: {number}\r\n"))
        .collect();
    for (case, request) in [
        ("a thousand fields", format!("{start}{many}\r\n")),
        (
            "a hundred kilobytes",
            format!("{start}X-A: {}\r\n\r\n", "a".repeat(100_000)),
        ),
        (
            "a long target",
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000)),
        ),
    ] {
        let got = client
            .raw("auth.example.com", request.as_bytes(), is_head)
            .await;
        // The answer may be lost where the rest of the request was still on its way.
        let text = String::from_utf8_lossy(&got.unwrap_or_default()).into_owned();
        let refused = text.is_empty()
            || ["400", "414", "431"]
                .iter()
                .any(|status| text.starts_with(&format!("HTTP/1.1 {status}")));
        assert!(refused, "{case}: {text}");
    }
    let health = client
        .send(Request::get("https://auth.example.com/api/health"))
        .await;
    assert_eq!(health.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stay_where_they_are() {
    let cluster = super::node().await;
    let client = cluster.nodes()[0].client();
    for path in [
        "/static/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fetc/passwd",
        "/static/..%5c..%5cetc/passwd",
        "/static//etc/passwd",
        "/static/%00",
        "//etc/passwd",
        "/locales/../../etc/passwd",
        "/.well-known/../etc/passwd",
        "/api/../../etc/passwd",
        "/metrics",
        "/api/nothing",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n\r\n");
        let got = client
            .raw("auth.example.com", request.as_bytes(), |_| false)
            .await
            .expect("an answer");
        let text = String::from_utf8_lossy(&got);
        assert!(
            !text.contains("root:") && !text.contains("quorate_"),
            "{path}: {text}"
        );
        let is_page =
            path == "/metrics" && text.starts_with("HTTP/1.1 200") && text.contains("text/html");
        assert!(
            is_page || text.starts_with("HTTP/1.1 404") || text.starts_with("HTTP/1.1 400"),
            "{path}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_before_1_2_and_half_a_handshake_get_nothing() {
    let cluster = super::node().await;
    // A ClientHello that offers TLS 1.0 at most, as old programs send it.
    let hello_1_0 = [
        b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x01".as_slice(),
        &[7; 32],
        b"\x00\x00\x04\x00\x2f\x00\x35\x01\x00",
    ]
    .concat();
    for (case, bytes) in [
        ("TLS 1.0", hello_1_0.as_slice()),
        ("plain HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ] {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect(cluster.nodes()[0].http())
            .await
            .expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        // Nothing, or an alert.
        assert!(got.is_empty() || got[0] == 0x15, "{case}: {got:?}");
    }
    let half_open: Vec<TcpStream> = {
        let mut streams = Vec::new();
        for _ in 0..500 {
            streams.push(
                TcpStream::connect(cluster.nodes()[0].http())
                    .await
                    .expect("a connection"),
            );
        }
        streams
    };
    let health = cluster.nodes()[0]
        .client()
        .send(Request::get("https://auth.example.com/api/health"))
        .await;
    assert_eq!(
        health.status,
        200,
        "beside {} half handshakes",
        half_open.len()
    );
    // A name that no certificate has is nobody's business here; the certificate does not fit, so the client ends it.
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let stream = TcpStream::connect(cluster.nodes()[0].http())
        .await
        .expect("a connection");
    let name = ServerName::try_from("evil.test").expect("a name");
    assert!(
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .is_err()
    );
}
