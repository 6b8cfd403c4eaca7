//! The files of a demo: certificates, users and one ordinary configuration for each node. They are
//! what an operator would write by hand; the demo has no settings of its own inside a node.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::plan::{NodePlan, Plan};
use super::site::{DOMAIN, Site};
use crate::authn::digest::{Argon2Variant, Recipe, Scheme};
use crate::cli::certificates::authority::{Authority, KeyType, Subject, Validity};
use crate::cli::crypto;
use crate::cli::failure::Failure;

pub(super) const CA: &str = "ca.crt";
pub(super) const CERTIFICATE: &str = "public.crt";
pub(super) const KEY: &str = "private.pem";

/// The password of both users; it is printed, and reachable from this machine only.
pub(super) const PASSWORD: &str = "quorate-demo";

/// Nobody runs a demo for longer, and a forgotten authority should end by itself.
const VALID_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Writes everything that `plan` names.
pub(super) fn write_all(plan: &Plan, now: SystemTime) -> Result<(), Failure> {
    write_certificates(&plan.dir, now)?;
    let digest = password_digest()?;
    write(&plan.dir.join("users_database.yml"), &users(&digest))?;
    let secrets = Secrets::random()?;
    for node in &plan.nodes {
        let folder = node.config.parent().unwrap_or(&plan.dir);
        let doing = Failure::while_doing(format!("cannot make `{}`", folder.display()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&node.data)
            .map_err(doing)?;
        write(&node.config, &configuration(plan, node, &secrets))?;
    }
    Ok(())
}

/// An authority whose key is never written, limited to the demo's domain, and one certificate of
/// it for the gateway and all nodes.
pub(super) fn write_certificates(dir: &Path, now: SystemTime) -> Result<(), Failure> {
    let validity = Validity::starting(now, VALID_FOR);
    let cannot = |cause| Failure::while_doing("cannot make certificates")(cause);
    let (authority, ca) = Authority::create(
        &Subject::named("Quorate demo"),
        KeyType::Ecdsa,
        &[DOMAIN],
        validity,
    )
    .map_err(cannot)?;
    let hosts = [DOMAIN.to_owned(), format!("*.{DOMAIN}")];
    let leaf = authority
        .issue(None, &hosts, KeyType::Ecdsa, validity)
        .map_err(cannot)?;
    write(&dir.join(CA), &ca.certificate_pem)?;
    write(&dir.join(CERTIFICATE), &leaf.certificate_pem)?;
    write(&dir.join(KEY), &leaf.key_pem)
}

/// A digest at OWASP's lowest recommended cost, so that a small machine logs in quickly.
fn password_digest() -> Result<String, Failure> {
    let recipe = Recipe {
        scheme: Scheme::Argon2 {
            variant: Argon2Variant::Id,
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        },
        ..Recipe::DEFAULT
    };
    let digest = crypto::digest(&recipe, PASSWORD.as_bytes())?;
    Ok(digest.to_string())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let doing = || Failure::while_doing(format!("cannot write `{}`", file.display()));
    let mut open = OpenOptions::new();
    let open = open.write(true).create_new(true).mode(0o600).open(file);
    open.and_then(|mut open| open.write_all(text.as_bytes()))
        .map_err(|cause| doing()(cause))
}

/// What the members share and nobody else knows.
struct Secrets {
    cluster: String,
    storage: String,
}

impl Secrets {
    fn random() -> Result<Self, Failure> {
        let secret = || crypto::random_secret(64);
        Ok(Self {
            cluster: secret()?,
            storage: secret()?,
        })
    }
}

fn users(digest: &str) -> String {
    let user = |name: &str, shown: &str, groups: &str| {
        format!(
            "  {name}:
    displayname: '{shown}'
    password: '{digest}'
    email: '{name}@{DOMAIN}'
    groups: {groups}
"
        )
    };
    let john = user("john", "John Demo", "['staff']");
    let alice = user("alice", "Alice Demo", "['staff', 'admins']");
    format!("# Written by `quorate demo`.\nusers:\n{john}{alice}")
}

/// One value as a single-quoted YAML scalar.
fn quoted(value: impl std::fmt::Display) -> String {
    format!("'{}'", value.to_string().replace('\'', "''"))
}

fn configuration(plan: &Plan, node: &NodePlan, secrets: &Secrets) -> String {
    let file = |name: &str| quoted(plan.dir.join(name).display());
    let host = |site: Site| quoted(site.host());
    format!(
        "# Written by `quorate demo`. All but the last section is Authelia's configuration.
theme: 'auto'
server:
  address: 'tcp://127.0.0.1:{http_port}/'
  tls:
    certificate: {certificate}
    key: {key}
log:
  level: 'info'
  format: 'text'
authentication_backend:
  file:
    path: {users}
access_control:
  default_policy: 'deny'
  rules:
    - domain: {public}
      policy: 'bypass'
    - domain: [{one}, {two}]
      policy: 'one_factor'
    - domain: {admin}
      subject: 'group:admins'
      policy: 'one_factor'
session:
  # Browsers keep cookies apart by name, not by port: two demos must not share one.
  name: 'quorate_demo_{port}'
  cookies:
    - domain: '{DOMAIN}'
      authelia_url: {portal}
      default_redirection_url: {home}
regulation:
  max_retries: 3
  find_time: '2m'
  ban_time: '2m'
storage:
  encryption_key: '{storage}'
{cluster}",
        storage = secrets.storage,
        http_port = node.http_port,
        port = plan.port,
        certificate = file(CERTIFICATE),
        key = file(KEY),
        users = file("users_database.yml"),
        public = host(Site::Public),
        one = host(Site::One),
        two = host(Site::Two),
        admin = host(Site::Admin),
        portal = quoted(Site::Portal.url(plan.port)),
        home = quoted(Site::Home.url(plan.port)),
        cluster = cluster_section(plan, node, &secrets.cluster),
    )
}

fn cluster_section(plan: &Plan, node: &NodePlan, secret: &str) -> String {
    let member = |node: &NodePlan| format!("'{}=127.0.0.1:{}'", node.name, node.cluster_port);
    let members: Vec<String> = plan.nodes.iter().map(member).collect();
    format!(
        "cluster:
  name: '{name}'
  address: 'tcp://127.0.0.1:{port}'
  advertise: '127.0.0.1:{port}'
  members: [{members}]
  secret: '{secret}'
  data_dir: {data}
",
        name = node.name,
        port = node.cluster_port,
        members = members.join(", "),
        data = quoted(node.data.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::digest::Digest;
    use crate::config::Selection;
    use crate::serve::prepare;

    #[test]
    fn every_file_is_written_and_every_yaml_reads_back() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let odd = parent.path().join("it's odd");
        std::fs::create_dir(&odd).expect("made");
        let plan = Plan::make(&odd, 9443, 7).expect("planned");
        write_all(&plan, crate::clock::system_time()).expect("written");
        for (number, node) in plan.nodes.iter().enumerate() {
            let text = std::fs::read_to_string(&node.config).expect("configuration");
            let yaml: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
            assert_eq!(yaml["cluster"]["name"], format!("n{}", number + 1).as_str());
            assert_eq!(
                yaml["cluster"]["members"].as_sequence().map(Vec::len),
                Some(3)
            );
            let url = "https://auth.quorate.localhost:9443";
            assert_eq!(yaml["session"]["cookies"][0]["authelia_url"], url);
            let key = yaml["server"]["tls"]["key"].as_str().expect("a path");
            assert!(Path::new(key).exists(), "{key}");
        }
        let text = std::fs::read_to_string(plan.dir.join("users_database.yml")).expect("users");
        let yaml: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
        let digest = yaml["users"]["john"]["password"].as_str().expect("digest");
        let digest = Digest::parse(digest).expect("read");
        assert!(digest.matches(PASSWORD.as_bytes()) && !digest.matches(b"quorate"));
        assert!(!plan.dir.join("ca.key").exists());
    }

    #[test]
    fn a_configuration_is_valid_without_a_notice_and_members_agree() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let plan = Plan::make(parent.path(), 8443, 3).expect("planned");
        write_all(&plan, crate::clock::system_time()).expect("written");
        let mut digests = Vec::new();
        for node in &plan.nodes {
            let loaded = prepare(&Selection {
                files: vec![node.config.clone()],
                filters: Vec::new(),
            })
            .expect("valid");
            assert_eq!(loaded.config.cluster.name, node.name);
            assert_eq!(loaded.config.notices, []);
            let users = loaded.users.file().expect("a users file").current();
            assert!(users.get("john").is_some() && users.get("alice").is_some());
            digests.push(loaded.config.digest);
        }
        digests.dedup();
        assert_eq!(digests.len(), 1);
    }
}
