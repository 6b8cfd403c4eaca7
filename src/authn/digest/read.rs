//! Digests as text: reading and writing.

use super::Digest;
use super::alphabet::Base64;
use super::scheme::{Argon2Variant, BcryptVariant, PbkdfHash, Scheme, ShaVariant, yescrypt_params};

/// What a digest means that does not say.
const SHA2CRYPT_ROUNDS: u32 = 5_000;

/// Salts and keys of the schemes that fix no length.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=1_024;

/// Reads a digest whose costs are bounded.
pub(super) fn digest(text: &str) -> Result<Digest, String> {
    let Some(rest) = text.strip_prefix('$') else {
        return Err("not a hash".to_owned());
    };
    let (id, rest) = rest.split_once('$').unwrap_or((rest, ""));
    let parts: Vec<&str> = rest.split('$').collect();
    let digest = match id {
        "argon2id" => argon2(Argon2Variant::Id, &parts),
        "argon2i" => argon2(Argon2Variant::I, &parts),
        "argon2d" => argon2(Argon2Variant::D, &parts),
        "2a" => bcrypt(BcryptVariant::A, &parts),
        "2b" => bcrypt(BcryptVariant::B, &parts),
        "2x" => bcrypt(BcryptVariant::X, &parts),
        "2y" => bcrypt(BcryptVariant::Y, &parts),
        "bcrypt-sha256" => bcrypt_sha256(&parts),
        "pbkdf2" | "pbkdf2-sha1" => pbkdf2(PbkdfHash::Sha1, &parts),
        "pbkdf2-sha224" => pbkdf2(PbkdfHash::Sha224, &parts),
        "pbkdf2-sha256" => pbkdf2(PbkdfHash::Sha256, &parts),
        "pbkdf2-sha384" => pbkdf2(PbkdfHash::Sha384, &parts),
        "pbkdf2-sha512" => pbkdf2(PbkdfHash::Sha512, &parts),
        "scrypt" => scrypt(&parts),
        "y" => yescrypt(&parts),
        "5" => sha2crypt(ShaVariant::Sha256, &parts),
        "6" => sha2crypt(ShaVariant::Sha512, &parts),
        "1" => return Err("a md5crypt hash, which is not supported".to_owned()),
        _ => return Err("a hash of a kind that is not known".to_owned()),
    }?;
    let scheme = digest.scheme;
    let named = |found| format!("a hash by {} that {found}", scheme.name());
    scheme.check().map_err(named)?;
    let wanted = scheme.own_key_bytes();
    if wanted.is_some_and(|wanted| digest.key.len() != wanted)
        || !LENGTHS.contains(&digest.key.len())
    {
        return Err(named("is cut off".to_owned()));
    }
    Ok(digest)
}

fn malformed(name: &str) -> String {
    format!("a hash by {name} that is not complete or has something behind it")
}

fn undecodable(name: &str) -> String {
    format!("a hash by {name} whose salt or key is not in its Base64")
}

fn unreadable(name: &str) -> String {
    format!("a hash by {name} whose parameters cannot be read")
}

fn argon2(variant: Argon2Variant, parts: &[&str]) -> Result<Digest, String> {
    const NAME: &str = "Argon2";
    if parts.first().is_some_and(|version| *version != "v=19") {
        return Err("a hash by Argon2 without `v=19`, which is not supported".to_owned());
    }
    let [_, costs, salt, key] = parts else {
        return Err(malformed(NAME));
    };
    let [memory_kib, iterations, parallelism] =
        numbers(costs, ["m", "t", "p"]).ok_or_else(|| unreadable(NAME))?;
    let scheme = Scheme::Argon2 {
        variant,
        memory_kib,
        iterations,
        parallelism,
    };
    decoded(scheme, Base64::Standard, salt, key, 8)
}

fn bcrypt(variant: BcryptVariant, parts: &[&str]) -> Result<Digest, String> {
    let [cost, both] = parts else {
        return Err(malformed("bcrypt"));
    };
    let (Some(salt), Some(key)) = (both.get(..22), both.get(22..)) else {
        return Err(malformed("bcrypt"));
    };
    let cost = number(cost).ok_or_else(|| unreadable("bcrypt"))?;
    decoded(
        Scheme::Bcrypt { variant, cost },
        Base64::Bcrypt,
        salt,
        key,
        16,
    )
}

fn bcrypt_sha256(parts: &[&str]) -> Result<Digest, String> {
    let [costs, salt, key] = parts else {
        return Err(malformed("bcrypt"));
    };
    // Version 1 took a bare SHA-256 and had another form.
    let cost = costs
        .strip_prefix("v=2,t=2b,r=")
        .and_then(number)
        .ok_or_else(|| unreadable("bcrypt"))?;
    let scheme = Scheme::Bcrypt {
        variant: BcryptVariant::Sha256,
        cost,
    };
    decoded(scheme, Base64::Bcrypt, salt, key, 16)
}

fn pbkdf2(hash: PbkdfHash, parts: &[&str]) -> Result<Digest, String> {
    let [iterations, salt, key] = parts else {
        return Err(malformed("PBKDF2"));
    };
    let iterations = number(iterations).ok_or_else(|| unreadable("PBKDF2"))?;
    decoded(
        Scheme::Pbkdf2 { hash, iterations },
        Base64::Adapted,
        salt,
        key,
        1,
    )
}

fn scrypt(parts: &[&str]) -> Result<Digest, String> {
    let [costs, salt, key] = parts else {
        return Err(malformed("scrypt"));
    };
    let [log_n, block_size, parallelism] =
        numbers(costs, ["ln", "r", "p"]).ok_or_else(|| unreadable("scrypt"))?;
    let scheme = Scheme::Scrypt {
        log_n: u8::try_from(log_n).unwrap_or(u8::MAX),
        block_size,
        parallelism,
    };
    decoded(scheme, Base64::Standard, salt, key, 1)
}

fn yescrypt(parts: &[&str]) -> Result<Digest, String> {
    let [costs, salt, key] = parts else {
        return Err(malformed("yescrypt"));
    };
    let unreadable = || unreadable("yescrypt");
    let read: yescrypt::Params = costs.parse().map_err(|_| unreadable())?;
    let log_n = u8::try_from(read.n().trailing_zeros()).unwrap_or(u8::MAX);
    let block_size = read.r();
    // Only the usual flavour, without the options that nobody's crypt(3) writes.
    let plain = yescrypt_params(log_n, block_size).ok_or_else(unreadable)?;
    if plain != read {
        return Err("a hash by yescrypt with options that are not supported".to_owned());
    }
    decoded(
        Scheme::Yescrypt { log_n, block_size },
        Base64::Crypt,
        salt,
        key,
        1,
    )
}

fn sha2crypt(variant: ShaVariant, parts: &[&str]) -> Result<Digest, String> {
    let (rounds, salt, key) = match parts {
        [salt, key] => (Some(SHA2CRYPT_ROUNDS), salt, key),
        [rounds, salt, key] => (rounds.strip_prefix("rounds=").and_then(number), salt, key),
        _ => return Err(malformed("SHA-crypt")),
    };
    let rounds = rounds.ok_or_else(|| unreadable("SHA-crypt"))?;
    let is_salt =
        (1..=16).contains(&salt.len()) && salt.bytes().all(|byte| byte.is_ascii_graphic());
    let is_key = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'));
    if !is_salt || !is_key {
        return Err(undecodable("SHA-crypt"));
    }
    Ok(Digest {
        scheme: Scheme::Sha2crypt { variant, rounds },
        salt: salt.as_bytes().to_vec(),
        key: key.as_bytes().to_vec(),
    })
}

fn decoded(
    scheme: Scheme,
    base64: Base64,
    salt: &str,
    key: &str,
    salt_min: usize,
) -> Result<Digest, String> {
    let (Some(salt), Some(key)) = (base64.decode(salt), base64.decode(key)) else {
        return Err(undecodable(scheme.name()));
    };
    let is_bcrypt = matches!(scheme, Scheme::Bcrypt { .. });
    if !(salt_min..=1_024).contains(&salt.len()) || (is_bcrypt && salt.len() != 16) {
        let found = format!(
            "a hash by {} with a salt of {} bytes",
            scheme.name(),
            salt.len()
        );
        return Err(found);
    }
    Ok(Digest { scheme, salt, key })
}

/// Decimal digits and nothing else.
fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// `name=number` for each of `names`, each once, in any order, and nothing else.
fn numbers(text: &str, names: [&str; 3]) -> Option<[u32; 3]> {
    let mut found = [None; 3];
    for parameter in text.split(',') {
        let (name, value) = parameter.split_once('=')?;
        let place = names.iter().position(|known| *known == name)?;
        let slot = found.get_mut(place)?;
        if slot.replace(number(value)?).is_some() {
            return None;
        }
    }
    let [Some(first), Some(second), Some(third)] = found else {
        return None;
    };
    Some([first, second, third])
}

/// Writes a digest.
pub(super) fn text(digest: &Digest) -> String {
    let with = |base64: Base64| (base64.encode(&digest.salt), base64.encode(&digest.key));
    match digest.scheme {
        Scheme::Argon2 {
            variant,
            memory_kib,
            iterations,
            parallelism,
        } => {
            let name = match variant {
                Argon2Variant::Id => "argon2id",
                Argon2Variant::I => "argon2i",
                Argon2Variant::D => "argon2d",
            };
            let (salt, key) = with(Base64::Standard);
            format!("${name}$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${key}")
        }
        Scheme::Bcrypt { variant, cost } => {
            let (salt, key) = with(Base64::Bcrypt);
            match variant {
                BcryptVariant::Sha256 => format!("$bcrypt-sha256$v=2,t=2b,r={cost}${salt}${key}"),
                BcryptVariant::A => format!("$2a${cost:02}${salt}{key}"),
                BcryptVariant::B => format!("$2b${cost:02}${salt}{key}"),
                BcryptVariant::X => format!("$2x${cost:02}${salt}{key}"),
                BcryptVariant::Y => format!("$2y${cost:02}${salt}{key}"),
            }
        }
        Scheme::Pbkdf2 { hash, iterations } => {
            let name = match hash {
                PbkdfHash::Sha1 => "pbkdf2",
                PbkdfHash::Sha224 => "pbkdf2-sha224",
                PbkdfHash::Sha256 => "pbkdf2-sha256",
                PbkdfHash::Sha384 => "pbkdf2-sha384",
                PbkdfHash::Sha512 => "pbkdf2-sha512",
            };
            let (salt, key) = with(Base64::Adapted);
            format!("${name}${iterations}${salt}${key}")
        }
        Scheme::Scrypt {
            log_n,
            block_size,
            parallelism,
        } => {
            let (salt, key) = with(Base64::Standard);
            format!("$scrypt$ln={log_n},r={block_size},p={parallelism}${salt}${key}")
        }
        Scheme::Yescrypt { log_n, block_size } => {
            let (salt, key) = with(Base64::Crypt);
            let costs = yescrypt_params(log_n, block_size).map(|params| params.to_string());
            format!("$y${}${salt}${key}", costs.unwrap_or_default())
        }
        Scheme::Sha2crypt { variant, rounds } => {
            let id = match variant {
                ShaVariant::Sha256 => "5",
                ShaVariant::Sha512 => "6",
            };
            let (salt, key) = (as_text(&digest.salt), as_text(&digest.key));
            match rounds {
                SHA2CRYPT_ROUNDS => format!("${id}${salt}${key}"),
                _ => format!("${id}$rounds={rounds}${salt}${key}"),
            }
        }
    }
}

fn as_text(ascii: &[u8]) -> String {
    String::from_utf8_lossy(ascii).into_owned()
}
