//! `quorate certificates generate`: certificates for a node or a proxy, self-signed or signed by
//! a small authority of one's own. File names are those of `authelia crypto certificate`.
//!
//! What a certificate contains is decided in [`authority`]; this file reads flags and writes files.

pub(super) mod authority;
pub(super) mod files;
pub(super) mod host;
pub(super) mod validity;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};

use self::authority::{Authority, Credentials, KeyType, Subject, Validity};
use self::files::{Overwrite, Pair};
use super::failure::{Failure, cannot_print};

const EXAMPLES: &str = "\
Examples:
  quorate certificates generate --host example.com --host '*.example.com' --dir certs
      a self-signed certificate: certs/public.crt and certs/private.pem
  quorate certificates generate --ca --host auth.example.com --host 192.0.2.7 --dir certs
      the same, signed by a new authority: browsers trust certs/ca.public.crt once
  quorate certificates generate --ca-cert certs/ca.public.crt --ca-key certs/ca.private.pem \\
      --host n2.example.com --dir n2
      one more certificate of that authority
  quorate certificates generate --host example.com --dir certs --duration 90d --key-type ed25519";

/// Make TLS certificates.
#[derive(Debug, Subcommand)]
pub(super) enum Certificates {
    /// Make a certificate and its private key.
    Generate(Generate),
}

/// Make a certificate and its private key.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Generate {
    /// DNS name or IP address that the certificate is for; repeat it or separate several with
    /// commas. `*.example.com` covers one level of names.
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',', value_parser = host::parse)]
    hosts: Vec<String>,
    /// Directory to write to; it is made if needed.
    #[arg(short, long = "dir", visible_alias = "directory", value_name = "DIR")]
    dir: PathBuf,
    /// Make an authority as well (ca.public.crt, ca.private.pem) and sign with it.
    #[arg(long)]
    ca: bool,
    /// Sign with this authority: its certificate.
    #[arg(long, value_name = "FILE", requires = "ca_key", conflicts_with = "ca")]
    ca_cert: Option<PathBuf>,
    /// Sign with this authority: its private key.
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    ca_key: Option<PathBuf>,
    /// How long it is valid: 1y, 90d, 12h.
    #[arg(long, default_value = "1y", value_parser = validity::parse)]
    duration: Duration,
    /// The same in days.
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// Kind of the private key.
    #[arg(long, value_enum, default_value = "ecdsa")]
    key_type: KeyType,
    /// Common name of the certificate [default: the first host]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

impl Certificates {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self::Generate(command) = self;
        command.run(crate::clock::system_time())
    }
}

impl Generate {
    fn run(self, now: SystemTime) -> Result<(), Failure> {
        self.check()?;
        let lasting = self.days.map_or(self.duration, |days| validity::DAY * days);
        let validity = Validity::starting(now, lasting);
        let mut pairs = Vec::new();
        let authority = self.authority(validity, &mut pairs)?;
        if !self.hosts.is_empty() {
            let made = self.certificate(authority.as_ref(), validity)?;
            pairs.push(Pair::new(&self.dir, files::CERTIFICATE, files::KEY, made));
        }
        files::write(&self.dir, &pairs, Overwrite::allowed_if(self.force))?;
        let told = explain(&self.dir, &pairs, validity);
        std::io::stdout()
            .write_all(told.as_bytes())
            .map_err(cannot_print)
    }

    /// What clap cannot say about the flags.
    fn check(&self) -> Result<(), Failure> {
        if self.key_type == KeyType::Rsa {
            return Err(authority::no_rsa("use --key-type ecdsa"));
        }
        if self.hosts.is_empty() && !self.ca {
            return Err(Failure::Usage(
                "name at least one --host (or make only a --ca)".into(),
            ));
        }
        Ok(())
    }

    /// The authority to sign with: a new one, whose files join `pairs`, a given one or none.
    fn authority(
        &self,
        validity: Validity,
        pairs: &mut Vec<Pair>,
    ) -> Result<Option<Authority>, Failure> {
        if let (Some(certificate), Some(key)) = (&self.ca_cert, &self.ca_key) {
            return files::authority(certificate, key).map(Some);
        }
        if !self.ca {
            return Ok(None);
        }
        let name = self.name.as_deref().unwrap_or("Quorate authority");
        let subject = Subject::named(name);
        let (authority, made) = Authority::create(&subject, self.key_type, &[], validity)
            .map_err(Failure::while_doing("cannot make the authority"))?;
        pairs.push(Pair::new(
            &self.dir,
            files::CA_CERTIFICATE,
            files::CA_KEY,
            made,
        ));
        Ok(Some(authority))
    }

    fn certificate(
        &self,
        authority: Option<&Authority>,
        validity: Validity,
    ) -> Result<Credentials, Failure> {
        // With `--ca` the name is the authority's.
        let name = self.name.as_deref().filter(|_| !self.ca);
        let name = name.map(Subject::named);
        let name = name.as_ref();
        let made = match authority {
            Some(authority) => authority.issue(name, &self.hosts, self.key_type, validity),
            None => authority::self_signed(name, &self.hosts, self.key_type, validity),
        };
        made.map_err(Failure::while_doing("cannot make the certificate"))
    }
}

/// Says what was written and how to use it.
fn explain(dir: &Path, pairs: &[Pair], validity: Validity) -> String {
    let until = httpdate::fmt_http_date(validity.not_after);
    let mut text = format!("Valid until {until}. Wrote:\n");
    for pair in pairs {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        text.push_str(&format!("  {certificate}\n  {key} (private: mode 0600)\n"));
    }
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let dir = dir.display();
    let wrote = |name: &str| pairs.iter().any(|pair| pair.certificate.ends_with(name));
    if wrote(files::CERTIFICATE) {
        text.push_str(&format!(
            "\nTo serve with it, in configuration.yml:\n  server:\n    tls:\n      certificate: \
             '{dir}/{}'\n      key: '{dir}/{}'\n",
            files::CERTIFICATE,
            files::KEY
        ));
    }
    if wrote(files::CA_CERTIFICATE) {
        let ca = files::CA_CERTIFICATE;
        text.push_str(&format!(
            "\nTo trust it: curl --cacert '{dir}/{ca}', or import that file into the browser.\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests;
