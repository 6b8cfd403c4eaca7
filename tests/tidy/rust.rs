//! As much of Rust's grammar as the rules need: where comments and strings are, where functions end, what is only
//! there for tests. It knows neither macros nor types.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The source with comments, strings and character literals replaced by blanks. Lines and columns stay.
pub(super) fn blanked(source: &str) -> String {
    let letters: Vec<char> = source.chars().collect();
    let mut blanked = String::with_capacity(source.len());
    let mut at = 0;
    while at < letters.len() {
        let end = literal_end(&letters, at).unwrap_or(at);
        if end == at {
            blanked.push(letters[at]);
            at += 1;
        }
        while at < end {
            blanked.push(if letters[at] == '\n' { '\n' } else { ' ' });
            at += 1;
        }
    }
    blanked
}

/// Where the comment, string or character literal that begins at `at` ends (exclusive).
fn literal_end(letters: &[char], at: usize) -> Option<usize> {
    let next = letters.get(at + 1).copied();
    let follows_word = at > 0 && is_word(letters[at - 1]);
    match letters[at] {
        '/' if next == Some('/') => Some(find(letters, at, |rest| rest[0] == '\n')),
        '/' if next == Some('*') => Some(block_comment_end(letters, at)),
        '"' => Some(quoted_end(letters, at + 1)),
        '\'' => character_end(letters, at),
        'r' | 'b' | 'c' if !follows_word => prefixed_end(letters, at),
        _ => None,
    }
}

fn find(letters: &[char], from: usize, is_there: impl Fn(&[char]) -> bool) -> usize {
    (from..letters.len())
        .find(|&at| is_there(&letters[at..]))
        .unwrap_or(letters.len())
}

fn block_comment_end(letters: &[char], from: usize) -> usize {
    let mut depth = 0;
    let mut at = from;
    while at < letters.len() {
        if letters[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if letters[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The end of a string whose text begins at `at`.
fn quoted_end(letters: &[char], mut at: usize) -> usize {
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(letters.len())
}

/// `'a'` and `'\n'`, but neither the lifetime `'a` nor the label `'outer:`.
fn character_end(letters: &[char], at: usize) -> Option<usize> {
    match letters.get(at + 1)? {
        '\\' => Some((find(letters, at + 3, |rest| rest[0] == '\'') + 1).min(letters.len())),
        _ => (letters.get(at + 2) == Some(&'\'')).then_some(at + 3),
    }
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `c"…"`, `b'…'`; not a name that begins with one of these letters.
fn prefixed_end(letters: &[char], from: usize) -> Option<usize> {
    let mut at = from;
    let mut is_raw = false;
    while let Some(letter @ ('r' | 'b' | 'c')) = letters.get(at) {
        is_raw |= *letter == 'r';
        at += 1;
    }
    let opening = at;
    while is_raw && letters.get(at) == Some(&'#') {
        at += 1;
    }
    let hashes = at - opening;
    match letters.get(at)? {
        '"' if is_raw => {
            let closes = |rest: &[char]| {
                rest[0] == '"' && rest[1..].iter().take_while(|l| **l == '#').count() >= hashes
            };
            Some((find(letters, at + 1, closes) + 1 + hashes).min(letters.len()))
        }
        '"' => Some(quoted_end(letters, at + 1)),
        '\'' if at == from + 1 && letters[from] == 'b' => character_end(letters, at),
        _ => None,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line of `fn`, from 1.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub(super) lines: usize,
}

/// All functions of a blanked source, nested ones too.
pub(super) fn functions(blanked: &str) -> Vec<Function> {
    static HEAD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bfn\s+(\w+)").expect("a valid pattern"));
    let found = HEAD.captures_iter(blanked).filter_map(|head| {
        let start = head.get(0)?.start();
        let body = body_start(blanked, start)?;
        let line = line_of(blanked, start);
        let lines = line_of(blanked, closing_brace(blanked, body)) - line + 1;
        Some(Function {
            name: head[1].to_owned(),
            line,
            lines,
        })
    });
    found.collect()
}

/// The brace that opens the body of the item at `from`; none if a semicolon ends it first.
fn body_start(blanked: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in blanked[from..].char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' if depth == 0 => return Some(from + at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`, or the end of the text.
fn closing_brace(blanked: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in blanked[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    blanked.len()
}

/// The line of a byte offset, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

static CFG_TEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"#\[cfg\(test\)\]").expect("a valid pattern"));

/// Names of modules in files of their own that are declared behind `#[cfg(test)]`.
pub(super) fn test_module_names(blanked: &str) -> Vec<String> {
    static MODULE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"#\[cfg\(test\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;",
        )
        .expect("a valid pattern")
    });
    MODULE
        .captures_iter(blanked)
        .map(|found| found[1].to_owned())
        .collect()
}

/// Where the items behind `#[cfg(test)]` are, as byte offsets of a blanked source.
fn test_items(blanked: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for found in CFG_TEST.find_iter(blanked) {
        if items.last().is_some_and(|item| found.start() < item.end) {
            continue;
        }
        let last = match body_start(blanked, found.end()) {
            Some(open) => closing_brace(blanked, open),
            None => blanked[found.end()..]
                .find(';')
                .map_or(blanked.len(), |at| found.end() + at),
        };
        items.push(found.start()..(last + 1).min(blanked.len()));
    }
    items
}

/// A blanked source in which the items behind `#[cfg(test)]` are blank as well. Lines and columns stay.
pub(super) fn tests_blanked(blanked: &str) -> String {
    let mut kept = String::with_capacity(blanked.len());
    let mut from = 0;
    for item in test_items(blanked) {
        kept.push_str(&blanked[from..item.start]);
        from = item.end;
        let letters = blanked[item].chars();
        kept.extend(letters.map(|letter| if letter == '\n' { '\n' } else { ' ' }));
    }
    kept.push_str(&blanked[from..]);
    kept
}

/// How many lines of a blanked source are there for tests only.
pub(super) fn test_lines(blanked: &str) -> usize {
    let lines = |item: Range<usize>| blanked[item].lines().count();
    test_items(blanked).into_iter().map(lines).sum()
}

#[test]
fn comments_strings_and_letters_are_blanked_and_lifetimes_are_not() {
    let check = |before: &str, blank: &str, after: &str| {
        let expect = format!("{before}{}{after}", " ".repeat(blank.chars().count()));
        assert_eq!(blanked(&format!("{before}{blank}{after}")), expect);
    };
    check("a ", "// fn b() {", "\nc");
    check("a ", "/* { /* } */ { */", " b");
    check("x(", r#""fn {""#, ")");
    check("x(", r#""a\"b{""#, ")");
    check("x(", r##"r#"} " {"#"##, ")");
    check("x(", r#"br"\""#, ", c)");
    check("x(", "'{'", ", 'static)");
    check("x(", r"'\''", ")");
    check("x(", r#"b'"'"#, ")");
    check("fn a<'b>(c: &'b str) { 'd: loop {} }", "", "");
    check("for_str(", "", "bar)");
}

#[test]
fn a_function_is_measured_from_its_head_to_its_closing_brace() {
    let source = "fn a(x: [u8; 4]) -> u8 {\n    if x {\n    }\n}\n\ntrait T {\n    fn b();\n    fn c() {}\n}\ntype F = fn(u8);\n";
    let name_line_lines: Vec<_> = functions(source)
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect();
    assert_eq!(
        name_line_lines,
        [("a".to_owned(), 1, 4), ("c".to_owned(), 8, 1)]
    );
}

#[test]
fn what_is_only_there_for_tests_is_left_out() {
    let source =
        "a();\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\nb();\n#[cfg(test)]\nmod model;\nc();\n";
    let kept: Vec<_> = tests_blanked(source)
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    assert_eq!(kept, ["a();", "", "", "", "", "b();", "", "", "c();"]);
    assert_eq!(test_lines(source), 6);
    assert_eq!(test_module_names(source), ["model"]);
}
