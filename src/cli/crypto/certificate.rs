//! `quorate crypto certificate …`: certificates and requests for them, with Authelia's names, flags and files. What
//! they contain is decided where `quorate certificates generate` has it decided.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use rcgen::DnType;

use super::pair::{AnyFlags, Curve};
use crate::cli::certificates::authority::{
    Authority, Credentials, KeyType, Subject, Validity, no_rsa, request, self_signed,
};
use crate::cli::certificates::files::{self, Content, Overwrite};
use crate::cli::certificates::{host, validity};
use crate::cli::failure::{Failure, cannot_print};

const GENERATE_EXAMPLES: &str = "\
Examples:
  quorate crypto certificate ecdsa generate --common-name example.com --sans '*.example.com' --directory certs
      self-signed: certs/public.crt and certs/private.pem
  quorate crypto certificate ecdsa generate --common-name 'My authority' --ca --directory ca
      an authority: ca/ca.public.crt and ca/ca.private.pem
  quorate crypto certificate ecdsa generate --common-name n1.internal --path.ca ca --directory n1
      signed by it";

const REQUEST_EXAMPLES: &str = "\
Example:
  quorate crypto certificate ecdsa request --common-name example.com --directory certs
      certs/request.csr, for an authority to sign, and certs/private.pem";

/// Make certificates and requests for them.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Certificate {
    /// With RSA keys: openssl makes them, Quorate does not.
    #[command(subcommand)]
    Rsa(Rsa),
    /// With ECDSA keys.
    #[command(subcommand)]
    Ecdsa(Ecdsa),
    /// With Ed25519 keys; most browsers refuse them.
    #[command(subcommand)]
    Ed25519(Ed25519),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Rsa {
    /// Say how to make an RSA key.
    Generate(AnyFlags),
    /// Say how to make an RSA key.
    Request(AnyFlags),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ecdsa {
    /// Make a private key and a certificate.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate {
        /// The curve.
        #[arg(
            short = 'b',
            long,
            value_enum,
            ignore_case = true,
            default_value = "P256"
        )]
        curve: Curve,
        #[command(flatten)]
        generate: NewCertificate,
    },
    /// Make a private key and a request for a certificate.
    #[command(after_help = REQUEST_EXAMPLES)]
    Request {
        /// The curve.
        #[arg(
            short = 'b',
            long,
            value_enum,
            ignore_case = true,
            default_value = "P256"
        )]
        curve: Curve,
        #[command(flatten)]
        request: NewRequest,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ed25519 {
    /// Make a private key and a certificate.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(NewCertificate),
    /// Make a private key and a request for a certificate.
    #[command(after_help = REQUEST_EXAMPLES)]
    Request(NewRequest),
}

/// Whom a certificate is for, and where its private key goes.
#[derive(Debug, Args)]
struct About {
    /// Common name; also the only name it is for, if `--sans` names none.
    #[arg(short = 'n', long, value_name = "NAME")]
    common_name: Option<String>,
    /// DNS name or IP address that it is for; repeat it or separate several with commas.
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = host::parse)]
    sans: Vec<String>,
    #[arg(short, long)]
    organization: Option<String>,
    #[arg(long)]
    organizational_unit: Option<String>,
    #[arg(long)]
    country: Option<String>,
    #[arg(long)]
    province: Option<String>,
    #[arg(short, long)]
    locality: Option<String>,
    #[arg(short, long)]
    street_address: Option<String>,
    #[arg(short, long)]
    postcode: Option<String>,
    /// Directory to write to; it is made if needed.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Name of the private key's file (PKCS #8, mode 0600) [default: private.pem, with --ca: ca.private.pem]
    #[arg(long = "file.private-key", value_name = "NAME")]
    private_key: Option<String>,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewCertificate {
    #[command(flatten)]
    about: About,
    /// How long it is valid: 1y, 90d, 12h.
    #[arg(long, default_value = "1y", value_parser = validity::parse)]
    duration: Duration,
    /// Make an authority, which signs other certificates.
    #[arg(long, conflicts_with = "path_ca")]
    ca: bool,
    /// Sign with the authority in this directory.
    #[arg(long = "path.ca", id = "path_ca", value_name = "DIR")]
    path_ca: Option<PathBuf>,
    /// Name of the authority's certificate in that directory.
    #[arg(long = "file.ca-certificate", value_name = "NAME", default_value = files::CA_CERTIFICATE)]
    ca_certificate: String,
    /// Name of the authority's private key in that directory.
    #[arg(long = "file.ca-private-key", value_name = "NAME", default_value = files::CA_KEY)]
    ca_private_key: String,
    /// Name of the certificate's file [default: public.crt, with --ca: ca.public.crt]
    #[arg(long = "file.certificate", value_name = "NAME")]
    certificate: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewRequest {
    #[command(flatten)]
    about: About,
    /// Name of the request's file.
    #[arg(long = "file.csr", value_name = "NAME", default_value = "request.csr")]
    csr: String,
}

impl Certificate {
    pub(super) fn run(self) -> Result<(), Failure> {
        let now = crate::clock::system_time();
        match self {
            Self::Rsa(Rsa::Generate(_) | Rsa::Request(_)) => {
                Err(no_rsa("use `quorate crypto certificate ecdsa`"))
            }
            Self::Ecdsa(Ecdsa::Generate { curve, generate }) => generate.run(curve.key_type(), now),
            Self::Ecdsa(Ecdsa::Request { curve, request }) => request.run(curve.key_type(), now),
            Self::Ed25519(Ed25519::Generate(generate)) => generate.run(KeyType::Ed25519, now),
            Self::Ed25519(Ed25519::Request(request)) => request.run(KeyType::Ed25519, now),
        }
    }
}

impl NewCertificate {
    fn run(&self, key_type: KeyType, now: SystemTime) -> Result<(), Failure> {
        let validity = Validity::starting(now, self.duration);
        let cannot = || Failure::while_doing("cannot make the certificate");
        if self.ca {
            let subject = self
                .about
                .subject()
                .unwrap_or_else(|| Subject::named("Quorate authority"));
            let made = Authority::create(&subject, key_type, &[], validity);
            let (_, made) = made.map_err(|cause| cannot()(cause))?;
            return self.write(&made, files::CA_CERTIFICATE, files::CA_KEY);
        }
        let (subject, hosts) = (self.about.subject(), self.about.hosts()?);
        let made = match &self.path_ca {
            Some(directory) => {
                let certificate = directory.join(&self.ca_certificate);
                let key = directory.join(&self.ca_private_key);
                files::authority(&certificate, &key)?.issue(
                    subject.as_ref(),
                    &hosts,
                    key_type,
                    validity,
                )
            }
            None => self_signed(subject.as_ref(), &hosts, key_type, validity),
        };
        let made = made.map_err(|cause| cannot()(cause))?;
        self.write(&made, files::CERTIFICATE, files::KEY)
    }

    fn write(&self, made: &Credentials, certificate: &str, key: &str) -> Result<(), Failure> {
        let certificate = self.certificate.as_deref().unwrap_or(certificate);
        self.about.write(made, "Certificate", certificate, key)
    }
}

impl NewRequest {
    fn run(&self, key_type: KeyType, now: SystemTime) -> Result<(), Failure> {
        // A request says nothing about time; whoever signs it does.
        let validity = Validity::starting(now, validity::DAY);
        let (subject, hosts) = (self.about.subject(), self.about.hosts()?);
        let made = request(subject.as_ref(), &hosts, key_type, validity)
            .map_err(Failure::while_doing("cannot make the request"))?;
        self.about
            .write(&made, "Certificate Request", &self.csr, files::KEY)
    }
}

impl About {
    /// What is said about whom the certificate names, if anything is.
    fn subject(&self) -> Option<Subject> {
        let parts = [
            (DnType::OrganizationName, &self.organization),
            (DnType::OrganizationalUnitName, &self.organizational_unit),
            (DnType::CountryName, &self.country),
            (DnType::StateOrProvinceName, &self.province),
            (DnType::LocalityName, &self.locality),
            // Source: X.520, streetAddress and postalCode.
            (DnType::CustomDnType(vec![2, 5, 4, 9]), &self.street_address),
            (DnType::CustomDnType(vec![2, 5, 4, 17]), &self.postcode),
        ];
        let name = self.common_name.as_ref().or(self.sans.first())?;
        let parts = parts
            .into_iter()
            .filter_map(|(part, value)| Some((part, value.as_deref()?)));
        Some(parts.fold(Subject::named(name), |subject, (part, value)| {
            subject.with(part, value)
        }))
    }

    /// The names of `--sans`, or the common name if it is one. Clients look at nothing else.
    fn hosts(&self) -> Result<Vec<String>, Failure> {
        if !self.sans.is_empty() {
            return Ok(self.sans.clone());
        }
        let name = self.common_name.as_deref().unwrap_or_default();
        match host::parse(name) {
            Ok(host) => Ok(vec![host]),
            Err(_) => Err(Failure::Usage(
                "name at least one host with --sans, or with --common-name".to_owned(),
            )),
        }
    }

    fn write(
        &self,
        made: &Credentials,
        what: &str,
        certificate: &str,
        key: &str,
    ) -> Result<(), Failure> {
        let key = self.private_key.as_deref().unwrap_or(key);
        let contents = [
            Content {
                file: self.directory.join(key),
                text: &made.key_pem,
                is_private: true,
            },
            Content {
                file: self.directory.join(certificate),
                text: &made.certificate_pem,
                is_private: false,
            },
        ];
        files::write_all(
            &self.directory,
            &contents,
            Overwrite::allowed_if(self.force),
        )?;
        let [key, certificate] = contents;
        writeln!(
            std::io::stdout(),
            "Private Key: {}\n{what}: {}",
            key.file.display(),
            certificate.file.display()
        )
        .map_err(cannot_print)
    }
}
