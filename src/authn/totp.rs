//! Time-based one-time passwords: which one is right at a given second, and how a device is told about its secret.
//!
//! Pure: time is an argument, and whether a password was used before is the cluster's to say.
//! Source: RFC 6238, RFC 4226; the URI is that of Google Authenticator's key format.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quorate_core::{NewTotp, TotpAlgorithm};
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, Secret, TOTP};
use zeroize::Zeroizing;

/// What stays as it is in the parts of a URI. Source: RFC 3986 §2.3.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The second, since the Unix epoch, in which the period of the right `password` began; `None` if it is wrong.
///
/// Accepted are the period that holds `now_s` and `skew` ones before and after it. All of them are compared, each in
/// constant time.
#[must_use]
pub fn matching_period(
    device: &NewTotp,
    secret: &[u8],
    password: &str,
    skew: u8,
    now_s: u64,
) -> Option<u64> {
    let period_s = u64::from(device.period_s.max(1));
    let generator = generator(device, secret);
    let current = now_s / period_s;
    let steps = current.saturating_sub(u64::from(skew))..=current + u64::from(skew);
    let mut found = None;
    for start_s in steps.map(|step| step * period_s) {
        let right = Zeroizing::new(generator.generate(start_s));
        if bool::from(right.as_bytes().ct_eq(password.as_bytes())) {
            found = Some(start_s);
        }
    }
    found
}

/// The right password at `now_s`, seconds since the Unix epoch.
#[must_use]
pub fn password(device: &NewTotp, secret: &[u8], now_s: u64) -> Zeroizing<String> {
    Zeroizing::new(generator(device, secret).generate(now_s))
}

fn generator(device: &NewTotp, secret: &[u8]) -> TOTP {
    TOTP::new_unchecked(
        algorithm(device.algorithm),
        usize::from(device.digits),
        0,
        u64::from(device.period_s.max(1)),
        secret.to_vec(),
    )
}

fn algorithm(algorithm: TotpAlgorithm) -> Algorithm {
    match algorithm {
        TotpAlgorithm::Sha1 => Algorithm::SHA1,
        TotpAlgorithm::Sha256 => Algorithm::SHA256,
        TotpAlgorithm::Sha512 => Algorithm::SHA512,
    }
}

/// The algorithm's name in configuration, JSON and URIs.
#[must_use]
pub fn algorithm_name(algorithm: TotpAlgorithm) -> &'static str {
    match algorithm {
        TotpAlgorithm::Sha1 => "SHA1",
        TotpAlgorithm::Sha256 => "SHA256",
        TotpAlgorithm::Sha512 => "SHA512",
    }
}

/// The secret in base 32 without padding, as people type it. Source: RFC 4648 §6.
#[must_use]
pub fn base32(secret: &[u8]) -> Zeroizing<String> {
    let encoded = Secret::Raw(secret.to_vec()).to_encoded();
    Zeroizing::new(encoded.to_string().trim_end_matches('=').to_owned())
}

/// Reads a secret in base 32; blanks and padding may be there, and letters in any case. `None` if it is none.
#[must_use]
pub fn from_base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '=')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let bytes = Secret::Encoded(plain).to_bytes().ok()?;
    (!bytes.is_empty()).then(|| Zeroizing::new(bytes))
}

/// What an authenticator app reads from a QR code.
#[must_use]
pub fn uri(device: &NewTotp, secret: &[u8], user: &str) -> Zeroizing<String> {
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let issuer = encode(&device.issuer);
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{}?algorithm={}&digits={}&issuer={issuer}&period={}&secret={}",
        encode(user),
        algorithm_name(device.algorithm),
        device.digits,
        device.period_s,
        *base32(secret),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(algorithm: TotpAlgorithm, digits: u8) -> NewTotp {
        NewTotp {
            sealed_secret: Vec::new(),
            algorithm,
            digits,
            period_s: 30,
            issuer: "Example Org".to_owned(),
        }
    }

    /// RFC 6238, appendix B.
    #[test]
    fn the_passwords_of_the_rfc_are_right_in_their_period() {
        let seeds: [(TotpAlgorithm, &[u8]); 3] = [
            (TotpAlgorithm::Sha1, b"12345678901234567890"),
            (TotpAlgorithm::Sha256, b"12345678901234567890123456789012"),
            (
                TotpAlgorithm::Sha512,
                b"1234567890123456789012345678901234567890123456789012345678901234",
            ),
        ];
        let table = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (now_s, passwords) in table {
            for ((algorithm, seed), password) in seeds.iter().zip(passwords) {
                let device = device(*algorithm, 8);
                let period = |now_s| matching_period(&device, seed, password, 0, now_s);
                let start = now_s / 30 * 30;
                assert_eq!(period(now_s), Some(start), "{algorithm:?} at {now_s}");
                assert_eq!(period(start + 30), None);
            }
        }
    }

    #[test]
    fn the_skew_lets_neighbours_pass_and_nobody_else() {
        let device = device(TotpAlgorithm::Sha1, 8);
        let right = |now_s, skew| {
            matching_period(&device, b"12345678901234567890", "94287082", skew, now_s)
        };
        assert_eq!(right(29, 0), None);
        for now_s in [0, 29, 30, 59, 60, 89] {
            assert_eq!(right(now_s, 1), Some(30), "at {now_s}");
        }
        assert_eq!(right(90, 1), None);
        assert_eq!(right(119, 2), Some(30));
    }

    #[test]
    fn a_password_of_another_length_is_wrong() {
        let device = device(TotpAlgorithm::Sha1, 6);
        let right = |password| matching_period(&device, b"12345678901234567890", password, 1, 59);
        assert_eq!(right("287082"), Some(30));
        for password in [
            "94287082",
            "28708",
            "",
            " 287082",
            "287082 ",
            "２８７０８２",
        ] {
            assert_eq!(right(password), None, "{password:?}");
        }
    }

    #[test]
    fn a_secret_is_typed_with_blanks_and_in_any_case() {
        let secret = b"12345678901234567890";
        let text = base32(secret);
        assert_eq!(*text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let typed = "gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ==";
        assert_eq!(
            from_base32(typed).as_deref().map(Vec::as_slice),
            Some(secret.as_slice())
        );
        for wrong in ["", "1", "GEZD0NBV", "ä"] {
            assert_eq!(from_base32(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_in_the_uri_are_encoded() {
        let uri = uri(
            &device(TotpAlgorithm::Sha1, 6),
            b"12345678901234567890",
            "zoë@example.com",
        );
        assert_eq!(
            *uri,
            "otpauth://totp/Example%20Org:zo%C3%AB%40example.com?algorithm=SHA1&digits=6&issuer=Example%20Org&period=30\
             &secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
    }
}
