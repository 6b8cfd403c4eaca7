//! The four ways in which digests write bytes as text. Bits left over at the end are ignored, as others do.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, NO_PAD};
use base64ct::{Base64ShaCrypt, Encoding};

const LENIENT: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);

const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Which of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base64 {
    Standard,
    /// The standard one with `.` for `+`.
    Adapted,
    Bcrypt,
    Crypt,
}

impl Base64 {
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Standard => STANDARD.decode(text).ok(),
            Self::Adapted if text.contains('+') => None,
            Self::Adapted => STANDARD.decode(text.replace('.', "+")).ok(),
            Self::Bcrypt => BCRYPT.decode(text).ok(),
            Self::Crypt => Base64ShaCrypt::decode_vec(text).ok(),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Standard => STANDARD.encode(bytes),
            Self::Adapted => STANDARD.encode(bytes).replace('+', "."),
            Self::Bcrypt => BCRYPT.encode(bytes),
            Self::Crypt => Base64ShaCrypt::encode_string(bytes),
        }
    }
}

/// One character of crypt's alphabet for each byte, from its lower six bits.
pub(super) fn crypt_text(random: &[u8]) -> Vec<u8> {
    random
        .iter()
        .filter_map(|byte| CRYPT.get(usize::from(byte & 63)))
        .copied()
        .collect()
}

/// Padded standard Base64, which bcrypt over HMAC-SHA-256 takes for the password.
pub(super) fn padded(bytes: &[u8]) -> String {
    use base64::engine::general_purpose::STANDARD;
    STANDARD.encode(bytes)
}
