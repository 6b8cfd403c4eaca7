//! What a file says first, and what no file says.

use std::sync::LazyLock;

use regex::Regex;

use super::tree::{self, File};
use super::{Finding, Rule, expect_none, rust};

static HEAD: Rule = Rule {
    says: "every source file opens with `//!`",
    why: "a reader wants to know first what is decided here, and what is deliberately not known",
    instead: "write a sentence or two; name the source (RFC, section) if there is one",
};

static PROMISE: Rule = Rule {
    says: "work that is left names where it is tracked",
    why: "a note without a place is never found again",
    instead: "do it now, or write `TODO(https://…)` with the issue's address",
};

static MACHINE: Rule = Rule {
    says: "no file names a directory of somebody's machine",
    why: "it is wrong on every other machine, and tells things about the one",
    instead: "use a path relative to the repository, a temporary directory, or one that the user configures",
};

static SILENT: Rule = Rule {
    says: "no test is switched off, and none expects a panic",
    why: "an ignored test is a promise nobody checks; a panic says neither where nor why",
    instead: "make it pass or remove it; return the failure and compare it",
};

struct Pattern {
    pattern: LazyLock<Regex>,
    rule: &'static Rule,
    /// Whether only code counts, and comments and strings do not.
    in_code: bool,
}

// The patterns are written in pieces, so that this file does not match itself.
static PATTERNS: [Pattern; 3] = [
    Pattern {
        pattern: LazyLock::new(|| {
            compiled(&[
                r"\b(?:TO",
                "DO|FIX",
                "ME|HA",
                r"CK|XX",
                r"X)\b(?:[^(]|$|\([^)]*$|\([^h#][^)]*\))",
            ])
        }),
        rule: &PROMISE,
        in_code: false,
    },
    Pattern {
        pattern: LazyLock::new(|| {
            compiled(&[
                r"(?:^|[^\w.\-/}])/(?:ro",
                r"ot|wo",
                r"rk|Us",
                r"ers/\w+|ho",
                r"me/(?:runner|ubuntu|user)|tmp/w",
                r"t)(?:/|\b)",
            ])
        }),
        rule: &MACHINE,
        in_code: false,
    },
    Pattern {
        pattern: LazyLock::new(|| compiled(&[r"#\[(?:ig", r"nore|should_", r"panic)"])),
        rule: &SILENT,
        in_code: true,
    },
];

fn compiled(pieces: &[&str]) -> Regex {
    Regex::new(&pieces.concat()).expect("a valid pattern")
}

fn breaches(file: &File) -> Vec<Finding> {
    let code = if file.is_rust() {
        rust::blanked(&file.text)
    } else {
        String::new()
    };
    let mut findings = Vec::new();
    for pattern in &PATTERNS {
        let text = if pattern.in_code { &code } else { &file.text };
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = pattern.pattern.find(line) {
                let what = format!("`{}`", found.as_str().trim());
                findings.push(pattern.rule.broken_in(file, number + 1, what));
            }
        }
    }
    findings
}

fn head_breach(file: &File) -> Option<Finding> {
    let is_said = file.text.trim_start().starts_with("//!");
    (file.is_rust() && !is_said).then(|| HEAD.broken_in(file, 1, "it does not open with `//!`"))
}

#[test]
fn every_source_says_first_what_it_is() {
    let findings: Vec<Finding> = tree::files().iter().filter_map(head_breach).collect();
    expect_none(&findings);
}

#[test]
fn no_file_says_what_belongs_elsewhere() {
    // What cargo writes names thousands of packages, which are called what they are called.
    let findings: Vec<Finding> = tree::files()
        .iter()
        .filter(|file| file.path != "Cargo.lock")
        .flat_map(breaches)
        .collect();
    expect_none(&findings);
}

#[test]
fn what_belongs_elsewhere_is_found() {
    let check = |text: &str, count: usize| {
        let file = File {
            path: "src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(breaches(&file).len(), count, "{text}");
    };
    let todo = concat!("TO", "DO");
    check(&format!("// {todo}: later"), 1);
    check(&format!("// {todo}"), 1);
    check(&format!("// {todo}(me): later"), 1);
    check(&format!("// {todo}(https://example.com/1): later"), 0);
    check(concat!("let x = \"/ro", "ot/x\";"), 1);
    check(concat!("see /wo", "rk/notes"), 1);
    check(concat!("https://example.com/wo", "rk"), 0);
    check(concat!("/wo", "rker"), 0);
    check(concat!("#[ig", "nore]\nfn t() {}"), 1);
    check(concat!("// #[ig", "nore]"), 0);
}
