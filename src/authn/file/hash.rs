//! The form of password hashes: PHC strings of Argon2, as Authelia and passlib write them.
//!
//! Source: the PHC string format, and RFC 9106 §3.1 for the bounds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The most memory a stored hash may ask for, 4 GiB: a typing error must not take the machine down at a login.
const MEMORY_KIB_MAX: u32 = 4 << 20;

/// Checks the form of `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`.
///
/// # Errors
/// What the text is instead, as a phrase behind "is". The text itself is never repeated.
pub(super) fn check(text: &str) -> Result<(), String> {
    let Some(rest) = text.strip_prefix('$') else {
        return Err("not a hash".to_owned());
    };
    let mut parts = rest.split('$');
    let algorithm = parts.next().unwrap_or_default();
    if !matches!(algorithm, "argon2id" | "argon2i" | "argon2d") {
        return Err(named(algorithm));
    }
    if parts.next() != Some("v=19") {
        return Err("an Argon2 hash without `v=19`, which is not supported".to_owned());
    }
    parameters(parts.next().unwrap_or_default())?;
    let (salt, hash) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if parts.next().is_some() {
        return Err("an Argon2 hash with something behind it".to_owned());
    }
    if !decoded_bytes(salt).is_some_and(|bytes| (8..=1_024).contains(&bytes)) {
        return Err("an Argon2 hash whose salt is not Base64 of 8 to 1024 bytes".to_owned());
    }
    if !decoded_bytes(hash).is_some_and(|bytes| (4..=1_024).contains(&bytes)) {
        return Err("an Argon2 hash that is cut off or not Base64".to_owned());
    }
    Ok(())
}

fn decoded_bytes(text: &str) -> Option<usize> {
    STANDARD_NO_PAD.decode(text).ok().map(|bytes| bytes.len())
}

/// `m`, `t` and `p`, each once, in any order.
fn parameters(text: &str) -> Result<(), String> {
    let broken = || "an Argon2 hash without the parameters `m=…,t=…,p=…`".to_owned();
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for parameter in text.split(',') {
        let (name, number) = parameter.split_once('=').ok_or_else(broken)?;
        let number: u32 = number.parse().map_err(|_| broken())?;
        let slot = match name {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return Err(broken()),
        };
        if slot.replace(number).is_some() {
            return Err(broken());
        }
    }
    let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else {
        return Err(broken());
    };
    let is_possible = passes >= 1
        && (1..=0xff_ffff).contains(&lanes)
        && u64::from(memory) >= 8 * u64::from(lanes)
        && memory <= MEMORY_KIB_MAX;
    if is_possible {
        return Ok(());
    }
    Err(format!(
        "an Argon2 hash with impossible parameters `{text}`"
    ))
}

/// What other hashes call themselves.
fn named(algorithm: &str) -> String {
    let name = match algorithm {
        "1" => "md5crypt",
        "2" | "2a" | "2b" | "2x" | "2y" => "bcrypt",
        "5" => "sha256crypt",
        "6" => "sha512crypt",
        "y" => "yescrypt",
        "bcrypt-sha256" | "scrypt" | "argon2" => algorithm,
        _ if algorithm.starts_with("pbkdf2") => algorithm,
        _ => return "a hash of a kind that is not known".to_owned(),
    };
    format!("a {name} hash, which is not supported yet")
}
