//! The users file as people have it: hashes of every age, names in any case, and edits while the node runs.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Settings, until};

/// All of `correct hörse`, made by crypt(3), OpenSSL and passlib.
const USERS: &str = r"
users:
  ann: {email: Ann@example.com, password: '$2y$05$abcdefghijklmnopqrstuu2l6KOA9D/61qJO06UBoSQCzHyepuxn2'}
  bea: {email: bea@example.com, password: '$6$opensslsalt$cR7aAqKWhXMBDzjWArUf1hVxtXdVT4F5n9S1BexCs6oPickqjSxl/9B0Vt3dWS.De.bf8Ix6vEM/JeOsWNwJn/'}
  cem: {password: '$pbkdf2-sha512$1300$AAECAwQFBgcICQoLDA0ODw$/2FP3Fn1TjWMEPW7yE9X.rPMGEPpcby8gfuhrzViW6sBl2lZly7aE0GdUttNupIZs7vz8OMnwo1zGn30UJQHrQ', extra: {floor: 3}}
  dov: {password: '$scrypt$ln=5,r=4,p=1$AAECAwQFBgcICQoLDA0ODw$qZur9+Qwf7I2yCB3BObY/zdJ5PCT9FmEaZPkEIvAask'}
  eva: {password: '$y$j75$KSzRi1NxyK7u9t1$nLPuB5lKLjFsWIhTbvkdRk6J5PEwZq/gDbo6hRwXMG5'}
  fay: {password: '{CRYPT}$5$abcd$JkoexqTS9.QEwYVItu58gKZkqzHO0Uw8ChyOdPSNfPD'}
  gil: {password: '$bcrypt-sha256$v=2,t=2b,r=4$abcdefghijklmnopqrstuu$.IxlNwf2hV3XozjEhavJOBlF8b7a6j2'}
  hal: {disabled: true, password: '$2y$05$abcdefghijklmnopqrstuu2l6KOA9D/61qJO06UBoSQCzHyepuxn2'}
";

const PASSWORD: &str = "correct hörse";

/// One node with [`USERS`], who are looked up by address and in any case, and whose file is watched.
async fn node() -> Cluster {
    let settings = Settings::with_nodes(1)
        .set("authentication_backend.file.watch", json!(true))
        .set(
            "authentication_backend.file.search",
            json!({"email": true, "case_insensitive": true}),
        );
    let cluster = Cluster::prepare(&settings);
    fs::write(cluster.users_file(), USERS).expect("write users");
    cluster.nodes()[0].start();
    cluster.wait_until_ready().await;
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_of_every_age_let_their_users_in_and_weak_ones_are_named() {
    let cluster = node().await;
    for name in [
        "ann",
        "bea",
        "cem",
        "dov",
        "eva",
        "fay",
        "gil",
        "BEA",
        "aNN@Example.com",
    ] {
        let answer = cluster.visitor(0).try_log_in(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    let refused = cluster.visitor(0).try_log_in("hal", PASSWORD).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    let log = cluster.nodes()[0].log();
    assert!(log.contains("of the user `bea` is quick to guess"), "{log}");
    assert!(!log.contains("opensslsalt"), "no hash is repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_is_taken_over_and_one_with_a_mistake_is_not() {
    let cluster = node().await;
    let without_gil: Vec<&str> = USERS
        .lines()
        .filter(|line| !line.contains("gil:"))
        .collect();
    fs::write(cluster.users_file(), without_gil.join("\n")).expect("write users");
    let log = || cluster.nodes()[0].log();
    let bound = Duration::from_secs(20);
    until("the file is read", bound, async || {
        log().contains("users file read again")
    })
    .await;
    let gone = cluster.visitor(0).try_log_in("gil", PASSWORD).await;
    assert_eq!(gone.status, 401, "{}", gone.text());

    let huge = "$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQ$MTIzNDU2Nzg5MDEy";
    let absurd = format!("users:\n  ivo:\n    password: '{huge}'\n");
    fs::write(cluster.users_file(), absurd).expect("write users");
    until("the mistake is told", bound, async || {
        let log = log();
        log.contains("users.yml:3:15") && log.contains("the users stay as they were")
    })
    .await;
    let stayed = cluster.visitor(0).try_log_in("cem", PASSWORD).await;
    assert_eq!(stayed.status, 200, "{}", stayed.text());
}
