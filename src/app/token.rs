//! The token in a visitor's session cookie.
//!
//! | characters | meaning |
//! |---|---|
//! | 0–21 | secret: 132 random bits, base64url |
//! | 22–31 | hint: the log index at which the session was opened, 60 bits big endian, base64url |
//!
//! The secret alone names the session. The hint lets a node that has not applied the log that far wait for it,
//! instead of calling a fresh session unknown; a forged hint gains nothing but that short wait.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use quorate_core::SessionKey;

/// Takes the spare bits of a last character as they come: a secret is compared by its hash, never by its value.
const BASE64URL: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
const SECRET_CHARS: usize = 22;
const TOKEN_CHARS: usize = 32;
const HINT_BITS: u64 = 60;

/// A secret that no session has been opened for yet.
pub struct Secret(String);

impl Secret {
    /// The secret made of `random` bits.
    #[must_use]
    pub fn new(random: [u8; 17]) -> Self {
        let mut text = BASE64URL.encode(random);
        text.truncate(SECRET_CHARS);
        Self(text)
    }

    /// What the cluster will know the session by.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey::of_token(&self.0)
    }

    /// The cookie's value for a session that was opened at `index`.
    #[must_use]
    pub fn into_token(self, index: u64) -> String {
        let hint = (index & ((1 << HINT_BITS) - 1)) << (64 - HINT_BITS);
        let mut text = self.0 + &BASE64URL.encode(hint.to_be_bytes());
        text.truncate(TOKEN_CHARS);
        text
    }
}

/// A cookie's value that has the form of a token. Whether a session stands behind it is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedToken {
    /// The session it would name.
    pub key: SessionKey,
    /// The log index at which that session is said to have been opened.
    pub index_hint: u64,
}

impl UnverifiedToken {
    /// Reads a cookie's value; `None` unless it has the form of a token. Double quotes around it are allowed (RFC 6265
    /// §4.1.1).
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let token = value
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .unwrap_or(value);
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if token.len() != TOKEN_CHARS || !token.bytes().all(is_base64url) {
            return None;
        }
        let (secret, hint) = token.split_at_checked(SECRET_CHARS)?;
        Some(Self {
            key: SessionKey::of_token(secret),
            index_hint: hint.bytes().fold(0, |bits, byte| bits << 6 | digit(byte)),
        })
    }
}

/// The six bits that a letter of base64url stands for. Source: RFC 4648 §5.
fn digit(letter: u8) -> u64 {
    u64::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        _ => 63,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_carries_its_session_and_its_index() {
        for index in [0, 1, 63, 64, 12_345_678_901, (1 << HINT_BITS) - 1] {
            let secret = Secret::new([0xa5; 17]);
            let key = secret.key();
            let token = secret.into_token(index);
            assert_eq!(token.len(), TOKEN_CHARS);
            assert_eq!(
                UnverifiedToken::parse(&token),
                Some(UnverifiedToken {
                    key,
                    index_hint: index
                })
            );
            assert_eq!(
                UnverifiedToken::parse(&format!("\"{token}\"")),
                UnverifiedToken::parse(&token)
            );
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_token_is_none() {
        let token = Secret::new([1; 17]).into_token(7);
        let long = token.clone() + "A";
        let space = token.replacen(|_| true, " ", 1);
        for value in [
            "",
            "garbage",
            "\"\"",
            "\"",
            &token[1..],
            &long,
            &space,
            &"é".repeat(16),
        ] {
            assert_eq!(UnverifiedToken::parse(value), None, "{value}");
        }
    }
}
