//! The table of keys is complete and consistent.

use std::collections::BTreeSet;

use crate::config::reference;
use crate::config::schema::{Key, Kind, Status, remark, schema};

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
        let Key { path, status, .. } = key;
        assert!(seen.insert(path), "{path} is there twice");
        assert!(
            !key.note.is_empty() || *status == Status::Supported,
            "{path}"
        );
        assert_eq!(key.now.is_empty(), *status != Status::Deprecated, "{path}");
    }
}

#[test]
fn every_key_of_our_own_says_what_it_does() {
    let authelia: BTreeSet<&str> = AUTHELIA.lines().collect();
    let silent: Vec<&str> = schema()
        .iter()
        .filter(|key| key.note.is_empty() && !authelia.contains(key.path))
        .map(|key| key.path)
        .collect();
    assert_eq!(silent, [""; 0], "say it in src/config/schema/remark.rs");
}

#[test]
fn every_remark_is_about_a_key() {
    for path in remark::paths() {
        let is_said = schema().iter().any(|key| key.note == remark::of(path));
        assert!(is_said, "no supported key is at `{path}`");
    }
}

/// The generated files are part of the documentation, so they are there without running anything.
#[test]
fn the_reference_is_up_to_date() {
    let written = include_str!("../../../docs/configuration.md");
    assert!(
        written == reference::markdown(),
        "write it again: cargo run -- config reference > docs/configuration.md"
    );
    let written = include_str!("../../../docs/configuration.schema.json");
    assert!(
        written == reference::json_schema(),
        "write it again: cargo run -- config reference --format json-schema > docs/configuration.schema.json"
    );
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
