//! The walk of a configuration beside the schema: unknown keys, values of the wrong kind, and what becomes of
//! sections that are not taken.
//!
//! After this walk every value has its kind or is reported, so that `config::build` can treat a value of the wrong
//! kind as absent without a second message.

use super::node::{Body, Entry, Node, Tone};
use super::place::{Findings, Place, nearest};
use super::schema::{Block, Branch, Kind, Status, root, schema};
use super::value;

/// Checks the whole tree.
pub(crate) fn check(node: &Node, findings: &mut Findings) {
    section(node, root(), "", findings);
}

fn walk(node: &Node, branch: &Branch, path: &str, at: &Place, findings: &mut Findings) {
    if node.is_null() || scalar(node) == Some("") {
        return;
    }
    if let Some(block) = branch.block
        && becomes(node, block, path, at, findings)
    {
        return;
    }
    if let Some(kind) = branch.kind {
        if let Some(culprit) = template(node) {
            let message = "holds `{{`, which only the filter `template` replaces";
            let advice = "start with `--config.experimental.filters template`";
            findings.problem(&culprit.at, path, message, advice);
        } else if let Err(Mismatch {
            culprit,
            expected,
            advice,
        }) = of_kind(kind, node)
        {
            let message = format!("must be {expected}, is {}", culprit.shown());
            findings.problem(&culprit.at, path, message, advice);
        }
    } else if let Some(item) = &branch.item {
        list(node, item, path, findings);
    } else {
        section(node, branch, path, findings);
    }
}

/// Says what becomes of a section; true if it is refused, and nothing in it needs a look.
fn becomes(node: &Node, block: &Block, path: &str, at: &Place, findings: &mut Findings) -> bool {
    let note = block.note;
    match block.status {
        Status::Refused if is_relied_on(block.path, node) => {
            findings.problem(at, path, "is not supported yet", note);
            return true;
        }
        Status::NotNeeded => {
            findings.notice(at, path, format!("accepted, not needed here: {note}"))
        }
        Status::NoEffectYet => {
            findings.notice(at, path, format!("accepted; has no effect yet: {note}"));
        }
        Status::Supported | Status::Refused | Status::Deprecated => {}
    }
    false
}

/// Whether a section of this path, as written, would do something in Authelia.
fn is_relied_on(path: &str, node: &Node) -> bool {
    let is_set = |name: &str| match node.child(name).map(|child| &child.body) {
        None | Some(Body::Null) => false,
        Some(Body::Scalar { text, .. }) => !text.is_empty(),
        Some(Body::List(items)) => !items.is_empty(),
        Some(Body::Map(entries)) => !entries.is_empty(),
    };
    match path {
        "identity_providers.oidc" => is_set("clients"),
        // What relies on it is not below it: `config::build` looks at both.
        "notifier.smtp" => false,
        "duo_api" => {
            let disabled = node.child("disable").and_then(flag) == Some(true);
            !disabled
                && ["hostname", "integration_key", "secret_key"]
                    .into_iter()
                    .any(is_set)
        }
        _ => {
            !matches!(&node.body, Body::List(items) if items.is_empty())
                && !matches!(&node.body, Body::Map(entries) if entries.is_empty())
        }
    }
}

/// A list; where Authelia takes a single section for a list of one, so do we.
fn list(node: &Node, item: &Branch, path: &str, findings: &mut Findings) {
    match &node.body {
        Body::List(items) => {
            for (index, node) in items.iter().enumerate() {
                walk(node, item, &format!("{path}[{index}]"), &node.at, findings);
            }
        }
        Body::Map(_) => walk(node, item, &format!("{path}[0]"), &node.at, findings),
        _ => {
            let message = format!("must be a list, is {}", node.shown());
            findings.problem(&node.at, path, message, "begin each entry with `- `");
        }
    }
}

fn section(node: &Node, branch: &Branch, path: &str, findings: &mut Findings) {
    let Body::Map(entries) = &node.body else {
        let message = format!("must be a section of keys, is {}", node.shown());
        findings.problem(
            &node.at,
            path,
            message,
            "write `key: value` lines, indented below it",
        );
        return;
    };
    for entry in entries {
        let path = if path.is_empty() {
            entry.name.clone()
        } else {
            format!("{path}.{}", entry.name)
        };
        match branch
            .names
            .get(entry.name.as_str())
            .or(branch.any.as_deref())
        {
            Some(branch) => walk(&entry.value, branch, &path, &entry.at, findings),
            None => unknown(entry, branch, &path, findings),
        }
    }
}

fn unknown(entry: &Entry, branch: &Branch, path: &str, findings: &mut Findings) {
    let advice = match nearest(&entry.name, branch.names.keys().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            elsewhere(&entry.name).unwrap_or_else(|| "remove it or correct its name".to_owned())
        }
    };
    findings.problem(&entry.at, path, "is not a key of the configuration", advice);
}

/// Where a key of this name does belong, if it belongs to one place only.
fn elsewhere(name: &str) -> Option<String> {
    let mut places = schema()
        .iter()
        .filter(|key| key.path.rsplit('.').next() == Some(name));
    let (only, more) = (places.next()?, places.next());
    more.is_none()
        .then(|| format!("`{name}` belongs at `{}`", only.path))
}

/// The first text that was meant to be replaced by Authelia's `template` filter. Taken as it stands, it would be a
/// secret that everybody can read, or a rule for a domain that does not exist.
fn template(node: &Node) -> Option<&Node> {
    match &node.body {
        Body::Scalar { text, .. } => (text.contains("{{") && text.contains("}}")).then_some(node),
        Body::List(items) => items.iter().find_map(template),
        Body::Map(entries) => entries.iter().find_map(|entry| template(&entry.value)),
        Body::Null => None,
    }
}

/// A flag, also as a quoted word.
pub(crate) fn flag(node: &Node) -> Option<bool> {
    match &node.body {
        Body::Scalar {
            tone: Tone::Flag(flag),
            ..
        } => Some(*flag),
        Body::Scalar { text, .. } => match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also as a quoted one.
pub(crate) fn count(node: &Node) -> Option<i64> {
    match &node.body {
        Body::Scalar {
            tone: Tone::Number(number),
            ..
        } => *number,
        Body::Scalar { text, .. } => text.parse().ok(),
        _ => None,
    }
}

pub(crate) fn scalar(node: &Node) -> Option<&str> {
    match &node.body {
        Body::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// Why a value is not of its kind: which part of it, and what it must be.
struct Mismatch<'a> {
    culprit: &'a Node,
    expected: String,
    advice: String,
}

type Checked<'a> = Result<(), Mismatch<'a>>;

fn is<'a>(ok: bool, culprit: &'a Node, expected: &str, advice: &str) -> Checked<'a> {
    if ok {
        return Ok(());
    }
    Err(Mismatch {
        culprit,
        expected: expected.to_owned(),
        advice: advice.to_owned(),
    })
}

fn of_kind(kind: Kind, node: &Node) -> Checked<'_> {
    const DURATION: &str = "write `30s`, `5m`, `1h30m`, `7d`; a bare number is seconds";
    let text = scalar(node);
    let is_text = |node: &Node| scalar(node).is_some();
    match kind {
        Kind::Any => Ok(()),
        Kind::Flag => is(flag(node).is_some(), node, "`true` or `false`", ""),
        Kind::Count => is(count(node).is_some(), node, "a whole number", ""),
        Kind::Text | Kind::Secret => is(text.is_some(), node, "a single text", ""),
        Kind::Duration => {
            let ok = text.is_some_and(|text| value::duration(text).is_some());
            is(ok, node, "a duration", DURATION)
        }
        Kind::DurationOr(words) => {
            let ok = text.is_some_and(|t| words.contains(&t) || value::duration(t).is_some());
            is(
                ok,
                node,
                &format!("a duration or {}", alternatives(words)),
                DURATION,
            )
        }
        Kind::Word(words) => word(node, words),
        Kind::Words(words) => each(node, |item| word(item, words)),
        Kind::Texts => each(node, |item| {
            is(is_text(item), item, "a text or a list of texts", "")
        }),
        Kind::Counts => each(node, |item| {
            is(
                count(item).is_some(),
                item,
                "a whole number or a list of them",
                "",
            )
        }),
        Kind::TextLists => each(node, |item| {
            each(item, |item| {
                is(
                    is_text(item),
                    item,
                    "a text, a list of texts, or a list of such lists",
                    "",
                )
            })
        }),
        Kind::Address => parsed(node, "an address such as `tcp://:9091/`", |text| {
            value::address(text, 0).map(|_| ())
        }),
        Kind::Url => parsed(node, "an absolute URL", |text| value::url(text).map(|_| ())),
    }
}

fn parsed<'a>(
    node: &'a Node,
    expected: &str,
    parse: impl Fn(&str) -> Result<(), String>,
) -> Checked<'a> {
    match scalar(node).map(parse) {
        Some(Ok(())) => Ok(()),
        Some(Err(expected)) => is(false, node, &expected, ""),
        None => is(false, node, expected, ""),
    }
}

fn word<'a>(node: &'a Node, words: &[&str]) -> Checked<'a> {
    let text = scalar(node).unwrap_or_default();
    let advice = nearest(&text.to_lowercase(), words.iter().copied())
        .or_else(|| nearest(text, words.iter().copied()))
        .map_or_else(String::new, |word| format!("did you mean `{word}`?"));
    is(words.contains(&text), node, &alternatives(words), &advice)
}

fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A list, or a single value for a list of one. Empty items are passed over.
fn each<'a>(node: &'a Node, check: impl Fn(&'a Node) -> Checked<'a>) -> Checked<'a> {
    match &node.body {
        Body::List(items) => items
            .iter()
            .filter(|item| !item.is_null())
            .try_for_each(check),
        _ => check(node),
    }
}
