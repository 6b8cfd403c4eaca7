//! Accepting connections: TCP, TLS, HTTP/1.1 and HTTP/2, and an orderly end.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

/// Connections open at once; more wait in the kernel's queue. Each may cost a few tens of KiB.
const CONNECTIONS_MAX: usize = 10_000;
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests in flight may go on once the node is asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Header fields of one request: a page's headers travel with its authorization request.
const HEADERS_MAX: usize = 256;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address; IPv4 in IPv4 form.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub over_tls: bool,
}

/// What a listener is made of.
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// Encrypts, if there is a certificate.
    pub tls: Option<TlsAcceptor>,
    /// The largest request head, in bytes.
    pub head_bytes_max: usize,
    /// How long a connection may stand idle, or take to send a request's head.
    pub idle_max: Duration,
}

/// Serves `router` until `stop` turns true, then lets requests in flight finish, for ten seconds at most.
pub async fn serve(listener: Listener, router: Router, mut stop: watch::Receiver<bool>) {
    let listener = Arc::new(listener);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: connections that end will free some.
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (listener, router, watcher) =
            (Arc::clone(&listener), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            connection(&listener, stream, address, router, watcher).await;
            drop(place);
        });
    }
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were still running after {} s",
            DRAIN_MAX.as_secs()
        );
    }
}

async fn connection(
    listener: &Listener,
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    let peer = Peer {
        address: from.ip().to_canonical(),
        over_tls: listener.tls.is_some(),
    };
    let Some(tls) = &listener.tls else {
        return requests(listener, stream, peer, router, watcher).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(listener, stream, peer, router, watcher).await,
        Ok(Err(error)) => {
            tracing::debug!(peer = %peer.address, error = %error, "TLS handshake failed")
        }
        Err(_) => tracing::debug!(peer = %peer.address, "TLS handshake took too long"),
    }
}

async fn requests(
    listener: &Listener,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    watcher: Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let mut router = router.clone();
        async move {
            Ok::<_, Infallible>(match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(listener.idle_max)
        .max_buf_size(listener.head_bytes_max.max(8192))
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(listener.head_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(listener.idle_max))
        .keep_alive_timeout(HANDSHAKE_MAX);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(peer = %peer.address, error = %error, "connection ended with an error");
    }
}
