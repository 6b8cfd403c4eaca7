//! Secrets at rest: sealed with a key that every member derives from `storage.encryption_key`, and bound to their owner.
//!
//! | bytes | field | value |
//! |---|---|---|
//! | 0 | version | 1 |
//! | 1–12 | nonce | random |
//! | 13– | box | AES-256-GCM of the secret, with its tag of 16 bytes |
//!
//! The key is HKDF-SHA-256 of the configured text, one for each purpose. The owner's name is associated data, so a box
//! moved to another user does not open. Source: RFC 5116, RFC 5869.

use hkdf::Hkdf;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::Secret;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + NONCE_LEN;

/// The box was sealed under another key, for another owner, or has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stored secret cannot be opened: is `storage.encryption_key` the one it was sealed with?"
)]
pub struct CannotOpen;

/// Seals and opens secrets of one purpose.
pub struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// For one-time password secrets.
    #[must_use]
    pub fn for_totp(encryption_key: &Secret) -> Self {
        Self::new(encryption_key, b"quorate totp secret v1")
    }

    #[expect(
        clippy::expect_used,
        reason = "lengths are constants that fit, so neither step fails"
    )]
    fn new(encryption_key: &Secret, purpose: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, encryption_key.reveal().as_bytes())
            .expand(purpose, &mut *bytes)
            .expect("32 bytes are not too many for HKDF-SHA-256");
        let key = UnboundKey::new(&AES_256_GCM, &*bytes).expect("a key of 32 bytes");
        Self {
            key: LessSafeKey::new(key),
        }
    }

    /// `secret` sealed for `owner`. A nonce must be random and never serve twice.
    #[must_use]
    pub fn seal(&self, secret: &[u8], owner: &str, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut sealed = secret.to_vec();
        let outcome = self.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(owner.as_bytes()),
            &mut sealed,
        );
        debug_assert!(
            outcome.is_ok(),
            "only a secret of many GiB cannot be sealed"
        );
        [&[VERSION], nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// The secret in a box that was sealed for `owner`.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, sealed: &[u8], owner: &str) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or(CannotOpen)?;
        let (Some(&VERSION), nonce) = (head.first(), head.get(1..).unwrap_or_default()) else {
            return Err(CannotOpen);
        };
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut opened = Zeroizing::new(body.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut opened)
            .map_err(|_| CannotOpen)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(key: &str) -> Sealer {
        Sealer::for_totp(&Secret::new(key))
    }

    #[test]
    fn a_secret_opens_for_its_owner_under_its_key_and_not_otherwise() {
        let sealed = sealer("one key of many characters").seal(b"secret", "john", [7; NONCE_LEN]);
        let open = |key, owner, sealed: &[u8]| sealer(key).open(sealed, owner);
        let right = open("one key of many characters", "john", &sealed);
        assert_eq!(right.expect("opens").as_slice(), b"secret");
        let refused = Err(CannotOpen);
        assert_eq!(open("one key of many characters", "jane", &sealed), refused);
        assert_eq!(
            open("another key of many letters", "john", &sealed),
            refused
        );
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(
                open("one key of many characters", "john", &changed),
                refused
            );
            let cut = &sealed[..place];
            assert_eq!(open("one key of many characters", "john", cut), refused);
        }
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }
}
