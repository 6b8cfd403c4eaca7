//! Digests of passwords in every form that Authelia's users file may hold: read, checked, made.
//!
//! Nothing here draws randomness, reads a file or waits for a turn. A digest that could take more memory or time than
//! [`Scheme::check`] allows is refused when it is read, so that checking one is bounded.
//!
//! | scheme | form | Base64 |
//! |---|---|---|
//! | Argon2 | `$argon2id$v=19$m=65536,t=3,p=4$salt$key`, `argon2i`, `argon2d` | standard |
//! | bcrypt | `$2b$12$` salt (22) key (31), `2a`, `2x`, `2y` | bcrypt's |
//! | bcrypt over HMAC-SHA-256 | `$bcrypt-sha256$v=2,t=2b,r=12$salt$key` | bcrypt's |
//! | PBKDF2 | `$pbkdf2-sha512$310000$salt$key`, also `-sha384`, `-sha256`, `-sha224`, `-sha1` or nothing | with `.` for `+` |
//! | scrypt | `$scrypt$ln=16,r=8,p=1$salt$key` | standard |
//! | yescrypt | `$y$j9T$salt$key` | crypt's |
//! | SHA-crypt | `$6$rounds=50000$salt$key`, `$5$`, `rounds=` may be missing | crypt's; the salt is text |
//!
//! Source: the PHC string format, RFC 9106, RFC 7914, RFC 8018 §5.2, and "Unix crypt using SHA-256 and SHA-512".

mod alphabet;
mod read;
mod scheme;

use std::fmt;

use subtle::ConstantTimeEq;

pub(crate) use scheme::MEMORY_BYTES_MAX;
pub use scheme::{Argon2Variant, BcryptVariant, PbkdfHash, Scheme, ShaVariant};

/// A password's digest with all that is needed to check it. Its key is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    scheme: Scheme,
    /// As the scheme takes it; text for SHA-crypt.
    salt: Vec<u8>,
    /// As the scheme gives it; text for SHA-crypt.
    key: Vec<u8>,
}

impl Digest {
    /// Reads a digest; `{CRYPT}` may stand before it.
    ///
    /// # Errors
    /// What the text is instead, as a phrase behind "is". The text itself is never repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        read::digest(text.strip_prefix("{CRYPT}").unwrap_or(text))
    }

    /// How it was made.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether `password` is the one behind it. Takes the time and memory that the scheme asks for.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        self.scheme
            .derive(password, &self.salt, self.key.len())
            .is_some_and(|key| key.ct_eq(&self.key).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&read::text(self))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({:?}, redacted)", self.scheme)
    }
}

/// How new digests are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The scheme and its costs.
    pub scheme: Scheme,
    /// Bytes of salt, characters for SHA-crypt. bcrypt always takes 16.
    pub salt_bytes: usize,
    /// Bytes of key for Argon2 and scrypt. The other schemes have a length of their own.
    pub key_bytes: usize,
}

impl Recipe {
    /// Authelia's default: Argon2id with 64 MiB, three passes, four lanes.
    pub const DEFAULT: Self = Self {
        scheme: Scheme::Argon2 {
            variant: Argon2Variant::Id,
            memory_kib: 65_536,
            iterations: 3,
            parallelism: 4,
        },
        salt_bytes: 16,
        key_bytes: 32,
    };

    /// How many random bytes [`Recipe::make`] wants.
    #[must_use]
    pub fn salt_length(&self) -> usize {
        match self.scheme {
            Scheme::Bcrypt { .. } => 16,
            _ => self.salt_bytes,
        }
    }

    /// Whether digests can be made by this recipe.
    ///
    /// # Errors
    /// What is wrong, as a phrase behind the name of the scheme: `asks for …`.
    pub fn check(&self) -> Result<(), String> {
        self.scheme.check()?;
        let salt = match self.scheme {
            Scheme::Sha2crypt { .. } => 1..=16,
            _ => 8..=1_024,
        };
        if !salt.contains(&self.salt_length()) {
            let (low, high) = (salt.start(), salt.end());
            return Err(format!("must have a salt of {low} to {high} bytes"));
        }
        if !(4..=1_024).contains(&self.key_bytes) {
            return Err("must have a key of 4 to 1024 bytes".to_owned());
        }
        Ok(())
    }

    /// The digest of `password` with a `salt` of [`Recipe::salt_length`] random bytes.
    ///
    /// # Errors
    /// As [`Recipe::check`]; or where bcrypt would ignore a part of the password: that one is longer than 72 bytes.
    pub fn make(&self, password: &[u8], salt: &[u8]) -> Result<Digest, String> {
        self.check()?;
        if salt.len() != self.salt_length() {
            return Err(format!("must have a salt of {} bytes", self.salt_length()));
        }
        let is_cut_off = matches!(
            self.scheme,
            Scheme::Bcrypt { variant, .. } if variant != BcryptVariant::Sha256
        );
        if is_cut_off && password.len() > scheme::BCRYPT_PASSWORD_MAX {
            return Err("takes passwords of at most 72 bytes; use bcrypt with SHA-256".to_owned());
        }
        let salt = match self.scheme {
            Scheme::Sha2crypt { .. } => alphabet::crypt_text(salt),
            _ => salt.to_vec(),
        };
        let key_bytes = self.scheme.own_key_bytes().unwrap_or(self.key_bytes);
        let key = self.scheme.derive(password, &salt, key_bytes);
        Ok(Digest {
            scheme: self.scheme,
            salt,
            key: key.ok_or("cannot hash this password")?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
