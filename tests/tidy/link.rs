//! Links between documents: every relative one leads to a file, and to a heading if it names one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::tree::{self, File};
use super::{Finding, Rule, expect_none};

static LEADS: Rule = Rule {
    says: "a relative link in a Markdown file leads to a file of the repository, and to a heading of it",
    why: "documentation is read when something is wrong, and then a dead end costs most",
    instead: "correct the link, or write the page it promises",
};

/// A document without its code, so that examples are not taken for links or headings. Lines stay.
fn without_code(text: &str) -> String {
    static SPAN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("`[^`]*`").expect("a valid pattern"));
    let mut in_block = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if !is_fence && !in_block {
            kept.push_str(&SPAN.replace_all(line, |found: &regex::Captures<'_>| {
                found[0].replace(['[', ']', '`'], " ")
            }));
        }
        in_block ^= is_fence;
        kept.push('\n');
    }
    kept
}

/// What a heading is linked by: lower case, blanks as hyphens, no other punctuation; repeated ones are numbered.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in without_code(text).lines() {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let mut name = slug.clone();
        for number in 1.. {
            if anchors.insert(name) {
                break;
            }
            name = format!("{slug}-{number}");
        }
    }
    anchors
}

/// Joins a link to the document it stands in; `None` if it leaves the repository.
fn joined(document: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn breaches(file: &File, files: &[File], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\]\(<?([^)\s>]+)").expect("a valid pattern"));
    let mut findings = Vec::new();
    for (number, line) in without_code(&file.text).lines().enumerate() {
        for found in LINK.captures_iter(line) {
            let link = &found[1];
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                Some(file.path.clone())
            } else {
                joined(&file.path, path)
            };
            let document = files
                .iter()
                .chain([file])
                .find(|file| Some(&file.path) == target.as_ref());
            let is_there = path.is_empty() || target.as_deref().is_some_and(exists);
            let leads = is_there
                && (heading.is_empty()
                    || document.is_some_and(|file| anchors(&file.text).contains(heading)));
            if !leads {
                findings.push(LEADS.broken_in(file, number + 1, format!("`{link}` leads nowhere")));
            }
        }
    }
    findings
}

#[test]
fn links_between_documents_lead_somewhere() {
    let files = tree::files();
    let top = tree::top();
    let exists = |path: &str| Path::new(&top).join(path).exists();
    let documents = files.iter().filter(|file| file.is_markdown());
    let findings: Vec<Finding> = documents
        .flat_map(|file| breaches(file, &files, &exists))
        .collect();
    expect_none(&findings);
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = [
        file("docs/a.md", "# One, *two*\n## Two\n## Two\n"),
        file("README.md", ""),
    ];
    let exists = |path: &str| path == "docs" || files.iter().any(|file| file.path == path);
    let check = |text: &str, count: usize| {
        assert_eq!(
            breaches(&file("docs/b.md", text), &files, &exists).len(),
            count,
            "{text}"
        );
    };
    check(
        "[a](a.md) [a](a.md#one-two) [a](a.md#two-1) [top](../README.md) [d](../docs)",
        0,
    );
    check(
        "[w](https://example.com/x) `[a](c.md)`\n```\n[a](c.md)\n```\n# Here\n[h](#here)",
        0,
    );
    check("[c](c.md)", 1);
    check("[a](a.md#three)", 1);
    check("[x](../../x)", 1);
}
