//! What a certificate contains and who signs it. Knows nothing of files and flags.
//!
//! Source: RFC 5280 §4.2 (extensions), CA/Browser Forum Baseline Requirements §7.1 (key usage).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{RootCertStore, crypto::ring};
use zeroize::Zeroizing;

/// How far back a certificate starts, for clients whose clocks are a little behind.
const BACKDATED_BY: Duration = Duration::from_secs(60 * 60);

/// The longest common name. Source: RFC 5280 appendix A, `ub-common-name`.
const COMMON_NAME_MAX: usize = 64;

/// The kind of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeyType {
    /// ECDSA on the curve P-256: every browser takes it.
    Ecdsa,
    /// Ed25519: fine between servers; most browsers refuse it.
    Ed25519,
    /// RSA: made with openssl, not here.
    Rsa,
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Validity {
    pub(in crate::cli) not_before: SystemTime,
    pub(in crate::cli) not_after: SystemTime,
}

impl Validity {
    pub(in crate::cli) fn starting(now: SystemTime, lasting: Duration) -> Self {
        Self {
            not_before: now - BACKDATED_BY,
            not_after: now + lasting,
        }
    }
}

/// A certificate and its private key, both in PEM.
pub(in crate::cli) struct Credentials {
    pub(in crate::cli) certificate_pem: String,
    pub(in crate::cli) key_pem: Zeroizing<String>,
}

/// Why no certificate was made.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum IssueError {
    #[error("cannot make keys of this type")]
    KeyType,
    #[error("cannot read the private key")]
    Key(#[source] rcgen::Error),
    #[error("cannot read the certificate")]
    Certificate(#[source] rcgen::Error),
    #[error("cannot sign")]
    Sign(#[source] rcgen::Error),
    #[error(
        "no client would accept the result (do key and certificate of the authority belong together?)"
    )]
    Unacceptable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Somebody whose signature clients trust.
pub(in crate::cli) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// Makes a self-signed authority. With `domains` it may only sign for these and what is below
    /// them; clients that import it then risk no more than that.
    pub(in crate::cli) fn create(
        name: &str,
        key_type: KeyType,
        domains: &[&str],
        validity: Validity,
    ) -> Result<(Self, Credentials), IssueError> {
        let key = new_key(key_type)?;
        let mut params = dated(CertificateParams::default(), validity);
        params.distinguished_name = common_name(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        if !domains.is_empty() {
            let subtree = |domain: &&str| GeneralSubtree::DnsName((*domain).to_owned());
            let permitted_subtrees = domains.iter().map(subtree).collect();
            let excluded_subtrees = Vec::new();
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees,
                excluded_subtrees,
            });
        }
        let certificate = params.self_signed(&key).map_err(IssueError::Sign)?;
        let credentials = credentials(&certificate, &key);
        let certificate = certificate.der().clone();
        Ok((
            Self {
                issuer: Issuer::new(params, key),
                certificate,
            },
            credentials,
        ))
    }

    /// Takes an existing authority. That key and certificate belong together shows only when
    /// something is issued.
    pub(in crate::cli) fn load(
        certificate_pem: &str,
        key_pem: &Zeroizing<String>,
    ) -> Result<Self, IssueError> {
        let key = KeyPair::from_pem(key_pem).map_err(IssueError::Key)?;
        let issuer =
            Issuer::from_ca_cert_pem(certificate_pem, key).map_err(IssueError::Certificate)?;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|_| IssueError::Certificate(rcgen::Error::CouldNotParseCertificate))?;
        Ok(Self {
            issuer,
            certificate,
        })
    }

    /// Signs a new key for `hosts`, of which there is at least one. The common name is `name`, or
    /// the first host.
    ///
    /// The result is checked as a client would check it, for every host, before it is returned.
    pub(in crate::cli) fn issue(
        &self,
        name: Option<&str>,
        hosts: &[String],
        key_type: KeyType,
        validity: Validity,
    ) -> Result<Credentials, IssueError> {
        let key = new_key(key_type)?;
        let mut params = leaf(name, hosts, validity)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(IssueError::Sign)?;
        accept(&self.certificate, certificate.der(), hosts, validity)?;
        Ok(credentials(&certificate, &key))
    }
}

/// Makes a certificate that vouches for itself; otherwise as [`Authority::issue`].
pub(in crate::cli) fn self_signed(
    name: Option<&str>,
    hosts: &[String],
    key_type: KeyType,
    validity: Validity,
) -> Result<Credentials, IssueError> {
    let key = new_key(key_type)?;
    let certificate = leaf(name, hosts, validity)?
        .self_signed(&key)
        .map_err(IssueError::Sign)?;
    accept(certificate.der(), certificate.der(), hosts, validity)?;
    Ok(credentials(&certificate, &key))
}

fn new_key(key_type: KeyType) -> Result<KeyPair, IssueError> {
    let algorithm = match key_type {
        KeyType::Ecdsa => &rcgen::PKCS_ECDSA_P256_SHA256,
        KeyType::Ed25519 => &rcgen::PKCS_ED25519,
        KeyType::Rsa => return Err(IssueError::KeyType),
    };
    KeyPair::generate_for(algorithm).map_err(IssueError::Key)
}

fn leaf(
    name: Option<&str>,
    hosts: &[String],
    validity: Validity,
) -> Result<CertificateParams, IssueError> {
    let params = CertificateParams::new(hosts).map_err(IssueError::Sign)?;
    let mut params = dated(params, validity);
    let first = hosts
        .first()
        .map(String::as_str)
        .filter(|host| host.len() <= COMMON_NAME_MAX);
    params.distinguished_name = common_name(name.or(first).unwrap_or("quorate"));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn dated(mut params: CertificateParams, validity: Validity) -> CertificateParams {
    params.not_before = validity.not_before.into();
    params.not_after = validity.not_after.into();
    params
}

fn common_name(name: &str) -> rcgen::DistinguishedName {
    let mut distinguished = rcgen::DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn credentials(certificate: &Certificate, key: &KeyPair) -> Credentials {
    Credentials {
        certificate_pem: certificate.pem(),
        key_pem: Zeroizing::new(key.serialize_pem()),
    }
}

/// Checks that a client that trusts `root` accepts `certificate` for every one of `hosts`.
fn accept(
    root: &CertificateDer<'static>,
    certificate: &CertificateDer<'static>,
    hosts: &[String],
    validity: Validity,
) -> Result<(), IssueError> {
    let unacceptable =
        |cause: Box<dyn std::error::Error + Send + Sync>| IssueError::Unacceptable(cause);
    let mut roots = RootCertStore::empty();
    roots
        .add(root.clone())
        .map_err(|cause| unacceptable(cause.into()))?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|cause| unacceptable(cause.into()))?;
    let start = (validity.not_before + BACKDATED_BY).duration_since(SystemTime::UNIX_EPOCH);
    let at = UnixTime::since_unix_epoch(start.map_err(|cause| unacceptable(cause.into()))?);
    for host in hosts {
        let example = host.replace('*', "any");
        let name = ServerName::try_from(example).map_err(|cause| unacceptable(cause.into()))?;
        verifier
            .verify_server_cert(certificate, &[], &name, &[], at)
            .map_err(|cause| unacceptable(cause.into()))?;
    }
    Ok(())
}
