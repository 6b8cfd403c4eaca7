//! `quorate crypto hash …`: argon2 digests for `users_database.yml`, in PHC string form.
//!
//! Defaults are Authelia's, which are those of RFC 9106 §4 (second recommended option).

use std::io::Write;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::prompt::{Confirmation, read_password};
use super::rand::{Charset, alphabet, fill_random, random_string};
use crate::cli::failure::{Failure, cannot_print};

const GENERATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash generate argon2                        asks for the password
  quorate crypto hash generate argon2 --random               makes one up and prints it
  printf '%s' \"$PASSWORD\" | quorate crypto hash generate argon2
  quorate crypto hash generate argon2 --profile low-memory";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash validate '$argon2id$v=19$m=65536,t=3,p=4$…'
  printf '%s' \"$PASSWORD\" | quorate crypto hash validate '$argon2id$…'

Exit code 0 if the password matches, 1 if it does not.";

/// Make and check password digests.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Hash {
    /// Make a digest.
    #[command(subcommand)]
    Generate(Generate),
    /// Check a password against a digest.
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate {
        /// The digest.
        digest: String,
        /// The password; without it, it is asked for.
        #[arg(long)]
        password: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Generate {
    /// Make an argon2 digest.
    Argon2(Argon2Digest),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Variant {
    Argon2id,
    Argon2i,
    Argon2d,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// RFC 9106, second recommended option: 64 MiB, three passes.
    LowMemory,
    /// RFC 9106, first recommended option: 2 GiB, one pass.
    Recommended,
}

/// Make an argon2 digest.
#[derive(Debug, Args)]
#[command(after_help = GENERATE_EXAMPLES)]
pub(in crate::cli) struct Argon2Digest {
    /// The password; without it, it is asked for (or read from standard input).
    #[arg(long)]
    password: Option<String>,
    /// Ask only once.
    #[arg(long)]
    no_confirm: bool,
    /// Make up a random password and print it.
    #[arg(long, conflicts_with = "password")]
    random: bool,
    /// How many characters the random password has.
    #[arg(long = "random.length", value_name = "N", default_value_t = 72)]
    random_length: usize,
    /// Which characters the random password has.
    #[arg(long = "random.charset", value_enum, default_value = "alphanumeric")]
    random_charset: Charset,
    /// Exactly these characters instead of a named set.
    #[arg(long = "random.characters", value_name = "CHARACTERS")]
    random_characters: Option<String>,
    /// Which kind of Argon2; argon2id unless something else must read the digest.
    #[arg(short, long, value_enum, default_value = "argon2id")]
    variant: Variant,
    /// Number of passes.
    #[arg(short, long, default_value_t = 3)]
    iterations: u32,
    /// Memory in KiB.
    #[arg(short, long, default_value_t = 65_536)]
    memory: u32,
    /// Number of lanes.
    #[arg(short, long, default_value_t = 4)]
    parallelism: u32,
    /// Length of the key in bytes.
    #[arg(short, long, default_value_t = 32)]
    key_size: usize,
    /// Length of the salt in bytes.
    #[arg(short, long, default_value_t = 16)]
    salt_size: usize,
    /// Take iterations, memory and parallelism from RFC 9106 instead.
    #[arg(long, value_enum, conflicts_with_all = ["iterations", "memory", "parallelism"])]
    profile: Option<Profile>,
}

impl Hash {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Generate(Generate::Argon2(command)) => command.run(),
            Self::Validate { digest, password } => validate(&digest, password),
        }
    }
}

impl Argon2Digest {
    fn run(mut self) -> Result<(), Failure> {
        let hasher = self.hasher()?;
        let password = self.choose_password()?;
        let mut salt = vec![0_u8; self.salt_size];
        fill_random(&mut salt)?;
        let digest = digest(&hasher, password.as_bytes(), &salt)?;
        if self.random {
            writeln!(std::io::stdout(), "Random Password: {}", *password).map_err(cannot_print)?;
        }
        writeln!(std::io::stdout(), "Digest: {digest}").map_err(cannot_print)
    }

    fn choose_password(&mut self) -> Result<Zeroizing<String>, Failure> {
        if self.random {
            let alphabet = alphabet(self.random_charset, self.random_characters.as_deref())?;
            return random_string(self.random_length, &alphabet).map(Zeroizing::new);
        }
        let confirmation = if self.no_confirm {
            Confirmation::Skipped
        } else {
            Confirmation::Asked
        };
        given_or_asked(self.password.take(), confirmation)
    }

    fn hasher(&self) -> Result<Argon2<'static>, Failure> {
        // The salt must fit into a PHC string: 8 to 48 bytes (RFC 9106 §3.1 and the PHC format).
        if !(8..=48).contains(&self.salt_size) {
            let given = self.salt_size;
            return Err(Failure::Usage(format!(
                "the salt size {given} must be 8 to 48 bytes"
            )));
        }
        let (memory, iterations, parallelism) = match self.profile {
            None => (self.memory, self.iterations, self.parallelism),
            Some(Profile::LowMemory) => (65_536, 3, 4),
            Some(Profile::Recommended) => (2_097_152, 1, 4),
        };
        let parameters = Params::new(memory, iterations, parallelism, Some(self.key_size))
            .map_err(|cause| Failure::Usage(format!("argon2 refuses these settings: {cause}")))?;
        let algorithm = match self.variant {
            Variant::Argon2id => Algorithm::Argon2id,
            Variant::Argon2i => Algorithm::Argon2i,
            Variant::Argon2d => Algorithm::Argon2d,
        };
        Ok(Argon2::new(algorithm, Version::V0x13, parameters))
    }
}

/// The PHC string of `password`.
pub(in crate::cli) fn digest(
    hasher: &Argon2,
    password: &[u8],
    salt: &[u8],
) -> Result<String, Failure> {
    let salt = SaltString::encode_b64(salt).map_err(cannot_hash)?;
    let hash = hasher
        .hash_password(password, salt.as_salt())
        .map_err(cannot_hash)?;
    Ok(hash.to_string())
}

fn cannot_hash(cause: argon2::password_hash::Error) -> Failure {
    Failure::because(format!("cannot hash the password: {cause}"))
}

fn validate(digest: &str, password: Option<String>) -> Result<(), Failure> {
    let digest = parse(digest)?;
    let password = given_or_asked(password, Confirmation::Skipped)?;
    if verify(&digest, &password)? {
        return writeln!(std::io::stdout(), "The password matches the digest.")
            .map_err(cannot_print);
    }
    Err(Failure::because("the password does not match the digest"))
}

/// Reads an argon2 digest in PHC string form.
fn parse(digest: &str) -> Result<PasswordHash<'_>, Failure> {
    // Authelia's files may carry this prefix before a digest.
    let digest = digest.strip_prefix("{CRYPT}").unwrap_or(digest);
    let parsed = PasswordHash::new(digest)
        .map_err(|cause| Failure::Usage(format!("`{digest}` is not a PHC digest: {cause}")))?;
    if parsed.algorithm.as_str().starts_with("argon2") {
        return Ok(parsed);
    }
    let name = parsed.algorithm.as_str();
    Err(Failure::Usage(format!(
        "this command reads argon2 digests, not `{name}`"
    )))
}

fn verify(digest: &PasswordHash<'_>, password: &str) -> Result<bool, Failure> {
    match Argon2::default().verify_password(password.as_bytes(), digest) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(cause) => Err(cannot_hash(cause)),
    }
}

/// Whether `password` is that of `digest`.
#[cfg(test)]
pub(in crate::cli) fn matches(digest: &str, password: &str) -> Result<bool, Failure> {
    verify(&parse(digest)?, password)
}

fn given_or_asked(
    given: Option<String>,
    confirmation: Confirmation,
) -> Result<Zeroizing<String>, Failure> {
    match given {
        Some(password) if password.is_empty() => {
            Err(Failure::Usage("the password is empty".into()))
        }
        Some(password) => Ok(Zeroizing::new(password)),
        None => read_password(confirmation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Argon2<'static> {
        let parameters = Params::new(64, 1, 1, Some(32)).expect("small parameters");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
    }

    #[test]
    fn a_digest_validates_its_password_and_no_other() {
        let made = digest(&small(), b"secret", &[7; 16]).expect("made");
        assert!(made.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{made}");
        assert!(validate(&made, Some("secret".into())).is_ok());
        assert!(validate(&format!("{{CRYPT}}{made}"), Some("secret".into())).is_ok());
        let refused = validate(&made, Some("Secret".into())).expect_err("another password");
        assert!(matches!(refused, Failure::Failed { .. }));
    }

    #[test]
    fn a_digest_that_cannot_be_read_is_wrong_usage() {
        for wrong in ["", "secret", "$2b$12$abcdefghijklmnopqrstuv"] {
            let refused = validate(wrong, Some("secret".into())).expect_err(wrong);
            assert!(matches!(refused, Failure::Usage(_)), "{wrong}: {refused}");
        }
    }
}
