//! One request to one node over TLS, within a bound. Knows nothing of what is asked or why.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::site::Site;
use crate::cli::failure::AnyError;

/// How long a node may take to accept a connection; on one machine it takes a millisecond, so this
/// is the sign of a process that is paused.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

/// The largest answer of a node that is passed on, in bytes.
const ANSWER_MAX: usize = 4 << 20;

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// No connection was made, so the node has not seen the request.
    #[error("cannot be reached")]
    Unreachable(#[source] AnyError),
    /// The request was sent, perhaps in part; the node may have acted on it.
    #[error("did not answer")]
    Unanswered(#[source] AnyError),
}

/// A way to talk to the nodes; cheap to clone.
#[derive(Clone)]
pub(super) struct Upstream {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Upstream {
    /// Trusts the authority in the PEM file `ca` and nobody else, for the portal's name.
    pub(super) fn trusting(ca: &Path) -> Result<Self, AnyError> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(Site::Portal.host())?;
        Ok(Self {
            connector: Arc::new(config).into(),
            name,
        })
    }

    /// Sends `request`, whose target is in origin form, to the node on `port` of 127.0.0.1 and
    /// waits for the whole answer, at most for `within` once connected.
    pub(super) async fn send(
        &self,
        port: u16,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let sender = match timeout(CONNECT_WITHIN, self.connect(port)).await {
            Ok(connected) => connected.map_err(SendError::Unreachable)?,
            Err(elapsed) => return Err(SendError::Unreachable(elapsed.into())),
        };
        match timeout(within, exchange(sender, request)).await {
            Ok(answered) => answered.map_err(SendError::Unanswered),
            Err(elapsed) => Err(SendError::Unanswered(elapsed.into())),
        }
    }

    async fn connect(&self, port: u16) -> Result<SendRequest<Full<Bytes>>, AnyError> {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        tcp.set_nodelay(true)?;
        let tls = self.connector.connect(self.name.clone(), tcp).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        // It ends when `sender` is dropped; its error reaches the caller through `sender`.
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn exchange(
    mut sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, AnyError> {
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
