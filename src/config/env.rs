//! Values from environment variables.
//!
//! `AUTHELIA_` or `QUORATE_` and the key's path in capitals with underscores for dots sets a key; the same with
//! `_FILE` names a file that holds a secret. `QUORATE_` wins. Lists of sections cannot be set. The environment itself
//! and the files are read by the caller.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use super::node::{Body, Node};
use super::place::{Findings, Place, nearest};
use super::schema::{Key, Kind, Status, schema};
use super::source::Source;

/// Reads the file a `_FILE` variable names.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<Source>;

/// The later wins.
const PREFIXES: [&str; 2] = ["AUTHELIA_", "QUORATE_"];

/// Variables that belong to the command line.
const NOT_KEYS: [&str; 4] = [
    "QUORATE_CONFIG",
    "QUORATE_LOG",
    "QUORATE_CONFIG_FILTERS",
    "QUORATE_PRETEND_SET",
];

/// Every key that a variable can set, by the variable's name without its prefix.
static VARIABLES: LazyLock<BTreeMap<String, &'static Key>> = LazyLock::new(|| {
    schema()
        .iter()
        .filter(|key| !key.path.contains(['[', '*']) && key.kind != Kind::Any)
        .map(|key| (key.path.to_uppercase().replace('.', "_"), key))
        .collect()
});

/// Lays the variables over `root`.
pub(crate) fn overlay(
    root: &mut Node,
    variables: impl IntoIterator<Item = (String, String)>,
    read: ReadFile<'_>,
    findings: &mut Findings,
) {
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    let from_files = root.clone();
    for prefix in PREFIXES {
        for (variable, value) in &variables {
            let Some(name) = variable.strip_prefix(prefix) else {
                continue;
            };
            let at = Place::whole(format!("environment variable {variable}"));
            if variable.ends_with("_PORT") && value.starts_with("tcp://") {
                // Kubernetes again: a service called `authelia-server` looks like the key `server.port`.
            } else if let Some(key) = VARIABLES.get(name) {
                root.set(key.path, node(key, at, value));
            } else if let Some(key) = secret_file(name) {
                let twice = from_files.find(key.path).filter(|node| !node.is_null());
                let other = format!("{prefix}{}", name.trim_end_matches("_FILE"));
                if let Some(node) = twice {
                    let message = format!("is set there and also in {}", node.at);
                    findings.problem(&at, key.path, message, "keep one of the two");
                } else if variables.contains_key(&other) {
                    let message = format!("is set there and also by {other}");
                    findings.problem(&at, key.path, message, "keep one of the two");
                } else {
                    from_file(root, key, &at, value, read, findings);
                }
            } else if !is_of_others(variable, name) {
                unexpected(name, &at, findings);
            }
        }
    }
}

fn secret_file(name: &str) -> Option<&'static Key> {
    let key = VARIABLES.get(name.strip_suffix("_FILE")?)?;
    (key.kind == Kind::Secret).then_some(*key)
}

fn from_file(
    root: &mut Node,
    key: &Key,
    at: &Place,
    path: &str,
    read: ReadFile<'_>,
    findings: &mut Findings,
) {
    match read(Path::new(path)) {
        Ok(source) => {
            if source.world_readable {
                let message =
                    format!("every user of this machine may read `{path}`; `chmod o-r` it");
                findings.notice(at, key.path, message);
            }
            let text = source.text.strip_suffix('\n').unwrap_or(&source.text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            root.set(key.path, Node::text(at.clone(), text));
        }
        Err(error) => {
            let message = format!("cannot be read from `{path}`: {error}");
            if key.status != Status::Supported {
                findings.notice(at, key.path, format!("{message}; it is not needed"));
                return;
            }
            findings.problem(
                at,
                key.path,
                message,
                "correct the path or the file's permissions",
            );
        }
    }
}

/// A variable's text as a value of the key's kind; commas part the items of a list.
fn node(key: &Key, at: Place, value: &str) -> Node {
    match key.kind {
        Kind::Texts | Kind::Words(_) | Kind::Counts | Kind::TextLists => {
            let item = |text: &str| Node::text(at.clone(), text.trim());
            let items = value.split(',').map(item).collect();
            Node {
                at,
                body: Body::List(items),
            }
        }
        _ => Node::text(at, value),
    }
}

/// Kubernetes describes every service of a namespace by variables; one called `authelia` or `quorate` is common.
fn is_of_others(variable: &str, name: &str) -> bool {
    NOT_KEYS.contains(&variable)
        || name == "PORT"
        || name.starts_with("PORT_")
        || name.contains("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || name.contains("_PORT_")
}

fn unexpected(name: &str, at: &Place, findings: &mut Findings) {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    let hint = match nearest(plain, VARIABLES.keys().map(String::as_str)) {
        Some(near) if near == plain => "only secrets can come from a file".to_owned(),
        Some(near) => format!("the nearest name is `QUORATE_{near}`"),
        None => "it is ignored".to_owned(),
    };
    findings.notice(at, "", format!("names no key; {hint}"));
}
