//! The table of keys is complete and consistent.

use std::collections::BTreeSet;

use crate::config::schema::{Kind, Status, schema};

/// Every key of Authelia's configuration, one per line.
const AUTHELIA: &str = include_str!("../../../tests/data/config/authelia-keys.txt");

#[test]
fn every_key_of_authelia_is_in_the_table() {
    let known: BTreeSet<&str> = schema().iter().map(|key| key.path).collect();
    let missing: Vec<&str> = AUTHELIA
        .lines()
        .filter(|path| !known.contains(path))
        .collect();
    assert_eq!(missing, [""; 0]);
    assert!(AUTHELIA.lines().count() > 450);
}

#[test]
fn no_key_is_there_twice_and_each_status_but_supported_says_why() {
    let mut seen = BTreeSet::new();
    for key in schema() {
        assert!(seen.insert(key.path), "{} is there twice", key.path);
        assert_eq!(
            key.note.is_empty(),
            key.status == Status::Supported,
            "{}",
            key.path
        );
    }
}

#[test]
fn no_key_is_also_a_section() {
    for key in schema().iter().filter(|key| key.kind != Kind::Any) {
        let inside = |other: &str| {
            other
                .strip_prefix(key.path)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        assert!(
            !schema().iter().any(|other| inside(other.path)),
            "{}",
            key.path
        );
    }
}

#[test]
fn statuses_are_as_documented() {
    let status = |path: &str| {
        schema()
            .iter()
            .find(|key| key.path == path)
            .map(|key| key.status)
    };
    assert_eq!(status("session.expiration"), Some(Status::Supported));
    assert_eq!(
        status("session.redis.tls.server_name"),
        Some(Status::NotNeeded)
    );
    assert_eq!(status("totp.issuer"), Some(Status::Supported));
    assert_eq!(
        status("notifier.filesystem.filename"),
        Some(Status::NoEffectYet)
    );
    assert_eq!(
        status("notifier.smtp.tls.skip_verify"),
        Some(Status::Refused)
    );
    assert_eq!(
        status("identity_providers.oidc.clients[].client_id"),
        Some(Status::Refused)
    );
    assert_eq!(status("cluster.members"), Some(Status::Supported));
    assert_eq!(status("server.port"), Some(Status::Deprecated));
}
