//! One request over a connection of its own, plain HTTP on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer within this long is no answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// Status and head of the answer; `None` if there was none.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
}

impl Answer {
    /// The session cookie that the answer sets.
    pub(crate) fn cookie(&self) -> Option<String> {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"))?;
        let pair = line.split_once(':')?.1.trim().split(';').next()?;
        Some(pair.to_owned())
    }
}

/// Sends `method path` with the given header lines and body.
pub(crate) fn send(
    node: SocketAddr,
    method: &str,
    path: &str,
    headers: &[String],
    body: &str,
) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&node, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-Forwarded-Proto: https\r\nContent-Length: {length}\r\n{lines}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let head = answer.split("\r\n\r\n").next()?.to_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head })
}
