//! Who may depend on whom, from what cargo itself says.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::tree::{self, File};
use super::{Finding, Rule, expect_none};

/// What one crate may take from the others of this workspace, and what it may never take from outside.
struct Allowed {
    package: &'static str,
    ours: &'static [&'static str],
    never: &'static [&'static str],
}

/// What needs a runtime, a clock, randomness or a socket, or writes somewhere.
const IMPURE: [&str; 17] = [
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "log",
    "openraft",
    "prometheus",
    "rand",
    "reqwest",
    "rustix",
    "rustls",
    "sled",
    "tempfile",
    "time",
    "tokio",
    "tracing",
    "tracing-subscriber",
];

/// One row per crate. A new crate needs a row.
const ALLOWED: [Allowed; 5] = [
    Allowed {
        package: "quorate-core",
        ours: &[],
        never: &IMPURE,
    },
    Allowed {
        package: "quorate-portal",
        ours: &[],
        never: &["axum", "hyper", "openraft", "sled", "tokio", "tracing"],
    },
    Allowed {
        package: "quorate-raft",
        ours: &["quorate-core"],
        never: &["askama", "axum"],
    },
    Allowed {
        package: "quorate",
        ours: &["quorate-core", "quorate-raft", "quorate-portal"],
        never: &["openraft", "sled", "askama"],
    },
    Allowed {
        package: "quorate-chaos",
        ours: &["quorate-core"],
        never: &["openraft", "sled", "axum"],
    },
];

static DIRECTION: Rule = Rule {
    says: "crates depend on each other only as docs/ARCHITECTURE.md draws it, and nobody depends on quorate-chaos",
    why: "what a crate must not know is what keeps it small enough to be right",
    instead: "move the code to the crate that may know both sides, or pass the fact in as an argument",
};

static OUTSIDE: Rule = Rule {
    says: "openraft and sled are dependencies of quorate-raft alone, and quorate-core depends on nothing that acts",
    why: "either can then be replaced in one place, and core gives the same bytes on every node",
    instead: "do the work outside and hand over the result; in raft/, behind a type of our own",
};

static LINTS: Rule = Rule {
    says: "every crate takes the lints of the workspace",
    why: "without `[lints] workspace = true` none of them holds, `unsafe_code = \"forbid\"` included",
    instead: "add these two lines to its Cargo.toml",
};

/// Names of the dependencies of each package of the workspace, of every kind, with whether they are ours.
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let arguments = [
        "metadata",
        "--offline",
        "--no-deps",
        "--format-version",
        "1",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(tree::top())
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let list = package["dependencies"]
                .as_array()
                .expect("a list of dependencies");
            let one =
                |dependency: &Value| (text(&dependency["name"]), !dependency["path"].is_null());
            (text(&package["name"]), list.iter().map(one).collect())
        })
        .collect()
}

fn breaches(dependencies: &BTreeMap<String, Vec<(String, bool)>>) -> Vec<Finding> {
    let finding = |what: String, rule| Finding {
        file: "Cargo.toml".to_owned(),
        line: 0,
        what,
        rule,
    };
    let mut findings = Vec::new();
    for (package, names) in dependencies {
        let Some(allowed) = ALLOWED.iter().find(|allowed| allowed.package == package) else {
            findings.push(finding(
                format!("`{package}` has no row in tests/tidy/manifest.rs"),
                &DIRECTION,
            ));
            continue;
        };
        for (name, is_ours) in names {
            if *is_ours && !allowed.ours.contains(&name.as_str()) {
                findings.push(finding(
                    format!("`{package}` depends on `{name}`"),
                    &DIRECTION,
                ));
            }
            if allowed.never.contains(&name.as_str()) {
                findings.push(finding(
                    format!("`{package}` depends on `{name}`"),
                    &OUTSIDE,
                ));
            }
        }
    }
    findings
}

#[test]
fn crates_depend_only_on_what_they_may_know() {
    let dependencies = dependencies();
    assert_eq!(dependencies.len(), ALLOWED.len(), "as many crates as rows");
    expect_none(&breaches(&dependencies));
}

#[test]
fn a_dependency_against_the_direction_is_found() {
    let of = |package: &str, name: &str, is_ours| {
        breaches(&BTreeMap::from([(
            package.to_owned(),
            vec![(name.to_owned(), is_ours)],
        )]))
        .len()
    };
    assert_eq!(of("quorate-core", "quorate-raft", true), 1);
    assert_eq!(of("quorate-core", "tokio", false), 1);
    assert_eq!(of("quorate", "sled", false), 1);
    assert_eq!(of("quorate-raft", "quorate-chaos", true), 1);
    assert_eq!(of("quorate-new", "serde", false), 1);
    assert_eq!(
        of("quorate-raft", "quorate-core", true) + of("quorate-raft", "sled", false),
        0
    );
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let is_manifest = |file: &&File| file.path.ends_with("Cargo.toml");
    let lacks = |file: &File| !file.text.contains("[lints]\nworkspace = true");
    let findings: Vec<Finding> = tree::files()
        .iter()
        .filter(is_manifest)
        .filter(|file| lacks(file))
        .map(|file| LINTS.broken_in(file, 0, "`[lints] workspace = true` is missing"))
        .collect();
    expect_none(&findings);
}
