//! Older names of keys, which Authelia still takes.

use super::Kind::{Count, Duration, Flag, Secret, Text};
use super::Row;

/// An older name and what took its place.
#[derive(Debug)]
pub(crate) struct Renamed {
    pub(crate) from: &'static str,
    /// The new path; the value is moved there unless `moved` is false.
    pub(crate) to: &'static str,
    /// Whether the value is moved as it is. If not, the section that knows both makes the new from the old.
    pub(crate) moved: bool,
    pub(crate) note: &'static str,
}

const fn moved(from: &'static str, to: &'static str) -> Renamed {
    let note = "an older name; the value is taken";
    Renamed {
        from,
        to,
        moved: true,
        note,
    }
}

const fn known(from: &'static str, to: &'static str) -> Renamed {
    let note = "an older form; the value is taken";
    Renamed {
        from,
        to,
        moved: false,
        note,
    }
}

/// In the order they are carried out: `host` becomes `server.host`, which then becomes part of `server.address`.
pub(crate) const RENAMED: &[Renamed] = &[
    moved("logs_level", "log.level"),
    moved("logs_file", "log.file_path"),
    moved("log_level", "log.level"),
    moved("log_file_path", "log.file_path"),
    moved("log_format", "log.format"),
    moved("host", "server.host"),
    moved("port", "server.port"),
    moved("tls_key", "server.tls.key"),
    moved("tls_cert", "server.tls.certificate"),
    moved(
        "jwt_secret",
        "identity_validation.reset_password.jwt_secret",
    ),
    moved("server.read_buffer_size", "server.buffers.read"),
    moved("server.write_buffer_size", "server.buffers.write"),
    moved("server.enable_pprof", "server.endpoints.enable_pprof"),
    moved("server.enable_expvars", "server.endpoints.enable_expvars"),
    moved("session.remember_me_duration", "session.remember_me"),
    moved(
        "authentication_backend.disable_reset_password",
        "authentication_backend.password_reset.disable",
    ),
    moved(
        "webauthn.user_verification",
        "webauthn.selection_criteria.user_verification",
    ),
    moved("storage.postgres.sslmode", "storage.postgres.ssl.mode"),
    moved(
        "authentication_backend.file.password.iterations",
        "authentication_backend.file.password.argon2.iterations",
    ),
    moved(
        "authentication_backend.file.password.parallelism",
        "authentication_backend.file.password.argon2.parallelism",
    ),
    moved(
        "authentication_backend.file.password.key_length",
        "authentication_backend.file.password.argon2.key_length",
    ),
    moved(
        "authentication_backend.file.password.salt_length",
        "authentication_backend.file.password.argon2.salt_length",
    ),
    known(
        "authentication_backend.file.password.memory",
        "authentication_backend.file.password.argon2.memory",
    ),
    moved(
        "authentication_backend.ldap.url",
        "authentication_backend.ldap.address",
    ),
    moved(
        "authentication_backend.ldap.skip_verify",
        "authentication_backend.ldap.tls.skip_verify",
    ),
    moved(
        "authentication_backend.ldap.minimum_tls_version",
        "authentication_backend.ldap.tls.minimum_version",
    ),
    moved(
        "authentication_backend.ldap.username_attribute",
        "authentication_backend.ldap.attributes.username",
    ),
    moved(
        "authentication_backend.ldap.mail_attribute",
        "authentication_backend.ldap.attributes.mail",
    ),
    moved(
        "authentication_backend.ldap.display_name_attribute",
        "authentication_backend.ldap.attributes.display_name",
    ),
    moved(
        "authentication_backend.ldap.group_name_attribute",
        "authentication_backend.ldap.attributes.group_name",
    ),
    moved(
        "notifier.smtp.disable_verify_cert",
        "notifier.smtp.tls.skip_verify",
    ),
    known("notifier.smtp.trusted_cert", "certificates_directory"),
    known("notifier.smtp.host", "notifier.smtp.address"),
    known("notifier.smtp.port", "notifier.smtp.address"),
    known("server.host", "server.address"),
    known("server.port", "server.address"),
    known("server.path", "server.address"),
    known("session.domain", "session.cookies"),
    known(
        "default_redirection_url",
        "session.cookies[].default_redirection_url",
    ),
    known("access_control.networks", "definitions.network"),
];

/// The older names that the other tables do not hold.
#[rustfmt::skip]
pub(super) const KEYS: &[Row] = &[
    ("logs_level", Text, ""),
    ("logs_file", Text, ""),
    ("log_level", Text, ""),
    ("log_file_path", Text, ""),
    ("log_format", Text, ""),
    ("host", Text, ""),
    ("port", Count, ""),
    ("tls_key", Text, ""),
    ("tls_cert", Text, ""),
    ("jwt_secret", Secret, ""),
    ("server.host", Text, ""),
    ("server.port", Count, ""),
    ("server.path", Text, ""),
    ("server.read_buffer_size", Count, ""),
    ("server.write_buffer_size", Count, ""),
    ("server.enable_pprof", Flag, ""),
    ("server.enable_expvars", Flag, ""),
    ("session.remember_me_duration", Duration, ""),
    ("authentication_backend.disable_reset_password", Flag, ""),
    ("webauthn.user_verification", Text, ""),
    ("authentication_backend.ldap.url", Text, ""),
    ("authentication_backend.ldap.skip_verify", Flag, ""),
    ("authentication_backend.ldap.minimum_tls_version", Text, ""),
    ("authentication_backend.ldap.username_attribute", Text, ""),
    ("authentication_backend.ldap.mail_attribute", Text, ""),
    ("authentication_backend.ldap.display_name_attribute", Text, ""),
    ("authentication_backend.ldap.group_name_attribute", Text, ""),
    ("notifier.smtp.disable_verify_cert", Flag, ""),
    ("notifier.smtp.trusted_cert", Text, ""),
    ("storage.mysql.host", Text, ""),
    ("storage.mysql.port", Count, ""),
    ("storage.postgres.host", Text, ""),
    ("storage.postgres.port", Count, ""),
    ("storage.postgres.sslmode", Text, ""),
];

/// The renaming that `path` is subject to.
pub(super) fn of(path: &str) -> Option<&'static Renamed> {
    RENAMED.iter().find(|renamed| {
        path.strip_prefix(renamed.from)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
