//! Where something stands, and what is said about it to the operator.
//!
//! A message answers four questions: where (file, line, column, key), what was found, what was expected, and what
//! to do next. Nothing here knows which mistakes exist.

use std::fmt;
use std::sync::Arc;

/// A position in a configuration source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as the operator named it, or `environment variable NAME`.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 where a source has no lines or the whole file is meant.
    pub line: u32,
    /// The column in characters, counted from 1; 0 if `line` is 0.
    pub column: u32,
}

impl Place {
    /// The whole of `file`, for what is missing from it.
    #[must_use]
    pub fn whole(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
        }
    }
}

/// `configuration.yml:12:5`, or only the name where there are no lines.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.file);
        }
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A mistake that stops the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the mistake is.
    pub place: Place,
    /// The key's full path, such as `session.cookies[0].domain`; empty where the file as a whole is meant.
    pub key: String,
    /// What was expected and what was found, one line, no full stop. Never a secret's value.
    pub message: String,
    /// What to do; may be empty.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Something the operator should read once, which does not stop the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What the notice is about.
    pub place: Place,
    /// The key's full path.
    pub key: String,
    /// One line, no full stop.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything found in one reading. All mistakes are collected before any of them is reported.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) notices: Vec<Notice>,
}

impl Findings {
    pub(crate) fn problem(
        &mut self,
        place: &Place,
        key: &str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.problems.push(Problem {
            place: place.clone(),
            key: key.to_owned(),
            message: one_line(&message.into()),
            advice: one_line(&advice.into()),
        });
    }

    pub(crate) fn notice(&mut self, place: &Place, key: &str, message: impl Into<String>) {
        self.notices.push(Notice {
            place: place.clone(),
            key: key.to_owned(),
            message: one_line(&message.into()),
        });
    }
}

/// A message quotes what files hold; a control character in it must not look like another line of the log.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// The candidate that `word` was most likely meant to be, if one is close enough to be worth naming.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let bound = |candidate: &str| 1 + candidate.len().max(word.len()) / 4;
    candidates
        // The distance is never below the difference in length, and costs the product of the lengths.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= bound(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= bound(candidate) && *distance < candidate.len()
        })
        .min()
        .map(|(_, candidate)| candidate)
}
