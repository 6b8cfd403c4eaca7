//! `quorate crypto hash …`: digests for `users_database.yml` in every form that is read from it. Flags and defaults are
//! Authelia's.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::prompt::{Confirmation, read_password};
use super::rand::{Charset, alphabet, fill_random, random_string};
use crate::authn::digest::{
    Argon2Variant, BcryptVariant, Digest, PbkdfHash, Recipe, Scheme, ShaVariant,
};
use crate::cli::failure::{Failure, cannot_print};

const GENERATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash generate argon2                        asks for the password
  quorate crypto hash generate argon2 --random               makes one up and prints it
  printf '%s' \"$PASSWORD\" | quorate crypto hash generate argon2
  quorate crypto hash generate argon2 --profile low-memory
  quorate crypto hash generate sha2crypt --iterations 100000

Without a kind it is argon2, which is the best of them.";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash validate '$argon2id$v=19$m=65536,t=3,p=4$…'
  printf '%s' \"$PASSWORD\" | quorate crypto hash validate '$6$rounds=50000$…'

Exit code 0 if the password matches, 1 if it does not.";

/// Make and check password digests.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Hash {
    /// Make a digest.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate {
        #[command(flatten)]
        password: Password,
        #[command(subcommand)]
        kind: Option<Kind>,
    },
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

/// Which password a digest is made of.
#[derive(Debug, Args)]
pub(in crate::cli) struct Password {
    /// The password; without it, it is asked for (or read from standard input).
    #[arg(long, global = true)]
    password: Option<String>,
    /// Ask only once.
    #[arg(long, global = true)]
    no_confirm: bool,
    /// Make up a random password and print it.
    #[arg(long, global = true, conflicts_with = "password")]
    random: bool,
    /// How many characters the random password has.
    #[arg(
        long = "random.length",
        global = true,
        value_name = "N",
        default_value_t = 72
    )]
    random_length: usize,
    /// Which characters the random password has.
    #[arg(
        long = "random.charset",
        global = true,
        value_enum,
        default_value = "alphanumeric"
    )]
    random_charset: Charset,
    /// Exactly these characters instead of a named set.
    #[arg(long = "random.characters", global = true, value_name = "CHARACTERS")]
    random_characters: Option<String>,
}

/// The kind of digest.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Kind {
    /// Argon2: takes memory as well as time.
    Argon2 {
        /// Which kind of Argon2; argon2id unless something else must read the digest.
        #[arg(short, long, value_enum, default_value = "argon2id")]
        variant: Argon2Kind,
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
    },
    /// bcrypt.
    Bcrypt {
        /// `sha256` takes passwords of more than 72 bytes.
        #[arg(short, long, value_enum, default_value = "standard")]
        variant: BcryptKind,
        /// 2 to this power is the number of rounds.
        #[arg(short = 'i', long, default_value_t = 12)]
        cost: u32,
    },
    /// PBKDF2.
    Pbkdf2 {
        /// The hash.
        #[arg(short, long, value_enum, default_value = "sha512")]
        variant: PbkdfKind,
        /// Number of iterations [default: 310000 for sha512, more for the weaker ones]
        #[arg(short, long)]
        iterations: Option<u32>,
        /// Length of the salt in bytes.
        #[arg(short, long, default_value_t = 16)]
        salt_size: usize,
    },
    /// scrypt and yescrypt.
    Scrypt {
        /// Which of the two.
        #[arg(short, long, value_enum, default_value = "scrypt")]
        variant: ScryptKind,
        /// 2 to this power is the number of blocks.
        #[arg(short, long, default_value_t = 16)]
        iterations: u8,
        /// Size of a block.
        #[arg(short = 'r', long, default_value_t = 8)]
        block_size: u32,
        /// Number of lanes.
        #[arg(short, long, default_value_t = 1)]
        parallelism: u32,
        /// Length of the key in bytes.
        #[arg(short, long, default_value_t = 32)]
        key_size: usize,
        /// Length of the salt in bytes.
        #[arg(short, long, default_value_t = 16)]
        salt_size: usize,
    },
    /// SHA-crypt, as crypt(3) has it.
    Sha2crypt {
        /// The hash.
        #[arg(short, long, value_enum, default_value = "sha512")]
        variant: ShaKind,
        /// Number of rounds.
        #[arg(short, long, default_value_t = 50_000)]
        iterations: u32,
        /// Length of the salt in characters.
        #[arg(short, long, default_value_t = 16)]
        salt_size: usize,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Argon2Kind {
    Argon2id,
    Argon2i,
    Argon2d,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Profile {
    /// RFC 9106, second recommended option: 64 MiB, three passes.
    LowMemory,
    /// RFC 9106, first recommended option: 2 GiB, one pass.
    Recommended,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum BcryptKind {
    Standard,
    Sha256,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum PbkdfKind {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ScryptKind {
    Scrypt,
    Yescrypt,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ShaKind {
    Sha256,
    Sha512,
}

impl Hash {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Generate { password, kind } => {
                let recipe = kind.map_or(Recipe::DEFAULT, |kind| kind.recipe());
                password.hash(&recipe)
            }
            Self::Validate { digest, password } => validate(&digest, password),
        }
    }
}

impl Password {
    fn hash(mut self, recipe: &Recipe) -> Result<(), Failure> {
        // Before anybody types a password.
        recipe.check().map_err(refused(recipe))?;
        let password = self.choose()?;
        let digest = digest(recipe, password.as_bytes())?;
        if self.random {
            writeln!(std::io::stdout(), "Random Password: {}", *password).map_err(cannot_print)?;
        }
        writeln!(std::io::stdout(), "Digest: {digest}").map_err(cannot_print)
    }

    fn choose(&mut self) -> Result<Zeroizing<String>, Failure> {
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
}

impl Kind {
    fn recipe(self) -> Recipe {
        match self {
            Self::Argon2 {
                variant,
                iterations,
                memory,
                parallelism,
                key_size,
                salt_size,
                profile,
            } => {
                let (memory_kib, iterations, parallelism) =
                    profile.map_or((memory, iterations, parallelism), Profile::costs);
                let scheme = Scheme::Argon2 {
                    variant: variant.into(),
                    memory_kib,
                    iterations,
                    parallelism,
                };
                of(scheme, salt_size, key_size)
            }
            Self::Bcrypt { variant, cost } => {
                let variant = match variant {
                    BcryptKind::Standard => BcryptVariant::B,
                    BcryptKind::Sha256 => BcryptVariant::Sha256,
                };
                of(Scheme::Bcrypt { variant, cost }, 16, 32)
            }
            Self::Pbkdf2 {
                variant,
                iterations,
                salt_size,
            } => {
                let (hash, usual) = variant.hash();
                let iterations = iterations.unwrap_or(usual);
                of(Scheme::Pbkdf2 { hash, iterations }, salt_size, 32)
            }
            Self::Scrypt {
                variant,
                iterations: log_n,
                block_size,
                parallelism,
                key_size,
                salt_size,
            } => {
                let scheme = match variant {
                    ScryptKind::Scrypt => Scheme::Scrypt {
                        log_n,
                        block_size,
                        parallelism,
                    },
                    ScryptKind::Yescrypt => Scheme::Yescrypt { log_n, block_size },
                };
                of(scheme, salt_size, key_size)
            }
            Self::Sha2crypt {
                variant,
                iterations: rounds,
                salt_size,
            } => {
                let variant = match variant {
                    ShaKind::Sha256 => ShaVariant::Sha256,
                    ShaKind::Sha512 => ShaVariant::Sha512,
                };
                of(Scheme::Sha2crypt { variant, rounds }, salt_size, 32)
            }
        }
    }
}

fn of(scheme: Scheme, salt_bytes: usize, key_bytes: usize) -> Recipe {
    Recipe {
        scheme,
        salt_bytes,
        key_bytes,
    }
}

impl From<Argon2Kind> for Argon2Variant {
    fn from(kind: Argon2Kind) -> Self {
        match kind {
            Argon2Kind::Argon2id => Self::Id,
            Argon2Kind::Argon2i => Self::I,
            Argon2Kind::Argon2d => Self::D,
        }
    }
}

impl Profile {
    /// Memory in KiB, passes, lanes.
    fn costs(self) -> (u32, u32, u32) {
        match self {
            Self::LowMemory => (65_536, 3, 4),
            Self::Recommended => (2_097_152, 1, 4),
        }
    }
}

impl PbkdfKind {
    /// The hash, and Authelia's number of iterations with it.
    fn hash(self) -> (PbkdfHash, u32) {
        match self {
            Self::Sha1 => (PbkdfHash::Sha1, 1_600_000),
            Self::Sha224 => (PbkdfHash::Sha224, 900_000),
            Self::Sha256 => (PbkdfHash::Sha256, 700_000),
            Self::Sha384 => (PbkdfHash::Sha384, 280_000),
            Self::Sha512 => (PbkdfHash::Sha512, 310_000),
        }
    }
}

fn refused(recipe: &Recipe) -> impl FnOnce(String) -> Failure {
    let name = recipe.scheme.name();
    move |cause| Failure::Usage(format!("{name} {cause}"))
}

/// The digest of `password` by `recipe`, with a random salt.
pub(in crate::cli) fn digest(recipe: &Recipe, password: &[u8]) -> Result<Digest, Failure> {
    let mut salt = vec![0_u8; recipe.salt_length()];
    fill_random(&mut salt)?;
    recipe.make(password, &salt).map_err(refused(recipe))
}

fn validate(digest: &str, password: Option<String>) -> Result<(), Failure> {
    let digest = Digest::parse(digest).map_err(|found| {
        Failure::Usage(format!(
            "the digest is {found}; quote it, it has dollar signs"
        ))
    })?;
    let password = given_or_asked(password, Confirmation::Skipped)?;
    if digest.matches(password.as_bytes()) {
        return writeln!(std::io::stdout(), "The password matches the digest.")
            .map_err(cannot_print);
    }
    Err(Failure::because("the password does not match the digest"))
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

    #[test]
    fn a_digest_that_cannot_be_read_is_wrong_usage() {
        for wrong in ["", "secret", "$2b$12$abcdefghijklmnopqrstuv", "$1$ab$cd"] {
            let refused = validate(wrong, Some("secret".into())).expect_err(wrong);
            assert!(matches!(refused, Failure::Usage(_)), "{wrong}: {refused}");
        }
    }
}
