//! How a cluster of a test is configured: a configuration file per node and one users file, in Authelia's format.

use std::net::SocketAddr;
use std::path::Path;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::{Map, Value, json};

/// What a cluster is started with. [`Settings::new`] gives three nodes, one cookie domain, users and rules that suit
/// most tests; [`Settings::set`] changes any key of the configuration.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) nodes: usize,
    /// How many of them stand in everybody's `cluster.members`, from the first on.
    pub(crate) listed: usize,
    pub(crate) users: Vec<User>,
    changes: Vec<(String, Value)>,
}

/// One entry of the users file.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) displayname: &'static str,
    pub(crate) email: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) disabled: bool,
}

/// What only the running cluster knows about one of its nodes.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) folder: &'a Path,
    pub(super) http: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) metrics: SocketAddr,
    pub(super) grpc: SocketAddr,
    pub(super) spoe: SocketAddr,
    pub(super) members: Vec<String>,
    pub(super) certificate: &'a Path,
    pub(super) key: &'a Path,
    pub(super) users: &'a Path,
}

impl Settings {
    /// Three nodes for `example.com` with the portal at `https://auth.example.com`, and:
    ///
    /// - users `john` (groups dev and admins), `harry` (dev), `zoe` (no group, a name beyond ASCII), and `gone`
    ///   (disabled), all with the password `password`;
    /// - sites `public` (bypass), `one` (one factor), `two` (two factors), `deny`, `admins` (one factor, for the group
    ///   admins), and `mixed` (paths below `/open` bypass, the rest one factor); any other host is denied.
    pub(crate) fn new() -> Self {
        let user = |name, displayname, email, groups| User {
            name,
            password: "password",
            displayname,
            email,
            groups,
            disabled: false,
        };
        Self {
            nodes: 3,
            listed: 3,
            users: vec![
                user(
                    "john",
                    "John Doe",
                    "john.doe@example.com",
                    &["dev", "admins"],
                ),
                user(
                    "harry",
                    "Harry Potter",
                    "harry.potter@example.com",
                    &["dev"],
                ),
                user("zoe", "Zoë Müller", "zoe@example.com", &[]),
                User {
                    disabled: true,
                    ..user("gone", "Gone Away", "gone@example.com", &["dev"])
                },
            ],
            changes: Vec::new(),
        }
    }

    /// As [`Settings::new`], with another number of nodes. One node has no `cluster` section at all.
    pub(crate) fn with_nodes(nodes: usize) -> Self {
        Self {
            nodes,
            listed: nodes,
            ..Self::new()
        }
    }

    /// As [`Settings::new`], with a fourth node that no configuration lists.
    pub(crate) fn with_newcomer() -> Self {
        Self {
            nodes: 4,
            ..Self::new()
        }
    }

    /// Sets a key of the configuration of every node, for instance `("session.inactivity", json!("5s"))`. Maps on the
    /// way are made; a list is replaced as a whole; `null` removes the key.
    pub(crate) fn set(mut self, key: &str, value: Value) -> Self {
        self.changes.push((key.to_owned(), value));
        self
    }

    /// Puts the portal on another port than 443, as a proxy of a test needs it.
    pub(crate) fn portal_port(self, port: u16) -> Self {
        let cookies = json!([{"domain": "example.com", "authelia_url": format!("https://auth.example.com:{port}")}]);
        self.set("session.cookies", cookies)
    }

    /// The users file as YAML, with argon2id hashes that cost little.
    pub(super) fn users_yaml(&self) -> String {
        let entries: Map<String, Value> = self
            .users
            .iter()
            .map(|user| (user.name.to_owned(), user.entry()))
            .collect();
        serde_yaml::to_string(&json!({"users": entries})).expect("YAML")
    }

    /// The configuration of one node as YAML.
    pub(super) fn node_yaml(&self, place: &Place<'_>) -> String {
        let mut all = base(place);
        if self.nodes > 1 {
            set(&mut all, "cluster.members", json!(place.members));
            set(&mut all, "cluster.name", json!(place.name));
            set(
                &mut all,
                "cluster.address",
                json!(format!("tcp://{}", place.peer)),
            );
            set(&mut all, "cluster.advertise", json!(place.peer.to_string()));
            set(
                &mut all,
                "cluster.secret",
                json!("a secret of the cluster, 32 characters or more"),
            );
        }
        for (key, value) in &self.changes {
            set(&mut all, key, value.clone());
        }
        serde_yaml::to_string(&all).expect("YAML")
    }
}

impl User {
    fn entry(&self) -> Value {
        let params = Params::new(64, 1, 1, None).expect("parameters of argon2");
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = SaltString::from_b64("c2FsdHNhbHRzYWx0").expect("a salt");
        let hash = hasher
            .hash_password(self.password.as_bytes(), &salt)
            .expect("a hash")
            .to_string();
        json!({
            "disabled": self.disabled,
            "displayname": self.displayname,
            "password": hash,
            "email": self.email,
            "groups": self.groups,
        })
    }
}

fn base(place: &Place<'_>) -> Value {
    json!({
        "server": {
            "address": format!("tcp://{}/", place.http),
            "tls": {"certificate": place.certificate, "key": place.key},
            "trusted_proxies": ["127.0.0.1/32"],
            "grpc": {"address": format!("tcp://{}", place.grpc)},
            "spoe": {"address": format!("tcp://{}", place.spoe)},
        },
        "log": {"level": "debug"},
        "telemetry": {"metrics": {"enabled": true, "address": format!("tcp://{}/metrics", place.metrics)}},
        "storage": {
            "encryption_key": "an encryption key of the tests, long enough",
            "local": {"path": place.folder.join("db.sqlite3")},
        },
        "cluster": {"data_dir": place.folder.join("data")},
        "notifier": {"filesystem": {"filename": place.folder.join("notification.txt")}},
        "identity_validation": {"reset_password": {"jwt_secret": "a secret of the tests for links in mails"}},
        "authentication_backend": {"file": {"path": place.users}},
        "session": {
            "secret": "a secret of the tests for sessions",
            "cookies": [{"domain": "example.com", "authelia_url": "https://auth.example.com"}],
        },
        "access_control": {
            "default_policy": "deny",
            "rules": [
                {"domain": "public.example.com", "policy": "bypass"},
                {"domain": "one.example.com", "policy": "one_factor"},
                {"domain": "two.example.com", "policy": "two_factor"},
                {"domain": "deny.example.com", "policy": "deny"},
                {"domain": "admins.example.com", "subject": "group:admins", "policy": "one_factor"},
                {"domain": "mixed.example.com", "resources": ["^/open(/.*)?$"], "policy": "bypass"},
                {"domain": "mixed.example.com", "policy": "one_factor"},
            ],
        },
    })
}

fn set(all: &mut Value, key: &str, value: Value) {
    let (path, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut place = all;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        place = &mut place[step];
    }
    if value.is_null() {
        if let Some(map) = place.as_object_mut() {
            map.remove(last);
        }
        return;
    }
    place[last] = value;
}
