//! When a certificate ends, for the metric that warns in time. Source: RFC 5280 §4.1.2.5.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The end of the first certificate in a PEM file, in seconds since the Unix epoch; `None` if it cannot be read, which
/// [`tls`](super::tls) reports.
#[must_use]
pub fn ends_at(path: &Path) -> Option<i64> {
    let leaf = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    let (_, certificate) = X509Certificate::from_der(&leaf).ok()?;
    Some(certificate.validity().not_after.timestamp())
}
