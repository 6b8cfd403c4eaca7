//! `quorate crypto pair …`: a private key and its public key, with Authelia's names, flags and files.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::certificates::authority::{KeyType, key_pair, no_rsa};
use crate::cli::certificates::files::{self, Content, Overwrite};
use crate::cli::failure::{Failure, cannot_print};

const ECDSA_EXAMPLES: &str = "\
Examples:
  quorate crypto pair ecdsa generate                        private.pem and public.pem in this directory
  quorate crypto pair ecdsa generate --curve P384 --directory keys";

const ED25519_EXAMPLES: &str = "\
Example:
  quorate crypto pair ed25519 generate --directory keys --file.private-key signing.pem";

/// Make pairs of keys.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Pair {
    /// RSA keys: openssl makes them, Quorate does not.
    #[command(subcommand)]
    Rsa(Rsa),
    /// Make an ECDSA key pair.
    #[command(subcommand)]
    Ecdsa(Ecdsa),
    /// Make an Ed25519 key pair.
    #[command(subcommand)]
    Ed25519(Ed25519),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Rsa {
    /// Say how to make an RSA key pair.
    Generate(AnyFlags),
}

/// Flags that are not looked at.
#[derive(Debug, Args)]
pub(in crate::cli) struct AnyFlags {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _flags: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ecdsa {
    /// Make a private key and its public key.
    #[command(after_help = ECDSA_EXAMPLES)]
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
        keys: Keys,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ed25519 {
    /// Make a private key and its public key.
    #[command(after_help = ED25519_EXAMPLES)]
    Generate(Keys),
}

/// The curves that ring knows.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Curve {
    #[value(name = "P256")]
    P256,
    #[value(name = "P384")]
    P384,
}

impl Curve {
    pub(super) fn key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::Ecdsa,
            Self::P384 => KeyType::EcdsaP384,
        }
    }
}

/// Where keys go.
#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    /// Directory to write to; it is made if needed.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Name of the private key's file (PKCS #8, mode 0600).
    #[arg(long = "file.private-key", value_name = "NAME", default_value = files::KEY)]
    private_key: String,
    /// Name of the public key's file.
    #[arg(
        long = "file.public-key",
        value_name = "NAME",
        default_value = "public.pem"
    )]
    public_key: String,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

impl Pair {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Rsa(Rsa::Generate(_)) => Err(no_rsa("use `quorate crypto pair ecdsa generate`")),
            Self::Ecdsa(Ecdsa::Generate { curve, keys }) => keys.make(curve.key_type()),
            Self::Ed25519(Ed25519::Generate(keys)) => keys.make(KeyType::Ed25519),
        }
    }
}

impl Keys {
    fn make(&self, key_type: KeyType) -> Result<(), Failure> {
        let (private, public) =
            key_pair(key_type).map_err(Failure::while_doing("cannot make the key"))?;
        let contents = [
            Content {
                file: self.directory.join(&self.private_key),
                text: &private,
                is_private: true,
            },
            Content {
                file: self.directory.join(&self.public_key),
                text: &public,
                is_private: false,
            },
        ];
        files::write_all(
            &self.directory,
            &contents,
            Overwrite::allowed_if(self.force),
        )?;
        let [private, public] = contents;
        writeln!(
            std::io::stdout(),
            "Private Key: {}\nPublic Key: {}",
            private.file.display(),
            public.file.display()
        )
        .map_err(cannot_print)
    }
}
