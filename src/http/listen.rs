//! Accepting connections: TCP or a unix socket, TLS, HTTP/1.1 and HTTP/2, and an orderly end.

mod socket;
mod usage;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tower::Service as _;

pub use socket::{Socket, UnixSocket, resolve};

use self::usage::{Noted, Running, Usage};
pub(super) use socket::Stream;

use super::authz::client::{UNKNOWN, is_trusted};
use super::proxy_protocol::{self, Origin};
use super::tls::Acceptors;
use super::wire::{Framing, Record, Wire};
use super::{gate, reply};

/// Connections open at once; more wait in the kernel's queue. Each may cost a few tens of KiB.
const CONNECTIONS_MAX: usize = 10_000;
/// File descriptors that connections leave to the rest of the node: the log, snapshots, other nodes, files read again.
const FILES_KEPT: u64 = 256;
/// While less than this part of the places is free, idle connections end sooner.
const SCARCE_PART: usize = 8;
/// How long a TLS handshake may take, and what a load balancer says before it.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests in flight may go on once the listener closes. A logout waits for a lost member as long as a lease
/// lasts; whoever is cut off then is told nothing, and asks again elsewhere.
const DRAIN_MAX: Duration = Duration::from_millis(2_500);
/// Header fields of one request: a page's headers travel with its authorization request.
const HEADERS_MAX: usize = 256;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address; IPv4 in IPv4 form. Behind the PROXY protocol, who the load balancer speaks for.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub over_tls: bool,
}

/// What a listener is made of.
pub struct Listener {
    /// The bound socket.
    pub socket: Socket,
    /// Encrypts, if there is a certificate.
    pub tls: Option<Arc<Acceptors>>,
    /// The largest request head, in bytes.
    pub head_bytes_max: usize,
    /// How long a connection may stand idle between requests. A head that has begun has ten seconds.
    pub idle_max: Duration,
    /// Whether every connection begins with a PROXY protocol header, and who may send one. `None`: none does.
    pub proxy_protocol: Option<Vec<IpNet>>,
}

/// What a listener asks for the answer to each request. Clones are the same.
pub trait Answer: Clone + Send + Sync + 'static {
    /// The whole reply to `request`, which came over a connection from `peer`.
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response> + Send;
}

impl Answer for Router {
    async fn answer(&self, mut request: Request<Incoming>, peer: Peer) -> Response {
        request.extensions_mut().insert(peer);
        match self.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Serves by `answers` until `stop` turns true, then lets requests in flight finish, for 2.5 seconds at most.
pub async fn serve(listener: Listener, answers: impl Answer, mut stop: watch::Receiver<bool>) {
    let listener = Arc::new(listener);
    let graceful = GracefulShutdown::new();
    let connections_max = connections_max();
    let places = Arc::new(Semaphore::new(connections_max));
    let (scarce, is_scarce) = watch::channel(false);
    loop {
        scarce.send_replace(places.available_permits() < connections_max / SCARCE_PART);
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
        let (listener, answers, watcher) =
            (Arc::clone(&listener), answers.clone(), graceful.watcher());
        let is_scarce = is_scarce.clone();
        tokio::spawn(async move {
            connection(&listener, stream, address, answers, (watcher, is_scarce)).await;
            drop(place);
        });
    }
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were still running after {:.1} s",
            DRAIN_MAX.as_secs_f32()
        );
    }
}

/// Takes all the file descriptors that the system lets this process have: the usual soft limit of 1,024 is for programs
/// that cannot count further.
pub fn raise_file_limit() {
    let mut limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limits.current = limits.maximum;
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, limits) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// How many connections a listener may hold: never so many that the node itself finds no descriptor any more. There
/// are four listeners at most.
pub(super) fn connections_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let share = limit.unwrap_or(u64::MAX).saturating_sub(FILES_KEPT) / 4;
    usize::try_from(share)
        .unwrap_or(CONNECTIONS_MAX)
        .clamp(16, CONNECTIONS_MAX)
}

/// What ends a connection from outside: the end of the listener, and many others that wait.
type Ends = (Watcher, watch::Receiver<bool>);

async fn connection(
    listener: &Listener,
    mut stream: Stream,
    address: IpAddr,
    answers: impl Answer,
    ends: Ends,
) {
    let mut peer = Peer {
        address,
        over_tls: listener.tls.is_some(),
    };
    if let Some(senders) = &listener.proxy_protocol {
        let Some(address) = announced(&mut stream, peer.address, senders).await else {
            return;
        };
        peer.address = address;
    }
    let Some(tls) = &listener.tls else {
        return requests(listener, stream, peer, answers, ends).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, tls.current().accept(stream)).await {
        Ok(Ok(stream)) => requests(listener, stream, peer, answers, ends).await,
        Ok(Err(error)) => {
            tracing::debug!(peer = %peer.address, error = %error, "TLS handshake failed")
        }
        Err(_) => tracing::debug!(peer = %peer.address, "TLS handshake took too long"),
    }
}

/// Whom a load balancer at `sender` speaks for; `None` if the connection is of no use.
async fn announced(stream: &mut Stream, sender: IpAddr, senders: &[IpNet]) -> Option<IpAddr> {
    if !is_trusted(sender, senders) {
        tracing::debug!(peer = %sender, "a connection came from outside server.trusted_proxies");
        return None;
    }
    // Boxed: its buffer would be a part of every connection for as long as it lasts.
    let header = Box::pin(proxy_protocol::read(stream));
    match tokio::time::timeout(HANDSHAKE_MAX, header).await {
        Ok(Ok(Origin::Address(address))) => Some(address),
        Ok(Ok(Origin::Sender)) => Some(sender),
        // Not the sender: it is trusted, and nobody knows who this is.
        Ok(Ok(Origin::Unknown)) => Some(UNKNOWN),
        Ok(Err(error)) => {
            tracing::debug!(peer = %sender, %error, "no PROXY protocol header");
            None
        }
        Err(_) => {
            tracing::debug!(peer = %sender, "the PROXY protocol header took too long");
            None
        }
    }
}

async fn requests(
    listener: &Listener,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    answers: impl Answer,
    (watcher, is_scarce): Ends,
) {
    let usage = Arc::new(Usage::default());
    let stream = Noted::new(stream, Arc::clone(&usage));
    let used = Arc::clone(&usage);
    let head_bytes_max = listener.head_bytes_max.max(8192);
    // hyper reads ahead by one buffer.
    let record = Record::new(2 * head_bytes_max);
    let wire = Wire::new(stream, record.clone(), peer.over_tls);
    let service = hyper::service::service_fn(move |request| {
        let answers = answers.clone();
        let running = Running::begin(&used);
        let framing = record.framing(&request);
        async move {
            let _running = running;
            Ok::<_, Infallible>(framed(framing, request, peer, answers).await)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(listener.idle_max)
        .max_buf_size(head_bytes_max)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(listener.head_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(listener.idle_max))
        .keep_alive_timeout(HANDSHAKE_MAX);
    let connection = builder
        .serve_connection(TokioIo::new(wire), service)
        .into_owned();
    // hyper's own time limit counts the time between requests as well, and HTTP/2 has none for a quiet connection.
    tokio::select! {
        ended = watcher.watch(connection) => if let Err(error) = ended {
            tracing::debug!(peer = %peer.address, error = %error, "connection ended with an error");
        },
        () = usage.is_idle(listener.idle_max, is_scarce) => {
            tracing::debug!(peer = %peer.address, "closed a connection on which nothing was asked");
        }
        () = usage.head_is_late(listener.idle_max) => {
            tracing::debug!(peer = %peer.address, "closed a connection on which a request did not come to its end");
        }
    }
}

/// The answer to a request whose head can be read in one way only, or a refusal.
async fn framed(
    framing: Framing,
    request: Request<Incoming>,
    peer: Peer,
    answers: impl Answer,
) -> Response {
    let mut response = match framing {
        Framing::Sound => return answers.answer(request, peer).await,
        Framing::Last => answers.answer(request, peer).await,
        Framing::Unsound => gate::unsound(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    reply::secure(headers, peer.over_tls);
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const IDLE_MAX: Duration = Duration::from_millis(200);

    /// Sends `bytes` and nothing more; what comes until the other side closes, which must not take long.
    async fn until_closed(bytes: &[u8]) -> Vec<u8> {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let listener = Listener {
            socket: Socket::Tcp(socket),
            tls: None,
            head_bytes_max: 16_384,
            idle_max: IDLE_MAX,
            proxy_protocol: None,
        };
        let (_stop, stopping) = watch::channel(false);
        let router = Router::new().route("/", get(async || "hello"));
        let serving = tokio::spawn(serve(listener, router, stopping));
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("bytes are sent");
        let mut answer = Vec::new();
        tokio::time::timeout(IDLE_MAX * 20, stream.read_to_end(&mut answer))
            .await
            .expect("the server closes the connection")
            .expect("it closes it in order");
        serving.abort();
        answer
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_is_asked_is_closed() {
        assert_eq!(until_closed(b"").await, b"");
        // The beginning of what an HTTP/2 client says first.
        assert_eq!(until_closed(b"PRI * HT").await, b"");
        // A whole HTTP/2 preface with empty settings, then silence.
        let silent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        assert!(!until_closed(silent).await.is_empty(), "our settings come");
    }

    #[tokio::test]
    async fn a_request_is_answered_before_its_connection_is_closed() {
        let answer = until_closed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.ends_with(b"hello"), "{answer:?}");
    }
}
