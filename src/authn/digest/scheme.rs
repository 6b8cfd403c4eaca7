//! The schemes with their costs: what each may ask for, and the key it derives.

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac;
use sha_crypt::{Sha256Params, Sha512Params, sha256_crypt_b64, sha512_crypt_b64};
use zeroize::Zeroizing;

use super::alphabet::{Base64, padded};

/// The most memory one check may take, 2 GiB: what RFC 9106 §4 recommends first.
pub(crate) const MEMORY_BYTES_MAX: u64 = 2 << 30;

/// Memory times passes of Argon2 and of scrypt: some ten seconds of one core.
const WORK_BYTES_MAX: u64 = 16 << 30;

/// The same time for the others.
const BCRYPT_COST_MAX: u32 = 17;
const PBKDF2_ITERATIONS_MAX: u32 = 20_000_000;
const SHA2CRYPT_ROUNDS_MAX: u32 = 10_000_000;

/// bcrypt looks at no more of a password.
pub(super) const BCRYPT_PASSWORD_MAX: usize = 72;

/// SHA-crypt's time grows with the password's length, which whoever guesses chooses.
const SHA2CRYPT_PASSWORD_MAX: usize = 256;

/// A way to derive a key from a password, with its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Argon2, version 0x13.
    Argon2 {
        /// Which mix.
        variant: Argon2Variant,
        /// Memory in KiB, at least 8 per lane.
        memory_kib: u32,
        /// Passes.
        iterations: u32,
        /// Lanes.
        parallelism: u32,
    },
    /// bcrypt.
    Bcrypt {
        /// What the password is put in as, and how the digest begins.
        variant: BcryptVariant,
        /// 2 to this power is the number of rounds; 4 at least.
        cost: u32,
    },
    /// PBKDF2 with HMAC.
    Pbkdf2 {
        /// The hash of the HMAC.
        hash: PbkdfHash,
        /// Iterations.
        iterations: u32,
    },
    /// scrypt.
    Scrypt {
        /// 2 to this power is N.
        log_n: u8,
        /// r.
        block_size: u32,
        /// p.
        parallelism: u32,
    },
    /// yescrypt in its usual flavour, with one lane.
    Yescrypt {
        /// 2 to this power is N.
        log_n: u8,
        /// r.
        block_size: u32,
    },
    /// SHA-crypt.
    Sha2crypt {
        /// The hash.
        variant: ShaVariant,
        /// Rounds, 1,000 at least. 5,000 is what a digest means that does not say.
        rounds: u32,
    },
}

/// A variant of Argon2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argon2Variant {
    /// `argon2id`.
    Id,
    /// `argon2i`.
    I,
    /// `argon2d`.
    D,
}

/// How a bcrypt digest begins, and what goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BcryptVariant {
    /// `2a`.
    A,
    /// `2b`: what new ones are.
    B,
    /// `2x`: made by a library that misread bytes above 127, so that only ASCII passwords can be checked.
    X,
    /// `2y`.
    Y,
    /// `bcrypt-sha256`: the password's HMAC-SHA-256 goes in, so that no part of a long one is ignored.
    Sha256,
}

/// The hash of PBKDF2's HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the hash of that name")]
pub enum PbkdfHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The hash of SHA-crypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the hash of that name")]
pub enum ShaVariant {
    Sha256,
    Sha512,
}

impl Scheme {
    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Argon2 { .. } => "Argon2",
            Self::Bcrypt { .. } => "bcrypt",
            Self::Pbkdf2 { .. } => "PBKDF2",
            Self::Scrypt { .. } => "scrypt",
            Self::Yescrypt { .. } => "yescrypt",
            Self::Sha2crypt { .. } => "SHA-crypt",
        }
    }

    /// Bytes of memory that one derivation takes, where that is more than a few.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        match *self {
            Self::Argon2 { memory_kib, .. } => u64::from(memory_kib) << 10,
            Self::Scrypt {
                log_n,
                block_size,
                parallelism,
            } => scrypt_block(log_n, block_size)
                .saturating_add(u64::from(block_size) * u64::from(parallelism) * 128),
            Self::Yescrypt { log_n, block_size } => scrypt_block(log_n, block_size),
            Self::Bcrypt { .. } | Self::Pbkdf2 { .. } | Self::Sha2crypt { .. } => 0,
        }
    }

    /// Whether the costs are possible, and bounded: memory by 2 GiB, time by some ten seconds of one core.
    ///
    /// # Errors
    /// What is wrong, as a phrase behind the scheme's name.
    pub fn check(&self) -> Result<(), String> {
        if self.memory_bytes() > MEMORY_BYTES_MAX {
            return Err("asks for more than 2 GiB of memory".to_owned());
        }
        let is_possible = match *self {
            Self::Argon2 {
                memory_kib,
                iterations,
                parallelism,
                ..
            } => {
                work(self.memory_bytes(), iterations)?;
                Params::new(memory_kib, iterations, parallelism, None).is_ok()
            }
            Self::Scrypt {
                log_n,
                block_size,
                parallelism,
            } => {
                work(scrypt_block(log_n, block_size), parallelism)?;
                log_n > 0 && scrypt::Params::new(log_n, block_size, parallelism, 32).is_ok()
            }
            Self::Yescrypt { log_n, block_size } => yescrypt_params(log_n, block_size).is_some(),
            Self::Bcrypt { cost, .. } => return within("a cost", cost, 4..=BCRYPT_COST_MAX),
            Self::Pbkdf2 { iterations, .. } => {
                return within(
                    "a number of iterations",
                    iterations,
                    1..=PBKDF2_ITERATIONS_MAX,
                );
            }
            Self::Sha2crypt { rounds, .. } => {
                return within("a number of rounds", rounds, 1_000..=SHA2CRYPT_ROUNDS_MAX);
            }
        };
        if is_possible {
            return Ok(());
        }
        Err("has impossible parameters".to_owned())
    }

    /// Why a stolen digest of these costs would soon be guessed, if so.
    ///
    /// Source: the lowest settings of OWASP's "Password Storage Cheat Sheet"; for PBKDF2 and SHA-crypt, Authelia's
    /// lowest and default.
    #[must_use]
    pub fn weakness(&self) -> Option<String> {
        match *self {
            Self::Argon2 {
                memory_kib,
                iterations,
                ..
            } => {
                let mib = (u64::from(memory_kib) * u64::from(iterations)) >> 10;
                (mib < 35).then(|| format!("{mib} MiB times passes"))
            }
            Self::Bcrypt { cost, .. } => (cost < 10).then(|| format!("cost {cost}")),
            Self::Pbkdf2 { iterations, .. } => {
                (iterations < 100_000).then(|| format!("{iterations} iterations"))
            }
            Self::Scrypt {
                log_n, block_size, ..
            } => (scrypt_block(log_n, block_size) < 32 << 20).then(|| format!("ln={log_n}")),
            Self::Yescrypt { log_n, block_size } => {
                (scrypt_block(log_n, block_size) < 16 << 20).then(|| format!("N=2^{log_n}"))
            }
            Self::Sha2crypt { rounds, .. } => (rounds < 50_000).then(|| format!("{rounds} rounds")),
        }
    }

    /// How long its key is, where the scheme says so itself.
    pub(super) fn own_key_bytes(&self) -> Option<usize> {
        match self {
            Self::Argon2 { .. } | Self::Scrypt { .. } => None,
            Self::Bcrypt { .. } => Some(23),
            Self::Pbkdf2 { hash, .. } => Some(match hash {
                PbkdfHash::Sha1 => 20,
                PbkdfHash::Sha224 => 28,
                PbkdfHash::Sha256 => 32,
                PbkdfHash::Sha384 => 48,
                PbkdfHash::Sha512 => 64,
            }),
            Self::Yescrypt { .. } => Some(32),
            Self::Sha2crypt { variant, .. } => Some(match variant {
                ShaVariant::Sha256 => 43,
                ShaVariant::Sha512 => 86,
            }),
        }
    }

    /// The key of `password`; `None` where the scheme cannot take it.
    pub(super) fn derive(
        &self,
        password: &[u8],
        salt: &[u8],
        key_bytes: usize,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new(vec![0; key_bytes]);
        match *self {
            Self::Argon2 {
                variant,
                memory_kib,
                iterations,
                parallelism,
            } => {
                let algorithm = match variant {
                    Argon2Variant::Id => Algorithm::Argon2id,
                    Argon2Variant::I => Algorithm::Argon2i,
                    Argon2Variant::D => Algorithm::Argon2d,
                };
                let params = Params::new(memory_kib, iterations, parallelism, None).ok()?;
                Argon2::new(algorithm, Version::V0x13, params)
                    .hash_password_into(password, salt, &mut key)
                    .ok()?;
            }
            Self::Bcrypt { variant, cost } => return bcrypt_key(variant, cost, password, salt),
            Self::Pbkdf2 { hash, iterations } => {
                pbkdf2_key(hash, iterations, password, salt, &mut key);
            }
            Self::Scrypt {
                log_n,
                block_size,
                parallelism,
            } => {
                let params = scrypt::Params::new(log_n, block_size, parallelism, 32).ok()?;
                scrypt::scrypt(password, salt, &params, &mut key).ok()?;
            }
            Self::Yescrypt { log_n, block_size } => {
                let params = yescrypt_params(log_n, block_size)?;
                yescrypt::yescrypt(password, salt, &params, &mut key).ok()?;
            }
            Self::Sha2crypt { variant, rounds } => {
                return sha2crypt_key(variant, rounds, password, salt);
            }
        }
        Some(key)
    }
}

/// 128·r·N: the memory of scrypt and yescrypt, and the work of one lane.
fn scrypt_block(log_n: u8, block_size: u32) -> u64 {
    1_u64
        .checked_shl(u32::from(log_n))
        .and_then(|n| n.checked_mul(128 * u64::from(block_size)))
        .unwrap_or(u64::MAX)
}

fn work(bytes: u64, times: u32) -> Result<(), String> {
    if bytes.saturating_mul(u64::from(times)) > WORK_BYTES_MAX {
        return Err("asks for more than 16 GiB of memory times passes".to_owned());
    }
    Ok(())
}

fn within(what: &str, given: u32, bounds: std::ops::RangeInclusive<u32>) -> Result<(), String> {
    if bounds.contains(&given) {
        return Ok(());
    }
    let (low, high) = (bounds.start(), bounds.end());
    Err(format!(
        "has {what} of {given}, which must be {low} to {high}"
    ))
}

/// `None` if they are impossible.
pub(super) fn yescrypt_params(log_n: u8, block_size: u32) -> Option<yescrypt::Params> {
    let n = 1_u64.checked_shl(u32::from(log_n))?;
    if log_n < 2 || block_size >= 1 << 20 {
        return None;
    }
    yescrypt::Params::new(yescrypt::Mode::default(), n, block_size, 1).ok()
}

fn bcrypt_key(
    variant: BcryptVariant,
    cost: u32,
    password: &[u8],
    salt: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut input = Zeroizing::new(match variant {
        BcryptVariant::X if !password.is_ascii() => return None,
        BcryptVariant::Sha256 => {
            let key = Base64::Bcrypt.encode(salt);
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).ok()?;
            mac.update(password);
            padded(&mac.finalize().into_bytes()).into_bytes()
        }
        _ => password.to_vec(),
    });
    // The byte behind the text counts, as in C.
    input.push(0);
    input.truncate(BCRYPT_PASSWORD_MAX);
    let salt = salt.try_into().ok()?;
    // It is made of 24 bytes; the last was never written down.
    bcrypt::bcrypt(cost, salt, &input)
        .get(..23)
        .map(|key| Zeroizing::new(key.to_vec()))
}

fn pbkdf2_key(hash: PbkdfHash, iterations: u32, password: &[u8], salt: &[u8], key: &mut [u8]) {
    match hash {
        PbkdfHash::Sha1 => pbkdf2_hmac::<sha1::Sha1>(password, salt, iterations, key),
        PbkdfHash::Sha224 => pbkdf2_hmac::<sha2::Sha224>(password, salt, iterations, key),
        PbkdfHash::Sha256 => pbkdf2_hmac::<sha2::Sha256>(password, salt, iterations, key),
        PbkdfHash::Sha384 => pbkdf2_hmac::<sha2::Sha384>(password, salt, iterations, key),
        PbkdfHash::Sha512 => pbkdf2_hmac::<sha2::Sha512>(password, salt, iterations, key),
    }
}

fn sha2crypt_key(
    variant: ShaVariant,
    rounds: u32,
    password: &[u8],
    salt: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if password.len() > SHA2CRYPT_PASSWORD_MAX {
        return None;
    }
    let rounds = usize::try_from(rounds).ok()?;
    let key = match variant {
        ShaVariant::Sha256 => sha256_crypt_b64(password, salt, &Sha256Params::new(rounds).ok()?),
        ShaVariant::Sha512 => sha512_crypt_b64(password, salt, &Sha512Params::new(rounds).ok()?),
    };
    key.ok().map(|key| Zeroizing::new(key.into_bytes()))
}
