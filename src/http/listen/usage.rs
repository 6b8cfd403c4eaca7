//! How a connection is used, and when it must end: whoever holds one open without asking anything would keep others out.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, watch};

/// How long the head of a request may take from its first byte on.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long a connection may stand idle while places are scarce.
const CROWDED_IDLE_MAX: Duration = Duration::from_secs(5);

/// RFC 9113 §3.4: no HTTP/1 request begins like this.
const PREFACE: &[u8] = b"PRI";

/// What has happened on one connection.
#[derive(Default)]
pub(super) struct Usage {
    /// Requests that are being answered.
    running: AtomicU64,
    /// Rises with every request that begins or ends.
    changes: AtomicU64,
    /// Whether the head of a request has begun to arrive; HTTP/1 only.
    in_head: AtomicBool,
    /// Rises with every head that begins.
    heads: AtomicU64,
    head_begins: Notify,
}

impl Usage {
    /// Resolves when no request has run for `idle_max`; within twice that time, and sooner while places are scarce.
    pub(super) async fn is_idle(&self, idle_max: Duration, mut scarce: watch::Receiver<bool>) {
        let idle_while_scarce = CROWDED_IDLE_MAX.min(idle_max);
        loop {
            let before = self.changes.load(Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(idle_max) => {}
                () = async {
                    let is_scarce = scarce.wait_for(|scarce| *scarce).await.is_ok();
                    if !is_scarce {
                        std::future::pending::<()>().await;
                    }
                    tokio::time::sleep(idle_while_scarce).await;
                } => {}
            }
            let is_unchanged = self.changes.load(Ordering::Relaxed) == before;
            if is_unchanged && self.running.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    /// Resolves when the head of a request has not come to its end in time; within twice that time.
    pub(super) async fn head_is_late(&self, idle_max: Duration) {
        loop {
            self.head_begins.notified().await;
            let head = self.heads.load(Ordering::Relaxed);
            tokio::time::sleep(HEAD_MAX.min(idle_max)).await;
            let is_same = self.heads.load(Ordering::Relaxed) == head;
            if is_same && self.in_head.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Bytes have come while no request is running: a head has begun, unless it has before.
    fn arrived(&self) {
        let is_between = self.running.load(Ordering::Relaxed) == 0;
        if is_between && !self.in_head.swap(true, Ordering::Relaxed) {
            self.heads.fetch_add(1, Ordering::Relaxed);
            self.head_begins.notify_one();
        }
    }
}

/// One request that is being answered.
pub(super) struct Running(Arc<Usage>);

impl Running {
    pub(super) fn begin(usage: &Arc<Usage>) -> Self {
        usage.running.fetch_add(1, Ordering::Relaxed);
        usage.changes.fetch_add(1, Ordering::Relaxed);
        usage.in_head.store(false, Ordering::Relaxed);
        Self(Arc::clone(usage))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// A byte stream whose first bytes of each request are noted.
pub(super) struct Noted<S> {
    stream: S,
    usage: Arc<Usage>,
    /// HTTP/2 says things between requests, so bytes alone tell nothing. `None` before the first ones have told.
    is_http2: Option<bool>,
    /// How much of [`PREFACE`] has come; it may come in pieces.
    preface: usize,
}

impl<S> Noted<S> {
    pub(super) fn new(stream: S, usage: Arc<Usage>) -> Self {
        Self {
            stream,
            usage,
            is_http2: None,
            preface: 0,
        }
    }
}

impl<S> Noted<S> {
    /// Tells the version by the first bytes, as soon as they do.
    fn recognise(&mut self, new: &[u8]) {
        if self.is_http2.is_some() {
            return;
        }
        let expected = PREFACE.get(self.preface..).unwrap_or_default();
        let length = expected.len().min(new.len());
        if expected.get(..length) != new.get(..length) {
            self.is_http2 = Some(false);
        } else if length == expected.len() {
            self.is_http2 = Some(true);
        }
        self.preface += length;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let new = buffer.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            self.recognise(new);
            if self.is_http2 == Some(false) {
                self.usage.arrived();
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Whether the head of a request has begun once all `pieces` have been read.
    async fn is_in_head(pieces: &[&str]) -> bool {
        let usage = Arc::new(Usage::default());
        let (mut client, server) = tokio::io::duplex(64);
        let mut noted = Noted::new(server, Arc::clone(&usage));
        for piece in pieces {
            let bytes = piece.as_bytes();
            client.write_all(bytes).await.expect("sent");
            let mut read = vec![0; bytes.len()];
            noted.read_exact(&mut read).await.expect("read");
        }
        usage.in_head.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_preface_in_pieces_is_no_head_of_http_1() {
        for pieces in [
            &["PRI * HTTP/2.0"][..],
            &["P", "RI *"],
            &["PR", "I", " *"],
            &["P"],
        ] {
            assert!(!is_in_head(pieces).await, "{pieces:?}");
        }
        for pieces in [
            &["GET / HTTP/1.1"][..],
            &["P", "OST /"],
            &["PR", "O"],
            &["G"],
        ] {
            assert!(is_in_head(pieces).await, "{pieces:?}");
        }
    }
}
