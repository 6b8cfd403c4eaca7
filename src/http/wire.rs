//! The bytes of an HTTP/1 connection, on both sides of hyper.
//!
//! hyper keeps one of two lengths that a request gives, and answers what it cannot read with a bare status line. Both
//! matter here: two programs that take different lengths for the same request read two requests, and every reply says
//! what went wrong and carries the headers of [`reply::secure`]. So the head of a request is looked at as it was
//! sent (RFC 9112 §2.2, §3.2, §6.3), and a bare refusal is replaced as it leaves.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::{Request, StatusCode, Version, header};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::reply;
use crate::clock;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// What the head of a request says of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One length, or no body.
    Sound,
    /// The length shows as the body comes. The connection ends with the answer.
    Last,
    /// Two lengths, a `#` in the target, a line that another program would not end there, or no head to be found.
    Unsound,
}

/// What has been read since the last request began.
#[derive(Debug, Clone)]
pub(super) struct Record(Arc<Mutex<Recorded>>);

#[derive(Debug)]
struct Recorded {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// How much of what comes next is still the body of a request.
    body_left: u64,
    is_over: bool,
}

impl Record {
    /// Keeps `bytes_max` bytes at most; a request whose head is longer is unsound.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Recorded {
            bytes: Vec::new(),
            bytes_max,
            body_left: 0,
            is_over: false,
        })))
    }

    /// Looks at the head of `request`, which has just been read, and forgets it.
    pub(super) fn framing<B>(&self, request: &Request<B>) -> Framing {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if request.version() == Version::HTTP_2 {
            // There a length is not what separates requests.
            recorded.stop();
            return Framing::Sound;
        }
        let headers = request.headers();
        let Some(head) = Head::take(&mut recorded.bytes) else {
            recorded.stop();
            return Framing::Unsound;
        };
        let length = headers.get(header::CONTENT_LENGTH);
        let has_body = length.is_some() || headers.contains_key(header::TRANSFER_ENCODING);
        if head.lengths != usize::from(has_body) {
            recorded.stop();
            return Framing::Unsound;
        }
        if !has_body {
            return Framing::Sound;
        }
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        recorded.skip_body(length)
    }

    fn add(&self, bytes: &[u8]) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.add(bytes);
    }
}

impl Recorded {
    fn add(&mut self, bytes: &[u8]) {
        let of_body = usize::try_from(self.body_left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.body_left -= of_body as u64;
        let bytes = bytes.get(of_body..).unwrap_or_default();
        if self.is_over {
            return;
        }
        if self.bytes.len() + bytes.len() > self.bytes_max {
            return self.stop();
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn stop(&mut self) {
        self.is_over = true;
        self.bytes = Vec::new();
    }

    /// What follows the head is a body of that length.
    fn skip_body(&mut self, length: Option<u64>) -> Framing {
        let Some(length) = length else {
            self.stop();
            return Framing::Last;
        };
        let here = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        self.bytes.drain(..here);
        self.body_left = length - here as u64;
        Framing::Sound
    }
}

/// The head of a request that every program reads alike.
struct Head {
    /// How many of its lines tell a length.
    lengths: usize,
}

impl Head {
    /// Takes a head from the front of `bytes`, exactly up to its empty line. `None` without one, for a line that ends with
    /// a bare LF, which hyper forgives, and for a `#` in the first line, where hyper cuts the target.
    fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let mut lengths = 0;
        let mut is_first = true;
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            let end = memchr::memchr(b'\n', rest)?;
            let line = rest.get(..end)?.strip_suffix(b"\r")?;
            at += end + 1;
            match (is_first, line.is_empty()) {
                // RFC 9112 §2.2: empty lines before a request are nothing.
                (true, true) => {}
                (true, false) => {
                    if memchr::memchr(b'#', line).is_some() {
                        return None;
                    }
                    is_first = false;
                }
                (false, false) => lengths += usize::from(tells_length(line)),
                (false, true) => break,
            }
        }
        bytes.drain(..at);
        Some(Self { lengths })
    }
}

fn tells_length(line: &[u8]) -> bool {
    if !matches!(line.first(), Some(b'c' | b'C' | b't' | b'T')) {
        return false;
    }
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding")
}

/// A stream that records what is read from it and completes the bare refusals that are written to it.
pub(super) struct Wire<S> {
    stream: S,
    record: Record,
    over_tls: bool,
    /// Bytes that are still to be written.
    owed: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, record: Record, over_tls: bool) -> Self {
        Self {
            stream,
            record,
            over_tls,
            owed: Vec::new(),
        }
    }

    fn poll_owed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.owed.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.owed))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.owed.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.record
            .add(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_owed(context))?;
        if let Some(status) = bare_refusal(bytes) {
            self.owed = refusal(status, self.over_tls);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = slices {
            return self.poll_write(context, only);
        }
        ready!(self.poll_owed(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_owed(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_owed(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The status of a refusal that hyper wrote by itself: a head alone, without the headers that all of our replies have.
fn bare_refusal(bytes: &[u8]) -> Option<StatusCode> {
    let is_refusal = bytes.starts_with(b"HTTP/1.1 4") && bytes.ends_with(HEAD_END);
    if !is_refusal || memmem::find(bytes, b"x-frame-options").is_some() {
        return None;
    }
    StatusCode::from_bytes(bytes.get(9..12)?).ok()
}

/// The whole reply to a request that could not be read, as bytes.
fn refusal(status: StatusCode, over_tls: bool) -> Vec<u8> {
    let mut response = reply::plain(status);
    reply::secure(response.headers_mut(), over_tls);
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let text = format!("{} {reason}", status.as_u16());
    let mut bytes = format!(
        "HTTP/1.1 {text}\r\nconnection: close\r\ncontent-length: {}\r\ndate: {}\r\n",
        text.len(),
        httpdate::fmt_http_date(clock::system_time())
    )
    .into_bytes();
    for (name, value) in response.headers() {
        let parts: [&[u8]; 4] = [name.as_ref(), b": ", value.as_bytes(), b"\r\n"];
        bytes.extend(parts.concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the record says of the last of several requests that came in `pieces`; each is named by the length that
    /// hyper left in it.
    fn framing(pieces: &[&str], lengths: &[Option<&str>]) -> Framing {
        let record = Record::new(1024);
        for piece in pieces {
            record.add(piece.as_bytes());
        }
        let mut last = Framing::Sound;
        for length in lengths {
            let mut request = Request::builder();
            if let Some(length) = length {
                request = match *length {
                    "chunked" => request.header("Transfer-Encoding", "chunked"),
                    number => request.header("Content-Length", number),
                };
            }
            last = record.framing(&request.body(()).expect("a request"));
        }
        last
    }

    #[test]
    fn one_length_is_sound_and_two_are_not() {
        let cases: [(&str, Option<&str>, Framing); 14] = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None, Framing::Sound),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
                Some("2"),
                Framing::Sound,
            ),
            (
                "POST / HTTP/1.1\r\ncontent-length: 2\r\nContent-Length: 2\r\n\r\n{}",
                Some("2"),
                Framing::Unsound,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                Some("chunked"),
                Framing::Last,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
                Some("chunked"),
                Framing::Unsound,
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                Some("chunked"),
                Framing::Unsound,
            ),
            (
                "POST / HTTP/1.1\nContent-Length: 2\n\n{}",
                Some("2"),
                Framing::Unsound,
            ),
            ("", Some("2"), Framing::Unsound),
            ("", None, Framing::Unsound),
            ("GET / HTTP/1.1\nHost: a\n\n", None, Framing::Unsound),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", None, Framing::Unsound),
            (
                "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
                None,
                Framing::Unsound,
            ),
            ("\r\nGET / HTTP/1.1\r\nA: #\r\n\r\n", None, Framing::Sound),
            (
                "GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n",
                None,
                Framing::Unsound,
            ),
        ];
        for (head, length, expect) in cases {
            assert_eq!(framing(&[head], &[length]), expect, "{head:?}");
        }
    }

    #[test]
    fn a_body_is_not_taken_for_the_next_head() {
        let first = "POST / HTTP/1.1\r\nContent-Length: 24\r\n\r\ncontent-length: 5\r\n";
        let pieces = [
            first,
            "\r\n\r\nx",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\ny",
        ];
        let record = Record::new(1024);
        let post = |length: &str| {
            let request = Request::builder().header("Content-Length", length);
            request.body(()).expect("a request")
        };
        record.add(pieces[0].as_bytes());
        assert_eq!(record.framing(&post("24")), Framing::Sound);
        record.add(pieces[1].as_bytes());
        record.add(pieces[2].as_bytes());
        assert_eq!(record.framing(&post("1")), Framing::Sound);
        let get = "GET / HTTP/1.1\r\n\r\n";
        let both = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\ny";
        assert_eq!(framing(&[get, both], &[None, Some("1")]), Framing::Unsound);
        // Lines that end with a bare LF do not hide the head behind them.
        let get = "GET / HTTP/1.1\nHost: a\n\n";
        let both = "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let both = format!("{get}{both}");
        assert_eq!(framing(&[&both], &[None]), Framing::Unsound);
        // Nor does a head take the next one with it, whose body has not come yet.
        let get = "GET / HTTP/1.1\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n";
        assert_eq!(
            framing(&[&format!("{get}{post}")], &[None, Some("1")]),
            Framing::Sound
        );
        let long = "a".repeat(2000);
        assert_eq!(framing(&[&long], &[Some("1")]), Framing::Unsound);
    }

    #[test]
    fn only_a_refusal_without_our_headers_is_replaced() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(
            bare_refusal(bare),
            Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        );
        let whole = String::from_utf8(refusal(StatusCode::BAD_REQUEST, true)).expect("text");
        assert!(whole.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{whole}");
        assert!(whole.contains("\r\nstrict-transport-security: "), "{whole}");
        assert!(whole.ends_with("\r\n\r\n400 Bad Request"), "{whole}");
        let head = whole.split_once("400 Bad Request\r\n").expect("a head").1;
        let head = head.trim_end_matches("400 Bad Request");
        assert_eq!(
            bare_refusal(format!("HTTP/1.1 400 Bad Request\r\n{head}").as_bytes()),
            None
        );
        assert_eq!(
            bare_refusal(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            None
        );
    }
}
