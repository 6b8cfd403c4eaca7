//! The arguments of a query and what a rule's `query` tests on them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode;

use super::pattern::Pattern;

/// One test of a rule's `query`.
#[derive(Debug, Clone)]
pub(super) struct ArgumentTest {
    pub(super) key: String,
    pub(super) operator: Operator,
}

/// How an argument is tested. A missing argument counts as empty text for the patterns.
#[derive(Debug, Clone)]
pub(super) enum Operator {
    Present,
    Absent,
    Equal(String),
    NotEqual(String),
    Pattern(Pattern),
    NotPattern(Pattern),
}

impl ArgumentTest {
    pub(super) fn matches(&self, arguments: &Arguments<'_>) -> bool {
        let value = arguments.value(&self.key);
        match &self.operator {
            Operator::Present => value.is_some(),
            Operator::Absent => value.is_none(),
            Operator::Equal(expected) => value == Some(expected),
            Operator::NotEqual(expected) => value != Some(expected),
            Operator::Pattern(pattern) => pattern.matches(value.unwrap_or_default(), None),
            Operator::NotPattern(pattern) => !pattern.matches(value.unwrap_or_default(), None),
        }
    }
}

/// The arguments of one reading of a query, decoded, one value per key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arguments<'a> {
    // A map, because a visitor chooses how many keys there are.
    pairs: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Arguments<'a> {
    /// The strict reading: a pair with a semicolon or a bad percent code is not there, and the first value of a
    /// repeated key counts.
    pub(super) fn strict(query: &'a str) -> Self {
        let mut arguments = Self::default();
        for pair in query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(key), Some(value)) = (decode(key), decode(value)) {
                arguments.pairs.entry(key).or_insert(value);
            }
        }
        arguments
    }

    /// The lenient reading, as other servers have it: every pair counts, bad codes stay text, and the last value of
    /// a repeated key counts.
    pub(super) fn lenient(query: &'a str) -> Self {
        Self {
            pairs: form_urlencoded::parse(query.as_bytes()).collect(),
        }
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(Cow::as_ref)
    }
}

/// Decodes form encoding; `None` for a bad percent code or bytes that are not UTF-8.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    let whole = |code: &str| {
        code.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(whole) {
        return None;
    }
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    Some(Cow::Owned(
        percent_decode(spaced.as_bytes())
            .decode_utf8()
            .ok()?
            .into_owned(),
    ))
}
