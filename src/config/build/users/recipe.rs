//! `authentication_backend.file.password` and `….replicated.password`: how new passwords are hashed.

use crate::authn::digest::{Argon2Variant, BcryptVariant, PbkdfHash, Recipe, Scheme, ShaVariant};
use crate::config::place::Findings;
use crate::config::view::View;

/// How new passwords are hashed: the section of the chosen algorithm, with Authelia's defaults.
pub(super) fn recipe(view: &View<'_>, findings: &mut Findings) -> Recipe {
    let algorithm = view.get("algorithm");
    // The older names of two algorithms are those of their variants.
    let (section, read): (_, fn(&View<'_>, &View<'_>, &mut Findings) -> Recipe) =
        match algorithm.text() {
            None | Some("argon2" | "argon2id") => ("argon2", argon2),
            Some("sha2crypt" | "sha512") => ("sha2crypt", sha2crypt),
            Some("pbkdf2") => ("pbkdf2", pbkdf2),
            Some("bcrypt") => ("bcrypt", bcrypt),
            Some("scrypt") => ("scrypt", scrypt),
            Some(other) => {
                let message = format!("is `{other}`, which is not an algorithm for passwords");
                let advice = "write argon2, sha2crypt, pbkdf2, bcrypt or scrypt";
                algorithm.problem(findings, message, advice);
                return Recipe::DEFAULT;
            }
        };
    let own = view.get(section);
    let recipe = read(&own, view, findings);
    if let Err(found) = recipe.check() {
        own.problem(findings, found, "lower the costs, or leave them out");
    }
    recipe
}

fn argon2(own: &View<'_>, section: &View<'_>, findings: &mut Findings) -> Recipe {
    let mut number = |name: &str, default: u32, bounds: std::ops::RangeInclusive<u32>| {
        own.get(name).bounded(default, bounds, findings)
    };
    let iterations = number("iterations", 3, 1..=10_000);
    let mut memory_kib = number("memory", 64 << 10, 8..=4 << 20);
    let parallelism = number("parallelism", 4, 1..=256);
    let key_length = number("key_length", 32, 4..=1_024);
    let salt_length = number("salt_length", 16, 8..=1_024);
    if !own.get("memory").is_set() && section.get("memory").is_set() {
        // The older key counts in MiB.
        memory_kib = section.get("memory").bounded(64, 1..=4_096, findings) * 1_024;
    }
    let memory_min = parallelism * 8;
    if memory_kib < memory_min {
        let message =
            format!("must be at least 8 KiB per lane, so {memory_min}, is `{memory_kib}`");
        own.get("memory")
            .problem(findings, message, "raise `memory` or lower `parallelism`");
        memory_kib = memory_min;
    }
    Recipe {
        scheme: Scheme::Argon2 {
            variant: match own.get("variant").text() {
                Some("argon2i" | "i") => Argon2Variant::I,
                Some("argon2d" | "d") => Argon2Variant::D,
                _ => Argon2Variant::Id,
            },
            memory_kib,
            iterations,
            parallelism,
        },
        salt_bytes: length(salt_length),
        key_bytes: length(key_length),
    }
}

fn sha2crypt(own: &View<'_>, _: &View<'_>, findings: &mut Findings) -> Recipe {
    let variants = [
        ("sha512", ShaVariant::Sha512),
        ("sha256", ShaVariant::Sha256),
    ];
    let rounds = own
        .get("iterations")
        .bounded(50_000, 1_000..=10_000_000, findings);
    let salt = own.get("salt_length").bounded(16, 1..=16, findings);
    Recipe {
        scheme: Scheme::Sha2crypt {
            variant: one_of(&own.get("variant"), ShaVariant::Sha512, &variants, findings),
            rounds,
        },
        salt_bytes: length(salt),
        ..Recipe::DEFAULT
    }
}

fn pbkdf2(own: &View<'_>, _: &View<'_>, findings: &mut Findings) -> Recipe {
    let variants = [
        ("sha512", PbkdfHash::Sha512),
        ("sha384", PbkdfHash::Sha384),
        ("sha256", PbkdfHash::Sha256),
        ("sha224", PbkdfHash::Sha224),
        ("sha1", PbkdfHash::Sha1),
    ];
    let hash = one_of(&own.get("variant"), PbkdfHash::Sha512, &variants, findings);
    let default = match hash {
        PbkdfHash::Sha1 => 1_600_000,
        PbkdfHash::Sha224 => 900_000,
        PbkdfHash::Sha256 => 700_000,
        PbkdfHash::Sha384 => 280_000,
        PbkdfHash::Sha512 => 310_000,
    };
    let bounds = 100_000..=20_000_000;
    let iterations = own.get("iterations").bounded(default, bounds, findings);
    let salt = own.get("salt_length").bounded(16, 8..=1_024, findings);
    Recipe {
        scheme: Scheme::Pbkdf2 { hash, iterations },
        salt_bytes: length(salt),
        ..Recipe::DEFAULT
    }
}

fn bcrypt(own: &View<'_>, _: &View<'_>, findings: &mut Findings) -> Recipe {
    let variants = [
        ("standard", BcryptVariant::B),
        ("sha256", BcryptVariant::Sha256),
    ];
    let variant = one_of(&own.get("variant"), BcryptVariant::B, &variants, findings);
    let cost = own.get("cost").bounded(12, 10..=17, findings);
    Recipe {
        scheme: Scheme::Bcrypt { variant, cost },
        ..Recipe::DEFAULT
    }
}

fn scrypt(own: &View<'_>, _: &View<'_>, findings: &mut Findings) -> Recipe {
    let is_yescrypt = one_of(
        &own.get("variant"),
        false,
        &[("scrypt", false), ("yescrypt", true)],
        findings,
    );
    let mut number = |name: &str, default: u32, bounds: std::ops::RangeInclusive<u32>| {
        own.get(name).bounded(default, bounds, findings)
    };
    let log_n = number("iterations", 16, 1..=58);
    let block_size = number("block_size", 8, 1..=1 << 20);
    let parallelism = number("parallelism", 1, 1..=1 << 20);
    let (key, salt) = (
        number("key_length", 32, 4..=1_024),
        number("salt_length", 16, 8..=1_024),
    );
    let log_n = u8::try_from(log_n).unwrap_or(u8::MAX);
    let scheme = if is_yescrypt {
        Scheme::Yescrypt { log_n, block_size }
    } else {
        Scheme::Scrypt {
            log_n,
            block_size,
            parallelism,
        }
    };
    Recipe {
        scheme,
        salt_bytes: length(salt),
        key_bytes: length(key),
    }
}

/// The value of that name; `default` if none is given.
fn one_of<T: Copy>(view: &View<'_>, default: T, known: &[(&str, T)], findings: &mut Findings) -> T {
    let Some(text) = view.text() else {
        return default;
    };
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return *value;
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let message = format!("must be one of {}, is `{text}`", names.join(", "));
    view.problem(findings, message, "");
    default
}

fn length(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
