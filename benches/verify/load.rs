//! A load of keep-alive connections, each with one request at a time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is sent where, and what must come back.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) request: String,
    pub(crate) status: u16,
}

/// What one round showed.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

impl Load {
    /// Runs one round and checks the status of every answer.
    pub(crate) async fn run(&self, connections: usize, length: Duration) -> Round {
        let started = Instant::now();
        let until = started + length;
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..connections {
            workers.spawn(work(self.address, self.request.clone(), self.status, until));
        }
        let mut took: Vec<u32> = Vec::new();
        while let Some(done) = workers.join_next().await {
            took.extend(done.unwrap());
        }
        let seconds = started.elapsed().as_secs_f64();
        took.sort_unstable();
        let at = |part: f64| u64::from(took[((took.len() - 1) as f64 * part) as usize]);
        Round {
            per_second: took.len() as f64 / seconds,
            p50_us: at(0.5),
            p99_us: at(0.99),
        }
    }
}

async fn work(address: SocketAddr, request: String, status: u16, until: Instant) -> Vec<u32> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let expected = format!("HTTP/1.1 {status} ");
    let (mut took, mut buffer) = (Vec::with_capacity(100_000), vec![0; 8192]);
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        while !is_whole(&buffer[..filled]) {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            filled += read;
        }
        took.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        assert!(
            buffer.starts_with(expected.as_bytes()),
            "{}",
            String::from_utf8_lossy(&buffer[..filled])
        );
    }
    took
}

/// Whether head and body are there.
fn is_whole(response: &[u8]) -> bool {
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = std::str::from_utf8(&response[..end])
        .unwrap_or_default()
        .to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    response.len() >= end + 4 + length.unwrap_or(0)
}

/// The round in the middle by requests per second.
pub(crate) fn median(rounds: &[Round]) -> Round {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    sorted[sorted.len() / 2]
}

/// Half the distance between the best and the worst round, in percent of the median.
pub(crate) fn spread_percent(rounds: &[Round]) -> f64 {
    let of = |pick: fn(f64, f64) -> f64, start| {
        rounds
            .iter()
            .map(|round| round.per_second)
            .fold(start, pick)
    };
    (of(f64::max, 0.0) - of(f64::min, f64::MAX)) / 2.0 / median(rounds).per_second * 100.0
}
