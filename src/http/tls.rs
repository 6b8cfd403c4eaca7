//! TLS on the listener: certificate and key from files. Source: RFC 8446; TLS 1.2 is taken as well, older is not.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate and key that new connections get; they can be replaced while connections are open.
pub struct Acceptors(RwLock<TlsAcceptor>);

impl Acceptors {
    /// Begins with one certificate and key.
    #[must_use]
    pub fn new(first: TlsAcceptor) -> Self {
        Self(RwLock::new(first))
    }

    /// What the next connection gets.
    #[must_use]
    pub fn current(&self) -> TlsAcceptor {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Open connections keep what they have.
    pub fn replace(&self, next: TlsAcceptor) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

/// Why a certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there or not readable.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The file is not PEM, or PEM of something else.
    #[error("`{}` holds no {what} in PEM form", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: pem::Error,
    },
    /// The two do not belong together, or their kind is not supported.
    #[error("the key in `{}` does not fit the certificate in `{}`", key.display(), certificate.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What went wrong.
        #[source]
        source: rustls::Error,
    },
}

/// Reads both files. HTTP/2 is offered before HTTP/1.1.
///
/// # Errors
/// [`TlsError`] names the file and what it should hold.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| {
            if chain.is_empty() {
                Err(pem::Error::NoItemsFound)
            } else {
                Ok(chain)
            }
        })
        .map_err(|error| unusable(certificate, "certificate", error))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, "private key", error))?;
    let pair = |source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable(path: &Path, what: &'static str, error: pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => TlsError::Unreadable { path, source },
        source => TlsError::File { path, what, source },
    }
}
