//! `quorate storage user totp {generate,delete,export}`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::super::failure::Failure;
use super::super::node::NodeArgs;
use super::qr;
use crate::admin::answer::{TotpDevice, TotpOrder, UserFilter};

const GENERATE_EXAMPLES: &str = "\
Examples:
  quorate storage user totp generate john                       prints the URI and a QR code
  quorate storage user totp generate john --path john.png       and writes the QR code
  quorate storage user totp generate john --force --digits 8    replaces john's device";

const EXPORT_EXAMPLES: &str = "\
Examples:
  quorate storage user totp export csv --file totp.csv
  quorate storage user totp export uri
  quorate storage user totp export png --directory codes
Whoever has what is exported can make everybody's one-time passwords. Files are written for their owner alone.";

/// Set up, remove and export one-time password devices.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Totp {
    /// Set up a device for a user and print its secret.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(Generate),
    /// Take a user's device away.
    Delete(Delete),
    /// Export devices with their secrets.
    #[command(subcommand, after_help = EXPORT_EXAMPLES)]
    Export(Export),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Generate {
    /// The user's name, as in the users file.
    user: String,
    /// The secret in base 32 [default: random]
    #[arg(long, value_name = "BASE32")]
    secret: Option<String>,
    /// Bytes of a random secret, 20 to 128 [default: as configured]
    #[arg(long, value_name = "BYTES", conflicts_with = "secret")]
    secret_size: Option<usize>,
    /// Hash function: SHA1, SHA256 or SHA512 [default: as configured]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,
    /// Digits of a password: 6 or 8 [default: as configured]
    #[arg(long, value_name = "NUMBER")]
    digits: Option<u8>,
    /// How long a password is valid [default: as configured]
    #[arg(long, value_name = "SECONDS")]
    period: Option<u32>,
    /// Whom the authenticator app names [default: as configured]
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// Replace the device that the user has already.
    #[arg(short, long)]
    force: bool,
    /// Write the QR code to this PNG file as well.
    #[arg(short, long, value_name = "FILE")]
    path: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Delete {
    /// The user's name.
    user: String,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Export {
    /// As comma-separated values: issuer, user name, algorithm, digits, period, secret.
    Csv(ExportFile),
    /// As URIs, one a line.
    Uri(ExportFile),
    /// As QR codes, one PNG file for each user.
    Png(ExportDirectory),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportFile {
    /// Write to this file, which must not be there yet [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only the device of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportDirectory {
    /// Write to this directory.
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// Only the device of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    node: NodeArgs,
}

impl Totp {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Generate(command) => command.run(),
            Self::Delete(Delete { user, node }) => {
                let filter = UserFilter { user: Some(user) };
                node.ask::<()>("/v1/totp/delete", &filter)?;
                node.print(&(), |()| "The device is removed.\n".to_owned())
            }
            Self::Export(Export::Csv(command)) => command.run(csv),
            Self::Export(Export::Uri(command)) => command.run(uris),
            Self::Export(Export::Png(command)) => command.run(),
        }
    }
}

impl Generate {
    fn run(self) -> Result<(), Failure> {
        let order = TotpOrder {
            user: self.user,
            secret: self.secret,
            secret_bytes: self.secret_size,
            algorithm: self.algorithm,
            digits: self.digits,
            period_s: self.period,
            issuer: self.issuer,
            force: self.force,
        };
        let device: TotpDevice = self.node.ask("/v1/totp/generate", &order)?;
        if let Some(path) = &self.path {
            write_private(path, &png(&device)?)?;
        }
        let code = qr::for_terminal(&device.uri)?;
        self.node.print(&device, |device| {
            format!(
                "{code}\nThe device of `{}` is set up. It is scanned once, then nobody needs to see this again.\n\n  \
                 secret  {}\n  uri     {}\n",
                device.user, device.secret, device.uri
            )
        })
    }
}

impl ExportFile {
    fn run(self, form: fn(&[TotpDevice]) -> String) -> Result<(), Failure> {
        let devices = devices(&self.node, self.user)?;
        match &self.file {
            Some(file) => write_private(file, form(&devices).as_bytes()),
            None => self.node.print(&devices, |devices| form(devices)),
        }
    }
}

impl ExportDirectory {
    fn run(self) -> Result<(), Failure> {
        let devices = devices(&self.node, self.user)?;
        fs::create_dir_all(&self.directory).map_err(Failure::while_doing(format!(
            "cannot make {}",
            self.directory.display()
        )))?;
        for device in &devices {
            write_private(&self.directory.join(file_name(&device.user)), &png(device)?)?;
        }
        self.node.print(&devices.len(), |count| {
            format!(
                "{count} QR codes written to {}.\n",
                self.directory.display()
            )
        })
    }
}

fn devices(node: &NodeArgs, user: Option<String>) -> Result<Vec<TotpDevice>, Failure> {
    node.ask("/v1/totp/export", &UserFilter { user })
}

fn png(device: &TotpDevice) -> Result<Vec<u8>, Failure> {
    let mut picture = Vec::new();
    qr::write_png(&device.uri, &mut picture)?;
    Ok(picture)
}

/// A user's name may hold what a file's name may not.
fn file_name(user: &str) -> String {
    let keep = |c: char| {
        if c.is_alphanumeric() || "-_.@".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = user.chars().map(keep).collect();
    format!("{}.png", name.trim_start_matches('.'))
}

/// A file that is there already is not touched: it may be somebody else's to read.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = || Failure::while_doing(format!("cannot write {}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed())?;
    file.write_all(bytes).map_err(failed())
}

fn csv(devices: &[TotpDevice]) -> String {
    let mut text = "issuer,username,algorithm,digits,period,secret\n".to_owned();
    for device in devices {
        let (digits, period) = (device.digits.to_string(), device.period_s.to_string());
        let fields = [
            device.issuer.as_str(),
            &device.user,
            &device.algorithm,
            &digits,
            &period,
            &device.secret,
        ];
        text.push_str(&fields.map(field).join(","));
        text.push('\n');
    }
    text
}

/// Quoted where it has to be. Source: RFC 4180 §2.
fn field(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", value.replace('"', "\"\""));
    }
    value.to_owned()
}

fn uris(devices: &[TotpDevice]) -> String {
    devices
        .iter()
        .map(|device| format!("{}\n", device.uri))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_slashes_break_neither_table_nor_path() {
        let device = TotpDevice {
            user: "a,\"b\"".to_owned(),
            issuer: "Authelia".to_owned(),
            algorithm: "SHA1".to_owned(),
            digits: 6,
            period_s: 30,
            secret: "ABC".to_owned(),
            uri: "otpauth://totp/x".to_owned(),
        };
        let table = csv(&[device]);
        let line = table.lines().nth(1);
        assert_eq!(line, Some("Authelia,\"a,\"\"b\"\"\",SHA1,6,30,ABC"));
        assert_eq!(file_name("../etc/passwd"), "_etc_passwd.png");
        assert_eq!(file_name("zoë@example.com"), "zoë@example.com.png");
    }
}
