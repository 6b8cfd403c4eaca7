//! TLS on the listener: certificate and key from files. Source: RFC 8446; TLS 1.2 is taken as well, older is not.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

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
    /// A certificate that is no authority's.
    #[error("`{}` holds a certificate that no authority can have", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
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

/// Reads the files. HTTP/2 is offered before HTTP/1.1. With authorities for clients, a client without a certificate of
/// theirs gets no connection.
///
/// # Errors
/// [`TlsError`] names the file and what it should hold.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let (certificate, key) = (&files.certificate, &files.key);
    let chain = certificates(certificate)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, "private key", error))?;
    let pair = |source| TlsError::Pair {
        certificate: certificate.clone(),
        key: key.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match clients(&files.client_authorities, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, private).map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// All certificates of a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| {
            if chain.is_empty() {
                Err(pem::Error::NoItemsFound)
            } else {
                Ok(chain)
            }
        })
        .map_err(|error| unusable(path, "certificate", error))
}

/// Who may connect, if not everybody.
fn clients(
    files: &[PathBuf],
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let Some(first) = files.first() else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for path in files {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|_| TlsError::Authority { path: path.clone() })?;
        }
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map(Some)
        .map_err(|_| TlsError::Authority {
            path: first.clone(),
        })
}

fn unusable(path: &Path, what: &'static str, error: pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => TlsError::Unreadable { path, source },
        source => TlsError::File { path, what, source },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test without its value has failed")]

    use std::fs;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::ClientConfig;
    use rustls::pki_types::ServerName;
    use tokio_rustls::TlsConnector;

    use super::*;

    /// An authority in `folder`, and a certificate with its key that the authority signed.
    fn signed(folder: &Path) -> (PathBuf, CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let authority = params_of_authority()
            .self_signed(&key)
            .expect("an authority");
        let file = folder.join("ca.crt");
        fs::write(&file, authority.pem()).expect("written");
        let own = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(["n1.internal".to_owned()])
            .and_then(|params| params.signed_by(&own, &Issuer::new(params_of_authority(), key)))
            .expect("a certificate");
        (file, certificate.der().clone(), own)
    }

    fn params_of_authority() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// Whether a server with `files` gives a connection to a client that shows `shown`.
    async fn is_let_in(
        files: &TlsFiles,
        root: &CertificateDer<'static>,
        shown: Option<(&CertificateDer<'static>, &KeyPair)>,
    ) -> bool {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).expect("a root");
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
                let chain = vec![certificate.clone()];
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        let (near, far) = tokio::io::duplex(1 << 16);
        let acceptor = acceptor(files).expect("an acceptor");
        let server = tokio::spawn(async move { acceptor.accept(far).await.is_ok() });
        let name = ServerName::try_from("n1.internal").expect("a name");
        // In TLS 1.3 the client is done before the server has looked at its certificate.
        let client = TlsConnector::from(Arc::new(config))
            .connect(name, near)
            .await;
        let is_accepted = server.await.expect("the server's side ends");
        client.is_ok() && is_accepted
    }

    #[tokio::test]
    async fn only_clients_with_a_certificate_of_an_authority_are_let_in_if_there_are_any() {
        let folder = tempfile::tempdir().expect("a directory");
        let (authority, certificate, key) = signed(folder.path());
        let (public, private) = (folder.path().join("p.crt"), folder.path().join("p.key"));
        let own = rcgen::generate_simple_self_signed(["n1.internal".to_owned()]).expect("made");
        fs::write(&public, own.cert.pem()).expect("written");
        fs::write(&private, own.signing_key.serialize_pem()).expect("written");
        let mut files = TlsFiles {
            certificate: public,
            key: private,
            client_authorities: vec![authority],
        };
        let root = own.cert.der();
        let theirs = Some((&certificate, &key));
        let foreign = Some((root, &own.signing_key));
        assert!(is_let_in(&files, root, theirs).await);
        assert!(!is_let_in(&files, root, None).await);
        assert!(!is_let_in(&files, root, foreign).await);
        files.client_authorities.clear();
        assert!(is_let_in(&files, root, None).await);
    }
}
