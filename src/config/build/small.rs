//! The sections with few keys: `log`, `theme`, `regulation`, `telemetry`, `storage`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quorate_core::TotpAlgorithm;

use crate::config::place::Findings;
use crate::config::secret::Secret;
use crate::config::types::{
    Log, LogFormat, LogLevel, Metrics, PasswordForm, PasswordPolicy, Regulation, RegulationModes,
    Storage, Telemetry, Theme, Totp,
};
use crate::config::value;
use crate::config::view::View;

/// The shortest `storage.encryption_key`, as in Authelia.
pub(crate) const ENCRYPTION_KEY_CHARS_MIN: usize = 20;

pub(crate) fn log(view: &View<'_>) -> Log {
    Log {
        level: match view.get("level").text() {
            Some("error") => LogLevel::Error,
            Some("warn") => LogLevel::Warn,
            Some("debug") => LogLevel::Debug,
            Some("trace") => LogLevel::Trace,
            _ => LogLevel::Info,
        },
        format: match view.get("format").text() {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
        file_path: view.get("file_path").owned(),
        keep_stdout: view.get("keep_stdout").flag(),
    }
}

pub(crate) fn theme(view: &View<'_>) -> Theme {
    match view.text() {
        Some("dark") => Theme::Dark,
        Some("grey") => Theme::Grey,
        Some("oled") => Theme::Oled,
        Some("auto") => Theme::Auto,
        _ => Theme::Light,
    }
}

pub(crate) fn regulation(view: &View<'_>, findings: &mut Findings) -> Regulation {
    let modes = view.get("modes").texts();
    let has = |mode: &str| modes.iter().any(|given| given == mode);
    let find_time = view.get("find_time");
    let regulation = Regulation {
        modes: RegulationModes {
            user: modes.is_empty() || has("user"),
            address: has("ip"),
        },
        max_retries: view.get("max_retries").bounded(3, 0..=1_000_000, findings),
        find_time: find_time.duration().unwrap_or(Duration::from_secs(120)),
        ban_time: view
            .get("ban_time")
            .duration()
            .unwrap_or(Duration::from_secs(300)),
    };
    if regulation.find_time > regulation.ban_time {
        let message = format!(
            "must be at most `ban_time`, is {} s with a `ban_time` of {} s",
            regulation.find_time.as_secs(),
            regulation.ban_time.as_secs()
        );
        find_time.problem(findings, message, "lower `find_time` or raise `ban_time`");
    }
    regulation
}

pub(crate) fn totp(view: &View<'_>, findings: &mut Findings) -> Totp {
    let digits = view.get("digits");
    let algorithm = view.get("algorithm");
    let is_known = algorithm
        .text()
        .is_none_or(|name| totp_algorithm(name).is_some());
    if !is_known {
        algorithm.problem(
            findings,
            "must be `SHA1`, `SHA256` or `SHA512`",
            "write one of these, or remove the key",
        );
    }
    if digits.bounded(6, 6..=8, findings) == 7 {
        digits.problem(
            findings,
            "must be 6 or 8, is 7",
            "write one of these, or remove the key",
        );
    }
    Totp {
        is_disabled: view.get("disable").flag(),
        issuer: view
            .get("issuer")
            .owned()
            .unwrap_or_else(|| "Authelia".to_owned()),
        algorithm: algorithm
            .text()
            .and_then(totp_algorithm)
            .unwrap_or(TotpAlgorithm::Sha1),
        digits: if digits.bounded(6, 6..=8, &mut Findings::default()) == 8 {
            8
        } else {
            6
        },
        period_s: view.get("period").bounded(30, 15..=86_400, findings),
        skew: u8::try_from(view.get("skew").bounded(1, 0..=10, findings)).unwrap_or(1),
        secret_bytes: view.get("secret_size").bounded(32, 20..=128, findings) as usize,
        may_repeat: view.get("disable_reuse_security_policy").flag(),
    }
}

pub(crate) fn password_policy(view: &View<'_>, findings: &mut Findings) -> PasswordPolicy {
    let (standard, zxcvbn) = (view.get("standard"), view.get("zxcvbn"));
    let is_on = |policy: &View<'_>| policy.get("enabled").flag();
    if is_on(&standard) && is_on(&zxcvbn) {
        zxcvbn.get("enabled").problem(
            findings,
            "must not be on together with `password_policy.standard`",
            "enable one of them",
        );
    }
    if is_on(&zxcvbn) {
        let min_score = zxcvbn.get("min_score").bounded(3, 1..=4, findings);
        return PasswordPolicy::Score { min_score };
    }
    if !is_on(&standard) {
        return PasswordPolicy::None;
    }
    PasswordPolicy::Form(PasswordForm {
        min_length: standard.get("min_length").bounded(8, 1..=1_000, findings),
        max_length: standard.get("max_length").bounded(0, 0..=1_000, findings),
        require_uppercase: standard.get("require_uppercase").flag(),
        require_lowercase: standard.get("require_lowercase").flag(),
        require_number: standard.get("require_number").flag(),
        require_special: standard.get("require_special").flag(),
    })
}

/// The algorithm of that name; in any case, as in Authelia.
pub(crate) fn totp_algorithm(name: &str) -> Option<TotpAlgorithm> {
    match name.to_ascii_uppercase().as_str() {
        "SHA1" => Some(TotpAlgorithm::Sha1),
        "SHA256" => Some(TotpAlgorithm::Sha256),
        "SHA512" => Some(TotpAlgorithm::Sha512),
        _ => None,
    }
}

/// Mail is what a forgotten password is reset by; where nothing is reset, nothing relies on it.
pub(crate) fn notifier(notifier: &View<'_>, backend: &View<'_>, findings: &mut Findings) {
    let sections = notifier.named();
    let Some((_, smtp)) = sections.iter().find(|(name, _)| *name == "smtp") else {
        return;
    };
    if smtp.named().is_empty() {
        return;
    }
    let reset = backend.get("password_reset");
    if reset.get("disable").flag() || reset.get("custom_url").is_set() {
        smtp.notice(findings, "accepted; has no effect yet: no mail is sent");
        return;
    }
    smtp.problem(
        findings,
        "is not supported yet, and passwords are reset by mail",
        "set `authentication_backend.password_reset.disable: true`, and it is accepted; or write \
         `notifier.filesystem.filename` instead",
    );
}

pub(crate) fn telemetry(view: &View<'_>) -> Telemetry {
    let metrics = view.get("metrics");
    if !metrics.get("enabled").flag() {
        return Telemetry { metrics: None };
    }
    let text = metrics
        .get("address")
        .text()
        .unwrap_or("tcp://:9959/metrics");
    let metrics = value::address(text, 9959).ok().map(|address| Metrics {
        address: address.listen,
        path: if address.path.is_empty() {
            "/metrics".to_owned()
        } else {
            address.path
        },
    });
    Telemetry { metrics }
}

pub(crate) fn storage(view: &View<'_>, findings: &mut Findings) -> Storage {
    let key = view.get("encryption_key");
    let text = key.text().unwrap_or_default();
    let advice = "set it to a random text, such as the output of `openssl rand -hex 32`; it is the same on all members";
    if text.is_empty() {
        key.problem(findings, "is required", advice);
    } else if text.chars().count() < ENCRYPTION_KEY_CHARS_MIN {
        let message = format!(
            "must have at least {ENCRYPTION_KEY_CHARS_MIN} characters, has {}",
            text.chars().count()
        );
        key.problem(findings, message, advice);
    }
    let local_dir = view.get("local.path").text().map(|path| {
        let parent = Path::new(path).parent().unwrap_or(Path::new(""));
        if parent.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            parent.to_owned()
        }
    });
    Storage {
        encryption_key: Secret::new(text),
        local_dir,
    }
}
