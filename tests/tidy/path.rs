//! The paths a source names: in `use` declarations, spelt out, and inline.

use std::sync::LazyLock;

use regex::Regex;

use super::rust::line_of;

/// One path as `a::b::c`, without generics; the leading `::` of a path from the root is dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) path: String,
}

impl Named {
    /// Whether the path is `prefix` or lies below it.
    pub(super) fn is_below(&self, prefix: &str) -> bool {
        self.path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// All paths of a blanked source, in order of their lines.
pub(super) fn paths(blanked: &str) -> Vec<Named> {
    static USE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\buse\s+([^;]+);").expect("a valid pattern"));
    static INLINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+").expect("a valid pattern")
    });
    let mut named = Vec::new();
    let mut rest = blanked.to_owned();
    for found in USE.captures_iter(blanked) {
        let tree = &found[1];
        let from = found.get(1).expect("the group always takes part").start();
        spell_out("", tree, &mut |path, at| {
            named.push(Named {
                line: line_of(blanked, from + at),
                path,
            })
        });
        let blank: String = tree
            .chars()
            .map(|letter| if letter == '\n' { '\n' } else { ' ' })
            .collect();
        if blank.len() == tree.len() {
            rest.replace_range(from..from + tree.len(), &blank);
        }
    }
    for found in INLINE.find_iter(&rest) {
        let path = found.as_str().split_whitespace().collect();
        named.push(Named {
            line: line_of(&rest, found.start()),
            path,
        });
    }
    named.sort_by_key(|named| named.line);
    named
}

/// Calls `each` with every path of a use tree and the offset of its last part in `tree`.
fn spell_out(prefix: &str, tree: &str, each: &mut dyn FnMut(String, usize)) {
    let Some(open) = tree.find('{') else {
        let name = tree.split_whitespace().next().unwrap_or_default();
        let name = name.trim_start_matches("::");
        let path = match name {
            "self" => prefix.trim_end_matches("::").to_owned(),
            _ => format!("{prefix}{name}"),
        };
        let at = tree.len() - tree.trim_start().len();
        if !name.is_empty() {
            each(path, at);
        }
        return;
    };
    let head: String = tree[..open].split_whitespace().collect();
    let prefix = format!("{prefix}{}", head.trim_start_matches("::"));
    let close = tree.rfind('}').unwrap_or(tree.len());
    let inner = &tree[open + 1..close];
    let mut depth = 0_usize;
    let mut from = 0;
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                spell_out(&prefix, &inner[from..at], &mut |path, inside| {
                    each(path, open + 1 + from + inside)
                });
                from = (at + 1).min(inner.len());
            }
            _ => {}
        }
    }
}

#[test]
fn use_trees_are_spelt_out_and_inline_paths_are_found() {
    let source = "use std::{\n    fs::{self, File},\n    time::Instant as I,\n};\nuse ::tokio;\nfn f() { std::env::var(x); a.b(); }\n";
    let found: Vec<_> = paths(source)
        .into_iter()
        .map(|named| (named.line, named.path))
        .collect();
    let expect = [
        (2, "std::fs"),
        (2, "std::fs::File"),
        (3, "std::time::Instant"),
        (5, "tokio"),
        (6, "std::env::var"),
    ];
    assert_eq!(found, expect.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn a_path_is_below_its_beginnings_but_not_below_part_of_a_name() {
    let named = Named {
        line: 1,
        path: "std::time::Instant".to_owned(),
    };
    assert!(
        named.is_below("std")
            && named.is_below("std::time")
            && named.is_below("std::time::Instant")
    );
    assert!(!named.is_below("std::ti") && !named.is_below("std::time::Instant::now"));
}
