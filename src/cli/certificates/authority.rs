//! What a certificate contains and who signs it. Knows nothing of files and flags.
//!
//! Source: RFC 5280 §4.2 (extensions), CA/Browser Forum Baseline Requirements §7.1 (key usage).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{RootCertStore, crypto::ring};
use zeroize::Zeroizing;

use crate::cli::failure::Failure;

/// How far back a certificate starts, for clients whose clocks are a little behind.
const BACKDATED_BY: Duration = Duration::from_secs(60 * 60);

/// The longest common name. Source: RFC 5280 appendix A, `ub-common-name`.
const COMMON_NAME_MAX: usize = 64;

/// The kind of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeyType {
    /// ECDSA on the curve P-256: every browser takes it.
    Ecdsa,
    /// ECDSA on the curve P-384: larger, and no safer in practice.
    EcdsaP384,
    /// Ed25519: fine between servers; most browsers refuse it.
    Ed25519,
    /// RSA: made with openssl, not here.
    Rsa,
}

/// What is said to whoever wants an RSA key.
pub(in crate::cli) fn no_rsa(instead: &str) -> Failure {
    Failure::Usage(format!(
        "RSA keys are not made here: the cryptographic library, ring, reads them and does not generate them; {instead}, \
         or make the key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out private.pem`"
    ))
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

/// Whom a certificate names.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Subject(DistinguishedName);

impl Subject {
    /// By a common name alone.
    pub(in crate::cli) fn named(name: &str) -> Self {
        let mut distinguished = DistinguishedName::new();
        distinguished.push(DnType::CommonName, name);
        Self(distinguished)
    }

    /// One part more.
    pub(in crate::cli) fn with(mut self, part: DnType, value: &str) -> Self {
        self.0.push(part, value);
        self
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
        subject: &Subject,
        key_type: KeyType,
        domains: &[&str],
        validity: Validity,
    ) -> Result<(Self, Credentials), IssueError> {
        let key = new_key(key_type)?;
        let mut params = dated(CertificateParams::default(), validity);
        params.distinguished_name = subject.0.clone();
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

    /// Signs a new key for `hosts`, of which there is at least one. Without a subject the first host is the common
    /// name.
    ///
    /// The result is checked as a client would check it, for every host, before it is returned.
    pub(in crate::cli) fn issue(
        &self,
        subject: Option<&Subject>,
        hosts: &[String],
        key_type: KeyType,
        validity: Validity,
    ) -> Result<Credentials, IssueError> {
        let key = new_key(key_type)?;
        let mut params = leaf(subject, hosts, validity)?;
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
    subject: Option<&Subject>,
    hosts: &[String],
    key_type: KeyType,
    validity: Validity,
) -> Result<Credentials, IssueError> {
    let key = new_key(key_type)?;
    let certificate = leaf(subject, hosts, validity)?
        .self_signed(&key)
        .map_err(IssueError::Sign)?;
    accept(certificate.der(), certificate.der(), hosts, validity)?;
    Ok(credentials(&certificate, &key))
}

/// Makes a key and asks for a certificate: the certificate is a request (PKCS #10) that somebody else signs.
pub(in crate::cli) fn request(
    subject: Option<&Subject>,
    hosts: &[String],
    key_type: KeyType,
    validity: Validity,
) -> Result<Credentials, IssueError> {
    let key = new_key(key_type)?;
    let request = leaf(subject, hosts, validity)?
        .serialize_request(&key)
        .map_err(IssueError::Sign)?;
    Ok(Credentials {
        certificate_pem: request.pem().map_err(IssueError::Sign)?,
        key_pem: private_pem(&key),
    })
}

/// A new private key (PKCS #8) and its public key (SPKI), both in PEM.
pub(in crate::cli) fn key_pair(
    key_type: KeyType,
) -> Result<(Zeroizing<String>, String), IssueError> {
    let key = new_key(key_type)?;
    Ok((private_pem(&key), key.public_key_pem()))
}

/// The private key in PKCS #8, as every program reads it. ring writes Ed25519 keys with the public key beside the private
/// one (RFC 5958), which OpenSSL does not read, so that one is written as RFC 8410 §7 has it.
fn private_pem(key: &KeyPair) -> Zeroizing<String> {
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let der = Zeroizing::new(key.serialize_der());
    let seed = der.get(PREFIX.len()..PREFIX.len() + 32);
    let Some(seed) = seed.filter(|_| key.is_compatible(&rcgen::PKCS_ED25519)) else {
        return Zeroizing::new(key.serialize_pem());
    };
    let bytes = Zeroizing::new([&PREFIX, seed].concat());
    // 48 bytes are 64 characters: one line.
    let text = Zeroizing::new(STANDARD.encode(&*bytes));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *text
    ))
}

fn new_key(key_type: KeyType) -> Result<KeyPair, IssueError> {
    let algorithm = match key_type {
        KeyType::Ecdsa => &rcgen::PKCS_ECDSA_P256_SHA256,
        KeyType::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        KeyType::Ed25519 => &rcgen::PKCS_ED25519,
        KeyType::Rsa => return Err(IssueError::KeyType),
    };
    KeyPair::generate_for(algorithm).map_err(IssueError::Key)
}

fn leaf(
    subject: Option<&Subject>,
    hosts: &[String],
    validity: Validity,
) -> Result<CertificateParams, IssueError> {
    let params = CertificateParams::new(hosts).map_err(IssueError::Sign)?;
    let mut params = dated(params, validity);
    let first = hosts
        .first()
        .map(String::as_str)
        .filter(|host| host.len() <= COMMON_NAME_MAX);
    params.distinguished_name = match subject {
        Some(subject) => subject.0.clone(),
        None => Subject::named(first.unwrap_or("quorate")).0,
    };
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

fn credentials(certificate: &Certificate, key: &KeyPair) -> Credentials {
    Credentials {
        certificate_pem: certificate.pem(),
        key_pem: private_pem(key),
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
