//! Many connections that ask for nothing, or never come to an end: others are served beside them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Cluster, Request, Settings};

/// One node without TLS, so that a connection costs the test little.
async fn plain_node() -> Cluster {
    let settings = Settings::with_nodes(1).set("server.tls", serde_json::Value::Null);
    let cluster = Cluster::prepare(&settings);
    cluster.nodes()[0].start();
    crate::harness::until("the node serves", Duration::from_secs(30), || async {
        is_served(&cluster).await
    })
    .await;
    cluster
}

async fn is_served(cluster: &Cluster) -> bool {
    let request = Request::get("http://quorate.internal/api/authz/forward-auth")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "public.example.com")
        .header("X-Forwarded-Uri", "/");
    let answer = cluster.nodes()[0].client().try_send(&request).await;
    answer.is_ok_and(|answer| answer.status == 200)
}

async fn open(cluster: &Cluster, how_many: usize) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(how_many);
    for _ in 0..how_many {
        streams.push(
            TcpStream::connect(cluster.nodes()[0].http())
                .await
                .expect("a connection"),
        );
    }
    streams
}

/// Waits until the node has closed the connection.
async fn is_closed(mut stream: TcpStream, bound: Duration) -> Vec<u8> {
    let mut got = Vec::new();
    let end = tokio::time::timeout(bound, stream.read_to_end(&mut got)).await;
    assert!(end.is_ok(), "still open after {bound:?}");
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_that_dribble_in_are_cut_and_keep_nobody_out() {
    let cluster = plain_node().await;
    let mut heads = open(&cluster, 1_500).await;
    for stream in &mut heads {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a")
            .await
            .expect("sent");
    }
    let mut bodies = open(&cluster, 500).await;
    for stream in &mut bodies {
        let head = b"POST /api/firstfactor HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head).await.expect("sent");
    }
    for round in 0..50 {
        assert!(is_served(&cluster).await, "round {round}");
    }
    // A byte now and then does not help.
    for stream in &mut heads {
        let _ = stream.write_all(b"b").await;
    }
    // The head has ten seconds from its first byte, the body as long; the rest is for slow machines.
    let bound = Duration::from_secs(60);
    for stream in heads {
        is_closed(stream, bound).await;
    }
    for stream in bodies.into_iter().take(5) {
        let got = is_closed_or_answered(stream, bound).await;
        assert!(
            got.is_empty() || got.starts_with(b"HTTP/1.1 408"),
            "{}",
            got.escape_ascii()
        );
    }
    assert!(is_served(&cluster).await);
}

/// What the node says first, or nothing if it closes.
async fn is_closed_or_answered(mut stream: TcpStream, bound: Duration) -> Vec<u8> {
    let mut got = vec![0; 64];
    let length = tokio::time::timeout(bound, stream.read(&mut got))
        .await
        .expect("an answer in time");
    got.truncate(length.unwrap_or_default());
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_waits_between_requests_is_kept() {
    let cluster = plain_node().await;
    let client = cluster.nodes()[0].client();
    let request = Request::get("http://auth.example.com/api/health");
    let mut connection = client.connect(&request).await.expect("a connection");
    assert_eq!(
        connection
            .try_send(&request)
            .await
            .expect("an answer")
            .status,
        200
    );
    // Longer than a head may take, twice: what is bounded is a head, not the pause before it.
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert_eq!(
        connection.try_send(&request).await.expect("kept").status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_places_keep_nobody_out_for_long() {
    let cluster = plain_node().await;
    quorate::http::listen::raise_file_limit();
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    // Other tests of this process need some, too.
    let mine = limits.current.unwrap_or(u64::MAX).saturating_sub(600);
    let how_many = usize::try_from(mine).unwrap_or(usize::MAX).min(10_200);
    let idle = open(&cluster, how_many).await;
    // While places are scarce, whoever asks nothing has to leave.
    crate::harness::until(
        "somebody else is served",
        Duration::from_secs(60),
        || async { is_served(&cluster).await },
    )
    .await;
    drop(idle);
    assert!(is_served(&cluster).await);
}

/// A frame of HTTP/2. Source: RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// `:method GET`, `:scheme http`, `:path /`, `:authority a`. Source: RFC 7541 appendix A.
const HEADERS: &[u8] = b"\x82\x86\x84\x41\x01a";

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_http2_frames_end_their_connection() {
    let cluster = plain_node().await;
    let resets = (0..5_000_u32).flat_map(|number| {
        let stream = 2 * number + 1;
        [
            frame(1, 5, stream, HEADERS),
            frame(3, 0, stream, &8_u32.to_be_bytes()),
        ]
        .concat()
    });
    let continuations = frame(1, 1, 1, HEADERS)
        .into_iter()
        .chain((0..20_000).flat_map(|_| frame(9, 0, 1, b"\x40\x01a\x01b")));
    let settings = (0..50_000).flat_map(|_| frame(4, 0, 0, &[]));
    let pings = (0..50_000).flat_map(|_| frame(6, 0, 0, &[0; 8]));
    let too_large = frame(1, 5, 1, HEADERS)
        .into_iter()
        .chain([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 3]);
    let on_stream_0 = frame(0, 0, 0, b"x");
    let cases: [(&str, bool, Vec<u8>); 6] = [
        ("streams opened and reset", true, resets.collect()),
        ("a head without an end", true, continuations.collect()),
        ("settings", false, settings.collect()),
        ("pings", false, pings.collect()),
        ("a frame of 16 MiB", true, too_large.collect()),
        ("data on stream 0", true, on_stream_0),
    ];
    for (case, must_end, bytes) in cases {
        let mut stream = TcpStream::connect(cluster.nodes()[0].http())
            .await
            .expect("a connection");
        let (mut input, mut output) = stream.split();
        let write = async {
            let _ = output.write_all(&[PREFACE, &bytes].concat()).await;
        };
        let read = async {
            let mut got = Vec::new();
            let _ = input.read_to_end(&mut got).await;
            got.len()
        };
        let bound = Duration::from_secs(30);
        if must_end {
            let both = async { tokio::join!(write, read) };
            assert!(
                tokio::time::timeout(bound, both).await.is_ok(),
                "{case}: the connection is still open"
            );
        } else {
            // Cheap for both sides; it must only be taken or refused, not pile up.
            let _ =
                tokio::time::timeout(Duration::from_secs(2), async { tokio::join!(write, read) })
                    .await;
        }
        assert!(is_served(&cluster).await, "after {case}");
    }
    let page = cluster.nodes()[0].metrics().await;
    let memory = page
        .lines()
        .find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    let memory: f64 = memory.expect("the metric").parse().expect("a number");
    assert!(memory < 200e6, "{memory} bytes");
}
