//! The cluster's certificate authority, made from its secret.
//!
//! HKDF-SHA256 turns the secret into the seed of an Ed25519 key, so every member holds the same authority without
//! copying files. Each node issues a leaf of its own at start and again every [`RENEW_AFTER`]. What a certificate
//! proves is that its holder knows the secret; its name is the member's name.
//!
//! A leaf is valid from [`LEAF_VALID`] ago until [`LEAF_VALID`] from now, so that members whose wall clocks are days
//! apart still understand each other.
//!
//! Source: RFC 5869 (HKDF), RFC 8410 §7 (Ed25519 in PKCS #8), RFC 8446 (TLS 1.3).

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hkdf::Hkdf;
use quorate_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::Secret;

/// How far a leaf is valid before and after its issue.
const LEAF_VALID: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often a running node issues itself a new leaf.
pub(crate) const RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);

const HKDF_INFO: &[u8] = b"quorate cluster authority v1";

/// Why a node has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The secret is too short to be one.
    #[error("the cluster secret has {0} bytes; it needs at least {min} (`cluster.secret`)", min = Secret::BYTES_MIN)]
    ShortSecret(usize),
    /// A certificate could not be made.
    #[error("a certificate of the cluster could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(String),
}

/// What a node proves itself with, and what it asks of others.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The name in this node's leaf.
    name: String,
    leaf: Arc<Leaf>,
    /// In milliseconds since the Unix epoch.
    leaf_issued_at: AtomicU64,
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
}

impl Authority {
    /// The authority of `secret`, with a leaf for the member `name`, issued at `now`.
    ///
    /// # Errors
    /// [`AuthorityError::ShortSecret`] for an unsuitable secret; the others never in practice.
    pub(crate) fn new(secret: &Secret, name: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let (issuer, root) = authority(secret)?;
        let leaf = Arc::new(Leaf(RwLock::new(issue(&issuer, name, now)?)));
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(tls_error)?;
        let roots = Arc::new(roots);
        Ok(Self {
            client: client_config(&roots, &leaf)?,
            server: server_config(&roots, &leaf)?,
            name: name.to_owned(),
            issuer,
            leaf,
            leaf_issued_at: AtomicU64::new(now.0),
        })
    }

    /// Replaces the leaf; connections made from now on use it.
    ///
    /// # Errors
    /// Never in practice; the old leaf stays.
    pub(crate) fn renew(&self, now: Timestamp) -> Result<(), AuthorityError> {
        let fresh = issue(&self.issuer, &self.name, now)?;
        *self.leaf.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.leaf_issued_at.store(now.0, Ordering::Relaxed);
        Ok(())
    }

    /// When the leaf of the moment ends.
    pub(crate) fn leaf_ends_at(&self) -> Timestamp {
        let valid_ms = u64::try_from(LEAF_VALID.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.leaf_issued_at.load(Ordering::Relaxed)).plus_ms(valid_ms)
    }
}

/// What a member of that name has in its certificate. The name is hashed, because not every host name is a DNS name.
pub(crate) fn tls_name(member: &str) -> String {
    let digest = Sha256::digest(member.to_ascii_lowercase().as_bytes());
    let label: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{label}.quorate.internal")
}

/// [`tls_name`] as rustls wants it.
pub(crate) fn server_name(member: &str) -> Result<ServerName<'static>, AuthorityError> {
    ServerName::try_from(tls_name(member))
        .map_err(|_| AuthorityError::Tls(format!("`{member}` is not a member's name")))
}

fn authority(
    secret: &Secret,
) -> Result<(Issuer<'static, KeyPair>, CertificateDer<'static>), AuthorityError> {
    if secret.bytes().len() < Secret::BYTES_MIN {
        return Err(AuthorityError::ShortSecret(secret.bytes().len()));
    }
    let mut seed = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret.bytes())
        .expand(HKDF_INFO, seed.as_mut())
        .map_err(|error| AuthorityError::Tls(error.to_string()))?;
    let key = signing_key(&seed)?;
    let mut params = CertificateParams::default();
    let fingerprint = Sha256::digest(key.public_key_raw());
    let short: String = fingerprint
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Quorate cluster {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = params.self_signed(&key)?.der().clone();
    Ok((Issuer::new(params, key), root))
}

/// The Ed25519 key of a seed. The bytes before it are the fixed head of RFC 8410 §7.
fn signing_key(seed: &[u8; 32]) -> Result<KeyPair, AuthorityError> {
    const HEAD: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let der = Zeroizing::new([HEAD.as_slice(), seed].concat());
    let der = PrivatePkcs8KeyDer::from(der.as_slice());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)?)
}

fn issue(
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    now: Timestamp,
) -> Result<Arc<CertifiedKey>, AuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut params = CertificateParams::new(vec![tls_name(name)])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_millis(now.0);
    params.not_before = epoch + now.saturating_sub(LEAF_VALID);
    params.not_after = epoch + (now + LEAF_VALID);
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = rustls::crypto::ring::sign::any_supported_type(&key).map_err(tls_error)?;
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        signer,
    )))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client_config(
    roots: &Arc<RootCertStore>,
    leaf: &Arc<Leaf>,
) -> Result<Arc<ClientConfig>, AuthorityError> {
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider()).build();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(tls_error)?
        .with_webpki_verifier(verifier.map_err(tls_error)?)
        .with_client_cert_resolver(Arc::clone(leaf) as Arc<dyn ResolvesClientCert>);
    Ok(Arc::new(config))
}

fn server_config(
    roots: &Arc<RootCertStore>,
    leaf: &Arc<Leaf>,
) -> Result<Arc<ServerConfig>, AuthorityError> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider()).build();
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(tls_error)?
        .with_client_cert_verifier(verifier.map_err(tls_error)?)
        .with_cert_resolver(Arc::clone(leaf) as Arc<dyn ResolvesServerCert>);
    Ok(Arc::new(config))
}

fn tls_error(error: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::Tls(error.to_string())
}

/// The leaf of the moment, the same for both directions.
#[derive(Debug)]
struct Leaf(RwLock<Arc<CertifiedKey>>);

impl Leaf {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Leaf {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Leaf {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What an operator has to know of a TLS failure.
pub(crate) fn tls_cause(error: &io::Error) -> String {
    let rustls_error = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match rustls_error {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. })) => {
            "another member answers at this address; check `cluster.members`".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::Expired
            | rustls::CertificateError::ExpiredContext { .. }
            | rustls::CertificateError::NotValidYet
            | rustls::CertificateError::NotValidYetContext { .. },
        )) => "its certificate is not valid now; the clocks of the two machines are days apart".to_owned(),
        Some(rustls::Error::InvalidCertificate(_)) => {
            "its certificate is of another secret; set the same `cluster.secret` on all members".to_owned()
        }
        Some(rustls::Error::AlertReceived(
            rustls::AlertDescription::UnknownCA
            | rustls::AlertDescription::BadCertificate
            | rustls::AlertDescription::DecryptError
            | rustls::AlertDescription::CertificateUnknown,
        )) => "it refuses our certificate, which is of another secret; set the same `cluster.secret` on all members".to_owned(),
        Some(other) => format!("no TLS of a cluster member: {other}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn the_same_secret_makes_the_same_authority_and_another_secret_another() {
        let key = |text| {
            authority(&secret(text))
                .unwrap()
                .0
                .key()
                .public_key_raw()
                .to_vec()
        };
        assert_eq!(
            key("one secret of many bytes"),
            key("one secret of many bytes")
        );
        assert_ne!(
            key("one secret of many bytes"),
            key("another secret of many bytes")
        );
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(matches!(
            Authority::new(&secret("short"), "n1", Timestamp(0)),
            Err(AuthorityError::ShortSecret(5))
        ));
    }
}
