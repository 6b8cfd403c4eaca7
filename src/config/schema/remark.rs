//! What supported keys do here, where the name does not say it or Authelia's documentation says something else.

/// A path (of a key, or of a section for all keys in it) and one sentence without a full stop.
type Remark = (&'static str, &'static str);

/// The longest path that is a prefix of a key decides.
#[rustfmt::skip]
const REMARKS: &[Remark] = &[
    ("access_control.rules[].domain", "a text or a list; required unless `domain_regex` is there"),
    ("access_control.rules[].resources", "matched against the normalised path with its query"),
    ("access_control.rules[].subject", "a list is OR, a list in it is AND: `user:NAME`, `group:NAME`, `oauth2:client:ID`"),
    ("authentication_backend.file.password", "new digests, and how much work a login with an unknown name is"),
    ("authentication_backend.file.path", "the users file, as Authelia writes it; required unless `authentication_backend.replicated` is there"),
    ("authentication_backend.replicated", "keeps users in the cluster instead of a file; `replicated: {}` is enough"),
    ("authentication_backend.replicated.password", "new digests, and how much work a login with an unknown name is"),
    ("cluster.address", "where the other members reach this one; always mutual TLS, made from `cluster.secret`"),
    ("cluster.advertise", "the address that others are told for this member"),
    ("cluster.data_dir", "where this member keeps what is replicated; lost, it is fetched from the others"),
    ("cluster.drain_delay", "how long a node that stops says so to proxies before it closes its port"),
    ("cluster.max_staleness", "how long a member decides without a word from the leader; then it answers 503"),
    ("cluster.members", "`name=host:port` of every member, the same list everywhere; without it there is one node"),
    ("cluster.name", "this member's name in `cluster.members`"),
    ("cluster.reads", "`strict` asks the leader at every decision"),
    ("cluster.secret", "the same on all members; 20 characters or more"),
    ("definitions.network", "a name and its networks, for `networks` of rules"),
    ("log.file_path", "`%d` and `{datetime}` stand for the time in UTC, `{datetime:2006-01-02}` for parts of it; SIGHUP opens the file anew"),
    ("log.keep_stdout", "besides the file; without a file, lines go to standard error"),
    ("regulation.max_retries", "exact in the whole cluster; 0 counts nothing"),
    ("regulation.modes", "`user`, `ip` or both"),
    ("server.address", "the path is one segment, and everything is served at the root as well; who comes through a unix socket counts as 127.0.0.1"),
    ("server.buffers.read", "the largest request head; less than 16384 is raised to it"),
    ("server.endpoints.authz.*.implementation", "a name becomes `/api/authz/NAME`; one entry replaces the four built-in endpoints"),
    ("server.endpoints.authz.*.authn_strategies[].scheme_basic_cache_lifespan", "for how long a node does not check good credentials again; they end with the password, and do not count while banned"),
    ("server.endpoints.authz.*.authn_strategies[].schemes", "`basic` works; `bearer` is accepted and lets nobody pass yet"),
    ("server.timeouts.idle", "less than 120 s is raised to it, so that the proxy is the side that closes"),
    ("server.grpc.address", "Envoy asks here over gRPC, with the certificate of `server.tls`; without it nobody can"),
    ("server.headers.csp_template", "the whole policy of pages; `${NONCE}` becomes the nonce"),
    ("server.proxy_protocol", "every connection to `server.address` begins with a PROXY protocol header, of `server.trusted_proxies`"),
    ("server.spoe.address", "HAProxy finds an agent here, with the certificate of `server.tls`; without it there is none"),
    ("server.tls.client_certificates", "files of authorities; who connects without a certificate of theirs is not answered"),
    ("server.tls", "read again by SIGHUP or `quorate config reload`"),
    ("server.trusted_proxies", "whose `X-Forwarded-*` count: addresses and networks, or `none`"),
    ("session.cookies[].domain", "required, without a wildcard; a narrower domain comes before the one that covers it"),
    ("session.cookies[].authelia_url", "required; https, below the domain"),
    ("session.expiration", "checked at every request"),
    ("session.remember_me", "`-1` removes the box"),
    ("storage.encryption_key", "required, 20 characters or more; seals what is secret in the data directory"),
    ("telemetry.metrics.address", "plain HTTP on a port of its own"),
    ("theme", "`auto` is what the browser prefers"),
    ("totp.issuer", "the name in the authenticator app; a device keeps what it was set up with"),
    ("totp.disable_reuse_security_policy", "`true` accepts a code more than once"),
];

/// The remark on a key; empty if it does what its name says.
pub(crate) fn of(path: &str) -> &'static str {
    REMARKS
        .iter()
        .filter(|(prefix, _)| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or("", |(_, remark)| remark)
}

/// Remarks that no key has, for the test of the table.
#[cfg(test)]
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    REMARKS.iter().map(|(path, _)| *path)
}
