//! The application behind a proxy: it answers with what reached it.
//!
//! - Any request: 200 and a JSON document with method, target, headers (in order, names in lower case) and body.
//! - `Upgrade: websocket`: 101, then every byte comes back.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Answer;

/// The header that only the application puts on an answer.
const MARK: &str = "x-echo-site";

/// The answer to the handshake with [`Site::WEBSOCKET_KEY`]. Source: RFC 6455 section 1.3.
const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A running application. Stops accepting when dropped.
pub(crate) struct Site {
    address: SocketAddr,
    served: Arc<AtomicU64>,
    acceptor: JoinHandle<()>,
}

/// One request as the application saw it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Site {
    /// The only `Sec-WebSocket-Key` whose handshake this application answers as proxies demand.
    pub(crate) const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// Listens on a port of 127.0.0.1, without TLS.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("listen");
        let address = listener.local_addr().expect("own address");
        let served = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&served);
        let acceptor = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counter)));
            }
        });
        Self {
            address,
            served,
            acceptor,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests have reached it so far.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Seen {
    /// What the application saw, or nothing if the answer is not from the application.
    pub(crate) fn in_answer(answer: &Answer) -> Option<Self> {
        answer.header(MARK)?;
        Some(serde_json::from_slice(&answer.body).expect("the application's own JSON"))
    }

    /// All values of one header, in order. `name` in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The value of a header that must be there at most once; absent is the empty text.
    pub(crate) fn one(&self, name: &str) -> &str {
        let values = self.all(name);
        assert!(
            values.len() <= 1,
            "`{name}` reached the application {} times: {values:?}",
            values.len()
        );
        values.first().copied().unwrap_or_default()
    }
}

async fn serve(stream: TcpStream, served: Arc<AtomicU64>) {
    let service = service_fn(move |request| {
        served.fetch_add(1, Ordering::SeqCst);
        answer(request)
    });
    // The proxy may cut a connection at any time; that is its business.
    let _cut = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn answer(
    mut request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let response = http::Response::builder().header(MARK, "yes");
    let is_websocket = request
        .headers()
        .get(http::header::UPGRADE)
        .is_some_and(|value| value == "websocket");
    if is_websocket {
        tokio::spawn(echo(hyper::upgrade::on(&mut request)));
        let response = response
            .status(101)
            .header(http::header::CONNECTION, "Upgrade")
            .header(http::header::UPGRADE, "websocket")
            .header(http::header::SEC_WEBSOCKET_ACCEPT, WEBSOCKET_ACCEPT)
            .body(Full::default());
        return Ok(response.expect("a handshake"));
    }
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body: text(&body),
    };
    let json = serde_json::to_vec(&seen).expect("JSON");
    Ok(response
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::from(json))
        .expect("an answer"))
}

async fn echo(upgraded: hyper::upgrade::OnUpgrade) {
    let Ok(upgraded) = upgraded.await else { return };
    let mut stream = TokioIo::new(upgraded);
    let mut buffer = [0_u8; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
