//! Verify requests per second and latency, as ratios to a bare axum handler that sends the same response headers.
//!
//! Both servers run in this process, one after the other in interleaved rounds, under the same load: keep-alive
//! connections on loopback, each with one request at a time. `cargo bench --bench verify -- --seconds 2 --rounds 5
//! --connections 32 --sessions 100000 --rules 200`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot set itself up must stop"
)]

mod load;
mod setup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use clap::Parser;
use http::{HeaderName, HeaderValue, Response};
use quorate::http::listen::{Listener, Socket, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

use load::{Load, Round};

/// How to measure.
#[derive(Parser)]
struct Options {
    /// Seconds per round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds per server.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Connections at once.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Sessions in the state.
    #[arg(long, default_value_t = 100_000)]
    sessions: usize,
    /// Access rules before the one that matches.
    #[arg(long, default_value_t = 200)]
    rules: usize,
    /// `cargo bench` passes this; it says nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let servers = runtime(2, "server");
    let clients = runtime(1, "client");
    let (site, bare, _stop) = servers.block_on(start(&options));
    println!(
        "verify: {} sessions, {} rules, {} connections, {} rounds of {} s, {} cores",
        options.sessions,
        options.rules,
        options.connections,
        options.rounds,
        options.seconds,
        std::thread::available_parallelism().unwrap()
    );
    println!(
        "load average before: {}",
        std::fs::read_to_string("/proc/loadavg")
            .unwrap_or_default()
            .trim()
    );
    let mut rows: Vec<(&str, Load, Vec<Round>)> = vec![
        (
            "bare axum",
            Load {
                address: bare,
                request: site.allowed.clone(),
                status: 200,
            },
            Vec::new(),
        ),
        (
            "quorate, session, 200",
            Load {
                address: site.address,
                request: site.allowed.clone(),
                status: 200,
            },
            Vec::new(),
        ),
        (
            "quorate, anonymous, 302",
            Load {
                address: site.address,
                request: site.anonymous.clone(),
                status: 302,
            },
            Vec::new(),
        ),
        (
            "quorate, bypass, 200",
            Load {
                address: site.address,
                request: site.bypass.clone(),
                status: 200,
            },
            Vec::new(),
        ),
    ];
    let length = Duration::from_secs_f64(options.seconds);
    for _ in 0..options.rounds {
        for (_, load, rounds) in &mut rows {
            rounds.push(clients.block_on(load.run(options.connections, length)));
        }
    }
    let floor = load::median(&rows[0].2);
    println!(
        "\n| what | requests/s | ratio | p50 µs | p99 µs | p99 ratio | spread |\n|---|---|---|---|---|---|---|"
    );
    for (name, _, rounds) in &rows {
        let row = load::median(rounds);
        println!(
            "| {name} | {:.0} | {:.2} | {} | {} | {:.2} | ±{:.0} % |",
            row.per_second,
            row.per_second / floor.per_second,
            row.p50_us,
            row.p99_us,
            row.p99_us as f64 / floor.p99_us as f64,
            load::spread_percent(rounds)
        );
    }
    // What still runs holds connections that nobody reads any more.
    servers.shutdown_background();
    clients.shutdown_background();
}

fn runtime(threads: usize, name: &str) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

async fn start(options: &Options) -> (setup::Site, SocketAddr, watch::Sender<bool>) {
    let (stop, stopping) = watch::channel(false);
    let site = setup::site(options.sessions, options.rules, stopping.clone()).await;
    let bare = bind().await;
    let address = bare.local_addr().unwrap();
    tokio::spawn(serve(plain(bare), bare_router(), stopping));
    (site, address, stop)
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn plain(socket: TcpListener) -> Listener {
    Listener {
        socket: Socket::Tcp(socket),
        tls: None,
        head_bytes_max: 16 * 1024,
        idle_max: Duration::from_secs(120),
        proxy_protocol: None,
    }
}

/// What no authorization server can beat: a handler that knows its answer.
fn bare_router() -> Router {
    let headers: Arc<[(HeaderName, HeaderValue)]> = Arc::from(setup::expected_headers());
    Router::new().route(
        "/api/authz/forward-auth",
        get(move || {
            let headers = Arc::clone(&headers);
            async move {
                let mut response = Response::new(axum::body::Body::empty());
                response.headers_mut().extend(headers.iter().cloned());
                response
            }
        }),
    )
}
