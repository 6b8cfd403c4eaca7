//! An HTTP/1.1 client that sends exactly what a test asks for.
//!
//! Whatever host a URL names, the connection goes to the one address the client was made for, as if DNS said so. TLS
//! is verified against the authority of the test, for the host of the URL. Only `Host` is added to the headers (unless
//! given) and `Content-Length` where there is a body; [`Client::send_h2`] speaks HTTP/2 as browsers do. Redirects are not followed and cookies are not kept;
//! [`super::Visitor`] does that.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::client::conn::http2;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Authority;

/// The longest that any single exchange may take before the test fails: longer than all retries of all proxies.
const PATIENCE: Duration = Duration::from_secs(40);

/// Any byte stream to a server.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to one address, whatever the host. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    tls: TlsConnector,
}

/// A request in the making.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    is_tls: bool,
    authority: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One kept-alive connection. Requests on it go one after another.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Request {
    /// A request for `url`, `https://host[:port]/path?query` or the same with `http`. Path and query go out as they
    /// are; a path is required.
    pub(crate) fn new(method: &str, url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a scheme in the URL");
        let (authority, _) = rest.split_once('/').expect("a path in the URL");
        Self {
            method: method.to_owned(),
            is_tls: scheme == "https",
            authority: authority.to_owned(),
            target: rest[authority.len()..].to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// `GET url`.
    pub(crate) fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// `POST url` with a JSON body.
    pub(crate) fn post_json(url: &str, body: &serde_json::Value) -> Self {
        Self::new("POST", url)
            .header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// Adds a header line; the same name may be added several times.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds the header that browsers send when a person opens a page.
    pub(crate) fn for_page(self) -> Self {
        self.header(
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// `host[:port]` of the URL.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    fn host(&self) -> &str {
        self.authority
            .split_once(':')
            .map_or(self.authority.as_str(), |(host, _)| host)
    }

    fn build(&self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::from(self.body.clone()));
        *request.method_mut() = self.method.parse().expect("a method");
        *request.uri_mut() = self
            .target
            .parse()
            .expect("a request target; use Client::raw for others");
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().expect("a header name");
            headers.append(
                name,
                HeaderValue::from_bytes(value).expect("a header value"),
            );
        }
        if !headers.contains_key(http::header::HOST) {
            headers.insert(http::header::HOST, self.authority.parse().expect("a host"));
        }
        request
    }
}

impl Answer {
    /// The first value of a header, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the body if it is not.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

impl Client {
    /// A client of the server at `address`, trusting `authority`.
    pub(crate) fn new(address: SocketAddr, authority: &Authority) -> Self {
        Self {
            address,
            tls: TlsConnector::from(authority.client_config()),
        }
    }

    /// The same client for the server at another address.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self {
            address,
            tls: self.tls.clone(),
        }
    }

    /// Sends one request on a connection of its own.
    ///
    /// # Errors
    /// Whatever kept the whole answer from arriving.
    pub(crate) async fn try_send(&self, request: &Request) -> io::Result<Answer> {
        bounded(async { self.connect(request).await?.try_send(request).await }).await
    }

    /// As [`Self::try_send`], and panics where that fails.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let sent = self.try_send(&request).await;
        sent.unwrap_or_else(|error| {
            panic!("no answer from {}: {error} ({request:?})", self.address)
        })
    }

    /// Sends one GET over HTTP/2, with one field for each cookie, and panics where that fails.
    pub(crate) async fn send_h2(&self, request: Request) -> Answer {
        let sent = bounded(self.exchange_h2(&request)).await;
        sent.unwrap_or_else(|error| panic!("no answer over HTTP/2 from {}: {error}", self.address))
    }

    async fn exchange_h2(&self, request: &Request) -> io::Result<Answer> {
        let mut config = ClientConfig::clone(self.tls.config());
        config.alpn_protocols = vec![b"h2".to_vec()];
        let client = Self {
            address: self.address,
            tls: TlsConnector::from(Arc::new(config)),
        };
        let stream = TokioIo::new(client.open(true, request.host()).await?);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(connection);
        let mut split = request.build();
        let headers = split.headers_mut();
        headers.remove(http::header::HOST);
        if let Some(cookies) = headers.remove(http::header::COOKIE) {
            for cookie in cookies.to_str().expect("text").split("; ") {
                headers.append(http::header::COOKIE, cookie.parse().expect("a cookie"));
            }
        }
        let uri = format!("https://{}{}", request.authority, request.target);
        *split.uri_mut() = uri.parse().expect("a URL");
        let (head, body) = sender
            .send_request(split)
            .await
            .map_err(io::Error::other)?
            .into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        driver.abort();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// Opens a connection that can carry requests with the scheme and host of `request`.
    ///
    /// # Errors
    /// As TCP and TLS say.
    pub(crate) async fn connect(&self, request: &Request) -> io::Result<Connection> {
        let stream = self.open(request.is_tls, request.host()).await?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection.with_upgrades());
        Ok(Connection { sender })
    }

    /// Sends `bytes` over TLS, with `host` as the name to verify, and returns all that comes back until the server
    /// closes or `enough` is content.
    ///
    /// # Errors
    /// As TCP and TLS say; a connection cut after some bytes is not an error.
    pub(crate) async fn raw(
        &self,
        host: &str,
        bytes: &[u8],
        enough: fn(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        bounded(async {
            let mut stream = self.open(true, host).await?;
            // A server may have answered before it was told everything.
            let _ = stream.write_all(bytes).await;
            let mut got = Vec::new();
            while !enough(&got) {
                match stream.read_buf(&mut got).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
            Ok(got)
        })
        .await
    }

    async fn open(&self, is_tls: bool, host: &str) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        if !is_tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Box::new(self.tls.connect(name, stream).await?))
    }
}

impl Connection {
    /// Sends one request and waits for the whole answer.
    ///
    /// # Errors
    /// Whatever kept the whole answer from arriving, such as a connection that the server has closed.
    pub(crate) async fn try_send(&mut self, request: &Request) -> io::Result<Answer> {
        let (head, body) = self.exchange(request).await?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// Sends a request that asks for another protocol: the stream if the answer is 101, else the answer.
    ///
    /// # Errors
    /// As [`Self::try_send`].
    pub(crate) async fn upgrade(
        mut self,
        request: &Request,
    ) -> io::Result<Result<TokioIo<Upgraded>, Answer>> {
        let response = self.exchange(request).await?;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            let upgraded =
                bounded(async { hyper::upgrade::on(response).await.map_err(io::Error::other) })
                    .await?;
            return Ok(Ok(TokioIo::new(upgraded)));
        }
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Err(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }))
    }

    async fn exchange(
        &mut self,
        request: &Request,
    ) -> io::Result<http::Response<hyper::body::Incoming>> {
        bounded(async {
            self.sender.ready().await.map_err(io::Error::other)?;
            self.sender
                .send_request(request.build())
                .await
                .map_err(io::Error::other)
        })
        .await
    }
}

async fn bounded<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("nothing after {PATIENCE:?}"),
        )),
    }
}
