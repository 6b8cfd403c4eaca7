//! Patterns of `domain_regex`, `resources` and `query`: written for Go's RE2, run by the `regex` crate.
//!
//! Both are linear in the text, and the differences that would change what a rule matches are translated: perl
//! classes are ASCII, `\Q...\E` quotes, an escaped angle bracket is itself, and a bracket inside a class is literal.
//! What only one of the two knows is an error at start-up. Source: RE2 syntax, <https://golang.org/s/re2syntax>.

use regex::Regex;

use super::Identity;

/// A compiled pattern, searched anywhere in the text, with its groups `User` and `Group` bound to who asks.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    user: Option<usize>,
    group: Option<usize>,
}

impl Pattern {
    /// Compiles a pattern; the error is one line for the operator.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&translate(text)).map_err(|error| one_line(&error))?;
        let named = |name: &str| regex.capture_names().position(|group| group == Some(name));
        let (user, group) = (named("User"), named("Group"));
        Ok(Self { regex, user, group })
    }

    /// The pattern as the `regex` crate reads it.
    pub(super) fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether the pattern speaks about who asks.
    pub(super) fn names_identity(&self) -> bool {
        self.user.is_some() || self.group.is_some()
    }

    /// Whether the pattern is found in `text` and, for a known visitor, its groups fit the visitor. For an anonymous
    /// visitor being found is enough: the rule then asks for a login.
    pub(super) fn matches(&self, text: &str, identity: Option<&Identity<'_>>) -> bool {
        let Some(identity) = identity.filter(|_| self.names_identity()) else {
            return self.regex.is_match(text);
        };
        let Some(found) = self.regex.captures(text) else {
            return false;
        };
        let captured = |group: usize| found.get(group).map_or("", |part| part.as_str());
        let user_fits = self
            .user
            .is_none_or(|group| captured(group).eq_ignore_ascii_case(identity.user));
        let group_fits = self.group.is_none_or(|group| {
            identity
                .groups
                .iter()
                .any(|name| name.eq_ignore_ascii_case(captured(group)))
        });
        user_fits && group_fits
    }
}

/// The error of the `regex` crate spans lines and points with carets; its last line says what is wrong.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// Where in a pattern the translation stands.
enum Place {
    Outside,
    /// In a class; `first` while nothing of it but the caret was read.
    Class {
        first: bool,
    },
    Quoted,
}

/// Writes an RE2 pattern as one for the `regex` crate that matches the same texts.
fn translate(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len() + 16);
    let mut place = Place::Outside;
    let mut rest = pattern.chars().peekable();
    while let Some(letter) = rest.next() {
        let next = rest.peek().copied();
        place = match (place, letter) {
            (Place::Quoted, '\\') if next == Some('E') => {
                rest.next();
                Place::Outside
            }
            (Place::Quoted, _) => {
                written.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
                Place::Quoted
            }
            (Place::Outside, '\\') if next == Some('Q') => {
                rest.next();
                Place::Quoted
            }
            (Place::Outside, '\\') => {
                push_escape(&mut written, rest.next(), false);
                Place::Outside
            }
            (Place::Outside, '[') => {
                written.push('[');
                if next == Some('^') {
                    rest.next();
                    written.push('^');
                }
                Place::Class { first: true }
            }
            (Place::Outside, _) => {
                written.push(letter);
                Place::Outside
            }
            (Place::Class { .. }, '\\') => {
                push_escape(&mut written, rest.next(), true);
                Place::Class { first: false }
            }
            (Place::Class { first: false }, ']') => {
                written.push(']');
                Place::Outside
            }
            (Place::Class { .. }, '[') if next == Some(':') => {
                // `[:alpha:]` is the same in both; take it whole, so that its `]` does not end the class.
                written.push('[');
                for part in rest.by_ref() {
                    written.push(part);
                    if part == ']' {
                        break;
                    }
                }
                Place::Class { first: false }
            }
            (Place::Class { .. }, '[' | ']' | '&' | '~') => {
                written.push('\\');
                written.push(letter);
                Place::Class { first: false }
            }
            (Place::Class { .. }, _) => {
                written.push(letter);
                Place::Class { first: false }
            }
        };
    }
    written
}

/// Writes what follows a backslash. Bracket classes may stand inside bracket classes in the `regex` crate.
fn push_escape(written: &mut String, escaped: Option<char>, in_class: bool) {
    match escaped {
        Some('d') => written.push_str("[0-9]"),
        Some('D') => written.push_str("[^0-9]"),
        Some('w') => written.push_str("[0-9A-Za-z_]"),
        Some('W') => written.push_str("[^0-9A-Za-z_]"),
        Some('s') => written.push_str(r"[\t\n\f\r ]"),
        Some('S') => written.push_str(r"[^\t\n\f\r ]"),
        Some('b') if !in_class => written.push_str(r"(?-u:\b)"),
        Some(
            plain @ ('<' | '>' | '"' | '\'' | '%' | ',' | '/' | ':' | ';' | '=' | '@' | '_' | '`'
            | '!'),
        ) => {
            written.push(plain);
        }
        Some(other) => {
            written.push('\\');
            written.push(other);
        }
        None => written.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::expect_used,
        reason = "a test that cannot compile its pattern has failed"
    )]

    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expect: bool) {
        let compiled = Pattern::compile(pattern).expect("pattern compiles");
        assert_eq!(
            compiled.matches(text, None),
            expect,
            "`{pattern}` on `{text}`"
        );
    }

    #[test]
    fn a_pattern_of_go_matches_what_it_matches_there() {
        for (pattern, hit, miss) in [
            (r"^\w+$", "abc_1", "é"),
            (r"^\d+$", "12", "\u{0663}"),
            (r"^[\w-]+$", "a-b", "a.b"),
            (r"^[^\d]$", "x", "7"),
            (r"^\S+$", "ab", "a b"),
            (r"^[\D]$", "x", "7"),
            (r"^[[a]$", "[", "b"),
            (r"^[]a]$", "]", "["),
            (r"^[a&&b]$", "&", "c"),
            (r"^[[:digit:]x]$", "4", "y"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^a\/b$", "a/b", "ab"),
            (r"^(?i)abc$", "ABC", "abd"),
            (r"\bfoo\b", "a foo b", "afoo"),
            (r"^a$", "a", "a\n"),
            (r"^/p\z", "/p", "/pp"),
            (r"^[a\-z]$", "-", "b"),
            (r"^\pL$", "é", "1"),
        ] {
            check(pattern, hit, true);
            check(pattern, miss, false);
        }
    }

    #[test]
    fn a_broken_pattern_says_what_is_wrong_in_one_line() {
        let error = Pattern::compile("^(a").expect_err("unclosed");
        assert_eq!(error, "unclosed group");
    }
}
