//! One request over a connection of its own: plain HTTP on loopback, or a command to the admin socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// What is asked.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [String],
    pub(crate) body: &'a str,
    /// No answer within this long is no answer.
    pub(crate) patience: Duration,
}

/// Status, head and body of the answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
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

/// Sends `request` to `node`; `None` if there was no whole answer in time.
pub(crate) fn send(node: SocketAddr, request: &Request<'_>) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&node, request.patience).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(request.patience)).ok()?;
    stream.set_write_timeout(Some(request.patience)).ok()?;
    exchange(&mut stream, request)
}

/// Sends `body` to the command `path` of the admin socket at `socket`; `None` if there was no whole answer in time.
pub(crate) fn command(socket: &Path, path: &str, body: &str, patience: Duration) -> Option<Answer> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.set_write_timeout(Some(patience)).ok()?;
    let request = Request {
        method: "POST",
        path,
        headers: &[],
        body,
        patience,
    };
    exchange(&mut stream, &request)
}

fn exchange(stream: &mut (impl Read + Write), request: &Request<'_>) -> Option<Answer> {
    let Request { method, path, .. } = request;
    let lines: String = request
        .headers
        .iter()
        .map(|line| format!("{line}\r\n"))
        .collect();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-Forwarded-Proto: https\r\nContent-Length: {}\r\n{lines}\r\n{}",
        request.body.len(),
        request.body
    );
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    parse(&answer)
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
