//! A certificate authority that lives as long as one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ClientConfig;
use rustls::RootCertStore;

/// Signs certificates and writes them as PEM files into its folder.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The two PEM files of one certificate.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// Makes a new authority and writes its certificate to `ca.pem` in `folder`, which must exist.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Quorate test authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
            .expect("a certificate");
        let authority = Self {
            folder: folder.to_owned(),
            issuer,
        };
        fs::write(authority.certificate(), authority.issuer.pem()).expect("write ca.pem");
        authority
    }

    /// The path of the certificate of the authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Signs a certificate for `names` (host names or addresses) and writes it beside `ca.pem` as `label.pem` and
    /// `label.key`.
    pub(crate) fn sign(&self, label: &str, names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names of a certificate");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, label);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let pair = Pair {
            certificate: self.folder.join(format!("{label}.pem")),
            key: self.folder.join(format!("{label}.key")),
        };
        fs::write(&pair.certificate, certificate.pem()).expect("write a certificate");
        fs::write(&pair.key, key.serialize_pem()).expect("write a key");
        // Quorate may refuse a key that others can read.
        let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&pair.key, only_owner).expect("permissions of a key");
        pair
    }

    /// A TLS client that trusts this authority and nobody else.
    pub(crate) fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.issuer.der().clone())
            .expect("our own certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions of ring")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}
