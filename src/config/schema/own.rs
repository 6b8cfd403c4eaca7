//! Keys of our own, and keys of development branches of Authelia that a configuration may already hold.
//!
//! One row per key: path (`[]` any item, `*` any name), kind, default as text.

use super::Kind::{Address, Any, Duration, Flag, Secret, Text, Texts, Word};
use super::Row;

#[rustfmt::skip]
pub(super) const KEYS: &[Row] = &[
    ("server.trusted_proxies", Texts, "127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, ::1, fc00::/7"),
    ("server.proxy_protocol", Flag, "false"),
    ("server.grpc.address", Address, ""),
    ("server.spoe.address", Address, ""),
    ("cluster.name", Text, "the host name"),
    ("cluster.address", Address, "tcp://:9092"),
    ("cluster.advertise", Text, "as in members, else name and port"),
    ("cluster.members", Texts, ""),
    ("cluster.secret", Secret, ""),
    ("cluster.data_dir", Text, "quorate/ beside storage.local.path, else /var/lib/quorate"),
    ("cluster.max_staleness", Duration, "3s"),
    ("cluster.drain_delay", Duration, "1500ms"),
    ("cluster.reads", Word(&["lease", "strict"]), "lease"),
    ("cluster.tls", Any, ""),
    ("authentication_backend.replicated", Any, ""),
    ("authentication_backend.known_ip", Any, ""),
    ("cache", Any, ""),
    ("session.storage", Text, ""),
    ("administration.enabled", Flag, "false"),
    ("administration.enable_user_management", Flag, "false"),
    ("administration.admin_group", Text, ""),
    ("administration.allow_admins_to_add_admins", Flag, "false"),
    ("webauthn.relying_parties", Any, ""),
    ("identity_providers.oidc.dpop", Any, ""),
];
