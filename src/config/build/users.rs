//! `authentication_backend`: users from a file.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::place::Findings;
use crate::config::types::{Argon2Params, Argon2Variant, Refresh, UsersFile};
use crate::config::view::View;

pub(crate) fn users(view: &View<'_>, findings: &mut Findings) -> UsersFile {
    let file = view.get("file");
    let path = file.get("path");
    let other = ["ldap", "replicated"]
        .iter()
        .any(|name| view.get(name).is_set());
    if !path.is_set() && !other {
        path.problem(
            findings,
            "is required: there are no users",
            "name the users file, such as `/config/users_database.yml`",
        );
    }
    let extra = file.get("extra_attributes").named();
    UsersFile {
        path: PathBuf::from(path.text().unwrap_or_default()),
        watch: file.get("watch").flag(),
        password: argon2(&file.get("password"), findings),
        search_email: file.get("search.email").flag(),
        case_insensitive: file.get("search.case_insensitive").flag(),
        refresh_interval: refresh(&view.get("refresh_interval")),
        extra_attributes: extra.into_iter().map(|(name, _)| name.to_owned()).collect(),
    }
}

fn refresh(view: &View<'_>) -> Refresh {
    match view.text() {
        Some("always") => Refresh::Always,
        Some("disable") => Refresh::Never,
        _ => match view.duration() {
            Some(Duration::ZERO) => Refresh::Always,
            given => Refresh::Every(given.unwrap_or(Duration::from_secs(300))),
        },
    }
}

fn argon2(view: &View<'_>, findings: &mut Findings) -> Argon2Params {
    let algorithm = view.get("algorithm");
    match algorithm.text() {
        None | Some("argon2" | "argon2id") => {}
        Some("sha2crypt" | "sha512" | "pbkdf2" | "bcrypt" | "scrypt") => {
            algorithm.notice(
                findings,
                "accepted; has no effect yet: new hashes are Argon2",
            );
        }
        Some(other) => {
            algorithm.problem(findings, format!("must be `argon2`, is `{other}`"), "");
        }
    }
    let own = view.get("argon2");
    let mut number = |name: &str, default: u32, bounds: std::ops::RangeInclusive<u32>| {
        own.get(name).bounded(default, bounds, findings)
    };
    let mut params = Argon2Params {
        variant: match own.get("variant").text() {
            Some("argon2i" | "i") => Argon2Variant::I,
            Some("argon2d" | "d") => Argon2Variant::D,
            _ => Argon2Variant::Id,
        },
        iterations: number("iterations", 3, 1..=10_000),
        memory_kib: number("memory", 64 << 10, 8..=4 << 20),
        parallelism: number("parallelism", 4, 1..=256),
        key_length: number("key_length", 32, 4..=1_024),
        salt_length: number("salt_length", 16, 8..=1_024),
    };
    if !own.get("memory").is_set() && view.get("memory").is_set() {
        // The older key counts in MiB.
        params.memory_kib = view.get("memory").bounded(64, 1..=4_096, findings) * 1_024;
    }
    let memory_min = params.parallelism * 8;
    if params.memory_kib < memory_min {
        let message = format!(
            "must be at least 8 KiB per lane, so {memory_min}, is `{}`",
            params.memory_kib
        );
        own.get("memory")
            .problem(findings, message, "raise `memory` or lower `parallelism`");
    }
    params
}
