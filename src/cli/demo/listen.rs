//! Takes TLS connections and hands their requests to a function. Knows nothing of what they ask.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::cli::failure::AnyError;

/// How many connections are open at once; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;

/// How long a client may take for the TLS handshake, and again for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The first byte of every TLS connection: a handshake record. Source: RFC 8446 §5.1.
const TLS_HANDSHAKE: u8 = 22;

/// A server's side of TLS with HTTP/2 and HTTP/1.1, from two PEM files.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, AnyError> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let provider = Arc::new(ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

/// Serves connections until the task is dropped. A browser that speaks HTTP without TLS is sent to
/// `home`.
pub(super) async fn serve<F, R>(listener: TcpListener, tls: TlsAcceptor, home: String, answer: F)
where
    F: Fn(IpAddr, Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let home: Arc<str> = home.into();
    loop {
        // The semaphore is never closed.
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let Ok((tcp, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: wait until some are free again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (tls, home, answer) = (tls.clone(), home.clone(), answer.clone());
        tokio::spawn(async move {
            let _slot = slot;
            // The client went away or spoke nonsense; there is nobody to tell.
            let _ = connection(tcp, tls, &home, move |request| answer(peer.ip(), request)).await;
        });
    }
}

async fn connection<F, R>(
    mut tcp: TcpStream,
    tls: TlsAcceptor,
    home: &str,
    answer: F,
) -> Result<(), AnyError>
where
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    tcp.set_nodelay(true)?;
    let mut first = [0_u8];
    timeout(HEAD_WITHIN, tcp.peek(&mut first)).await??;
    if first != [TLS_HANDSHAKE] {
        return timeout(HEAD_WITHIN, send_to(&mut tcp, home)).await?;
    }
    let tls = timeout(HEAD_WITHIN, tls.accept(tcp)).await??;
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    server.serve_connection(TokioIo::new(tls), service).await
}

/// Answers plain HTTP, whatever it asks, with the way to the TLS address.
async fn send_to(tcp: &mut TcpStream, home: &str) -> Result<(), AnyError> {
    // The request is read, at least its beginning: closing with unread bytes would reset the
    // connection before the client has seen the answer.
    let mut head = [0_u8; 8192];
    let _ = tcp.read(&mut head).await?;
    let answer = format!(
        "HTTP/1.1 302 Found\r\nLocation: {home}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    tcp.write_all(answer.as_bytes()).await?;
    tcp.shutdown().await?;
    Ok(())
}
