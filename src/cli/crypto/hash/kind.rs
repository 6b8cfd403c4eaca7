//! The kinds of digests with their flags and defaults, which are Authelia's.

use clap::{Subcommand, ValueEnum};

use crate::authn::digest::{Argon2Variant, BcryptVariant, PbkdfHash, Recipe, Scheme, ShaVariant};

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

impl Kind {
    /// What the flags say.
    pub(super) fn recipe(self) -> Recipe {
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
