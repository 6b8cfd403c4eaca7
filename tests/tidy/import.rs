//! Who may name whom inside the crates, and the few calls that have one place.

use super::path::{Named, paths};
use super::tree::{self, File, is_production};
use super::{Finding, Rule, expect_none, rust};

/// Paths that sources may name only in some places.
struct Ban {
    /// Beginnings of paths.
    paths: &'static [&'static str],
    /// Where the ban holds: beginnings of file names. Empty: everywhere.
    within: &'static [&'static str],
    /// Where it does not hold.
    except: &'static [&'static str],
    rule: Rule,
}

/// In production code. Tests may do more, because they set the stage.
static BANS: [Ban; 7] = [
    Ban {
        paths: &["openraft", "sled"],
        within: &[],
        except: &["raft/"],
        rule: Rule {
            says: "the names of openraft and sled appear in raft/ alone",
            why: "so that either can be replaced there without touching anything else",
            instead: "give raft/ a type or function of our own that says what is needed",
        },
    },
    Ban {
        paths: &[
            "std::env",
            "std::fs",
            "std::io::stdin",
            "std::io::stdout",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::os",
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
            "Instant::now",
            "SystemTime::now",
            "tokio",
            "getrandom",
            "rand",
        ],
        within: &["src/core/"],
        except: &[],
        rule: Rule {
            says: "core reads no clock, draws no randomness, and touches no file, thread, process or socket",
            why: "every node must come to the same bytes from the same log (rules of determinism, src/core/lib.rs)",
            instead: "take the value as an argument; the command carries what the leader chose",
        },
    },
    Ban {
        paths: &[
            "axum",
            "hyper",
            "hyper_util",
            "tower",
            "askama",
            "crate::http",
            "quorate_portal",
        ],
        within: &[
            "src/app.rs",
            "src/app/",
            "src/authn.rs",
            "src/authn/",
            "src/config.rs",
            "src/config/",
        ],
        except: &[],
        rule: Rule {
            says: "use cases, user sources and configuration know no HTTP server and no page",
            why: "the direction is http → app → raft → core, with http → portal to the side",
            instead: "return a value that says what happened; src/http/ turns it into a reply",
        },
    },
    Ban {
        paths: &["crate::app", "crate::serve", "crate::cli"],
        within: &["src/authn.rs", "src/authn/", "src/config.rs", "src/config/"],
        except: &[],
        rule: Rule {
            says: "configuration and user sources do not know the use cases",
            why: "app reads them, so they would know each other in a circle",
            instead: "pass the value in, or move the code up to app",
        },
    },
    Ban {
        paths: &["quorate_portal"],
        within: &["src/"],
        except: &["src/http/", "src/http.rs", "src/cli/"],
        rule: Rule {
            says: "pages are rendered by http alone",
            why: "no use case should depend on how something looks",
            instead: "return a value that says what happened; src/http/ chooses the page",
        },
    },
    Ban {
        paths: &[
            "std::env::var",
            "std::env::var_os",
            "std::env::vars",
            "std::env::vars_os",
        ],
        within: &[],
        except: &["src/serve/start.rs", "src/cli/", "chaos/", "src/main.rs"],
        rule: Rule {
            says: "the environment is read where the program starts, and nowhere else",
            why: "a setting that comes from nowhere cannot be validated, documented or tested",
            instead: "make it a configuration key, or pass the value on from the start",
        },
    },
    Ban {
        paths: &[
            "std::process::Command",
            "tokio::process::Command",
            "Command::new",
        ],
        within: &[],
        except: &["src/cli/demo/", "chaos/"],
        rule: Rule {
            says: "a node starts no other program",
            why: "the image holds one binary, and what it may not do cannot be abused",
            instead: "do it inside the process, or in the demo, chaos or the tests",
        },
    },
];

fn is_banned(ban: &Ban, file: &File, named: &Named) -> bool {
    let begins = |list: &[&str]| list.iter().any(|prefix| file.path.starts_with(prefix));
    let holds = (ban.within.is_empty() || begins(ban.within)) && !begins(ban.except);
    holds && ban.paths.iter().any(|prefix| named.is_below(prefix))
}

fn breaches(file: &File) -> Vec<Finding> {
    let blanked = rust::blanked(&file.text);
    let mut findings = Vec::new();
    for named in paths(&rust::tests_blanked(&blanked)) {
        let broken = BANS.iter().filter(|ban| is_banned(ban, file, &named));
        findings.extend(broken.map(|ban| {
            ban.rule
                .broken_in(file, named.line, format!("`{}`", named.path))
        }));
    }
    findings
}

#[test]
fn sources_name_only_what_their_place_may_know() {
    let files = tree::files();
    let test_modules = tree::test_modules(&files);
    let production = files
        .iter()
        .filter(|file| is_production(file, &test_modules));
    let findings: Vec<Finding> = production.flat_map(breaches).collect();
    expect_none(&findings);
}

#[test]
fn a_name_out_of_place_is_found() {
    let check = |path: &str, text: &str, count: usize| {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(breaches(&file).len(), count, "{path}: {text}");
    };
    check(
        "src/core/apply.rs",
        "use std::time::{Duration, SystemTime};",
        1,
    );
    check(
        "src/core/apply.rs",
        "let now = std::time::Instant::now();",
        1,
    );
    check(
        "src/core/apply.rs",
        "// std::fs\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}",
        0,
    );
    check("src/app/login.rs", "use axum::Router;", 1);
    check("src/app/login.rs", "use crate::http::reply;", 1);
    check("src/http/login.rs", "use axum::Router;", 0);
    check("src/app.rs", "use sled::Db;", 1);
    check("raft/src/store.rs", "use sled::Db;", 0);
    check("raft/src/store.rs", "let x = std::env::var(name);", 1);
    check("src/serve/start.rs", "let x = std::env::vars();", 0);
    check("src/app/mail.rs", "use std::process::Command;", 1);
}
