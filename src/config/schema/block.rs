//! What becomes of whole sections: which are taken, which are not needed, which wait, and which are refused.

use super::Status::{self, NoEffectYet, NotNeeded, Refused, Supported};

/// A section or key whose status differs from that of what it is part of.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) path: &'static str,
    pub(crate) status: Status,
    /// Why; for a refused section what to write instead.
    pub(crate) note: &'static str,
}

const fn block(path: &'static str, status: Status, note: &'static str) -> Block {
    Block { path, status, note }
}

/// The longest path that is a prefix of a key decides; a key without any is supported.
#[rustfmt::skip]
pub(super) const BLOCKS: &[Block] = &[
    block("administration", NoEffectYet, "pages for administrators are not there yet"),
    block("authentication_backend.file.extra_attributes", NoEffectYet, "extra attributes are read and kept out of headers and rules"),
    block("authentication_backend.known_ip", NoEffectYet, "no mail is sent about new addresses"),
    block("authentication_backend.ldap", Refused, "write `authentication_backend.file.path` or `authentication_backend.replicated` instead"),
    block("authentication_backend.password_change", NoEffectYet, "passwords are not changed in the portal yet"),
    block("authentication_backend.password_reset", NoEffectYet, "passwords are not reset in the portal yet"),
    block("authentication_backend.refresh_interval", NotNeeded, "users are in memory, and every request is judged by what is known of them now"),
    block("cache", NotNeeded, "sessions are replicated by the members themselves"),
    block("certificates_directory", NoEffectYet, "no outgoing connection needs it yet"),
    block("cluster.tls", Refused, "write `cluster.secret`, from which the members make their certificates"),
    block("default_2fa_method", NoEffectYet, "there is one second factor, the one-time password"),
    block("definitions.user_attributes", NoEffectYet, "only OpenID Connect claims use them"),
    block("duo_api", Refused, "set `duo_api.disable: true` or remove the section"),
    block("identity_providers", NoEffectYet, "without clients nothing is served"),
    block("identity_providers.oidc", Refused, "applications that log in by OpenID Connect cannot: remove `clients`, or keep Authelia for them"),
    block("identity_validation", NoEffectYet, "nothing needs a confirmation by mail yet"),
    block("notifier", NoEffectYet, "no messages are sent yet"),
    block("notifier.smtp", Refused, "no mail is sent yet: set `authentication_backend.password_reset.disable: true`, and it is accepted; or write `notifier.filesystem.filename` instead"),
    block("ntp", NotNeeded, "members compare their clocks with one another"),
    block("password_policy", NoEffectYet, "programs are told; passwords are not changed in the portal yet"),
    block("privacy_policy", NoEffectYet, "the portal does not show it yet"),
    block("server.asset_path", NoEffectYet, "logo, icon and words are the built-in ones"),
    block("server.buffers.write", NotNeeded, "responses are written without a buffer of fixed size"),
    block("server.disable_healthcheck", NotNeeded, "`/api/health` is always there and costs nothing"),
    block("server.endpoints.enable_expvars", NotNeeded, "variables of the Go runtime; see `telemetry.metrics`"),
    block("server.endpoints.enable_pprof", NotNeeded, "profiles of the Go runtime; see `telemetry.metrics`"),
    block("server.endpoints.rate_limits", NoEffectYet, "the requests they limit are not there yet"),
    block("server.endpoints.rate_limits.second_factor_totp", Supported, ""),
    block("server.timeouts.read", NotNeeded, "a request's head may take as long as `idle`, a body 10 s"),
    block("server.timeouts.write", NotNeeded, "a response is at most a page long"),
    block("session.redis", NotNeeded, "sessions are replicated by the members themselves; no Redis is used"),
    block("session.secret", NotNeeded, "no store outside the members holds sessions"),
    block("session.storage", NotNeeded, "sessions are replicated by the members themselves"),
    block("storage.encryption_key", Supported, ""),
    block("storage.local", NotNeeded, "no SQLite file is kept; `cluster.data_dir` is put beside it"),
    block("storage.mysql", NotNeeded, "the members keep what they need; no database is used"),
    block("storage.postgres", NotNeeded, "the members keep what they need; no database is used"),
    block("telemetry.metrics.buffers", NotNeeded, "the listener has bounds of its own"),
    block("telemetry.metrics.timeouts", NotNeeded, "the listener has bounds of its own"),
    block("totp.allowed_algorithms", NoEffectYet, "devices are set up by `quorate storage user totp generate` for now"),
    block("totp.allowed_digits", NoEffectYet, "devices are set up by `quorate storage user totp generate` for now"),
    block("totp.allowed_periods", NoEffectYet, "devices are set up by `quorate storage user totp generate` for now"),
    block("webauthn", NoEffectYet, "there are no passkeys yet; people log in with a password, and second factors are one-time passwords"),
];

/// The block that decides about `path`, if any.
pub(super) fn of(path: &str) -> Option<&'static Block> {
    BLOCKS
        .iter()
        .filter(|block| {
            path.strip_prefix(block.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
        .max_by_key(|block| block.path.len())
}
