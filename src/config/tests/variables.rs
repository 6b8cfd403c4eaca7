//! Environment variables.

use super::{BASE, load, printed};

#[test]
fn a_variable_sets_a_key_and_ours_wins() {
    let config = load(
        &[("base.yml", BASE), ("c.yml", "theme: light\n")],
        &[
            ("QUORATE_THEME", "oled"),
            ("AUTHELIA_THEME", "dark"),
            ("AUTHELIA_REGULATION_MAX_RETRIES", "7"),
            ("AUTHELIA_REGULATION_MODES", "user, ip"),
            ("AUTHELIA_LOG_KEEP_STDOUT", "true"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.theme, crate::config::Theme::Oled);
    assert_eq!(config.regulation.max_retries, 7);
    assert!(config.regulation.modes.user && config.regulation.modes.address);
    assert!(config.log.keep_stdout);
}

#[test]
fn a_secret_may_come_from_a_file_without_its_last_line_break() {
    let base = BASE.replace(
        "{encryption_key: aaaaaaaaaaaaaaaaaaaaaaaa}",
        "{local: {path: /data/db.sqlite3}}",
    );
    for name in [
        "AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE",
        "QUORATE_STORAGE_ENCRYPTION_KEY_FILE",
    ] {
        let config = load(&[("c.yml", &base)], &[(name, "/secrets/key")]).unwrap();
        assert_eq!(
            config.storage.encryption_key.reveal(),
            "a key of more than twenty characters"
        );
    }
    let cluster = format!("{BASE}cluster: {{members: [n1=a:1]}}\n");
    let config = load(
        &[("c.yml", &cluster)],
        &[("QUORATE_CLUSTER_SECRET_FILE", "/secrets/key")],
    )
    .unwrap();
    assert_eq!(
        config.cluster.secret.unwrap().reveal(),
        "a key of more than twenty characters"
    );
}

#[test]
fn a_secret_given_twice_is_refused() {
    let twice =
        |variables: &[(&str, &str)]| printed(&load(&[("c.yml", BASE)], variables).unwrap_err());
    assert_eq!(
        twice(&[("AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE", "/secrets/key")]),
        [
            "environment variable AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: storage.encryption_key: is set there and also in c.yml:1:27; keep one of the two"
        ]
    );
    let secret = "aaaaaaaaaaaaaaaaaaaaaaaa";
    assert_eq!(
        twice(&[
            ("QUORATE_CLUSTER_SECRET", secret),
            ("QUORATE_CLUSTER_SECRET_FILE", "/secrets/key")
        ]),
        [
            "environment variable QUORATE_CLUSTER_SECRET_FILE: cluster.secret: is set there and also by QUORATE_CLUSTER_SECRET; keep one of the two"
        ]
    );
    assert_eq!(
        twice(&[("QUORATE_CLUSTER_SECRET_FILE", "/nowhere")]),
        [
            "environment variable QUORATE_CLUSTER_SECRET_FILE: cluster.secret: cannot be read from `/nowhere`: entity not found; correct the path or the file's permissions"
        ]
    );
}

#[test]
fn a_variable_of_the_wrong_kind_is_named() {
    let found = printed(
        &load(
            &[("c.yml", BASE)],
            &[("AUTHELIA_REGULATION_BAN_TIME", "long")],
        )
        .unwrap_err(),
    );
    assert_eq!(
        found,
        [
            "environment variable AUTHELIA_REGULATION_BAN_TIME: regulation.ban_time: must be a duration, is `long`; write `30s`, `5m`, `1h30m`, `7d`; a bare number is seconds"
        ]
    );
}

#[test]
fn other_variables_are_noted_or_passed_over() {
    let config = load(
        &[("c.yml", BASE)],
        &[
            ("AUTHELIA_THEM", "dark"),
            ("AUTHELIA_SERVICE_HOST", "10.0.0.1"),
            ("AUTHELIA_PORT", "tcp://10.0.0.1:80"),
            ("AUTHELIA_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("AUTHELIA_SERVER_PORT", "tcp://10.0.0.1:80"),
            ("AUTHELIA_SERVER_TLS_KEY_FILE", "/key"),
        ],
    )
    .unwrap();
    let notices: Vec<String> = config.notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [
            "environment variable AUTHELIA_SERVER_TLS_KEY_FILE: names no key; only secrets can come from a file",
            "environment variable AUTHELIA_THEM: names no key; the nearest name is `QUORATE_THEME`",
        ]
    );
}

#[test]
fn an_older_name_works_as_a_variable() {
    let config = load(
        &[("c.yml", BASE)],
        &[("AUTHELIA_JWT_SECRET_FILE", "/secrets/key")],
    )
    .unwrap();
    assert!(
        config
            .notices
            .iter()
            .any(|notice| notice.key == "jwt_secret")
    );
}
