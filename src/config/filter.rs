//! What may be done to a file's text before it is read as YAML: the filters `template` and `expand-env`, by the names
//! and with the functions that Authelia has for them. No filter runs unless it is asked for.
//!
//! Filters shift lines. Each filtered line remembers the line it was written in, so that messages point there.

mod expand;
mod template;

use std::collections::BTreeMap;

use super::env::ReadFile;
use super::place::{Findings, Place};
use super::source::Source;

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Go's template language: `{{ secret "/run/secrets/key" }}`.
    Template,
    /// `$NAME` and `${NAME}` become environment variables. Older; the template filter took its place.
    ExpandEnv,
}

impl Filter {
    /// The filter of that name, as `--config.experimental.filters` takes it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "template" => Some(Self::Template),
            "expand-env" => Some(Self::ExpandEnv),
            _ => None,
        }
    }
}

/// A text and the line of the file that each of its lines was written in. No lines: the text is the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filtered {
    pub(crate) text: String,
    pub(crate) lines: Vec<u32>,
}

impl Filtered {
    fn empty() -> Self {
        Self {
            text: String::new(),
            lines: vec![1],
        }
    }

    /// Appends text that was written in the file from `line` on.
    fn write(&mut self, text: &str, mut line: u32) {
        for _ in text.matches('\n') {
            line += 1;
            self.lines.push(line);
        }
        self.text.push_str(text);
    }

    /// Appends text that stands for something written in `line`.
    fn insert(&mut self, text: &str, line: u32) {
        let breaks = text.matches('\n').count();
        self.lines.extend(std::iter::repeat_n(line, breaks));
        self.text.push_str(text);
    }
}

/// What filters may ask of the world.
pub(crate) struct Outside<'a> {
    pub(crate) variables: &'a BTreeMap<String, String>,
    pub(crate) read: ReadFile<'a>,
}

impl Outside<'_> {
    /// A variable that is set, unless it holds one of our own secrets: those set their key by themselves.
    fn variable(&self, name: &str) -> Option<&str> {
        const OWN: [&str; 3] = ["AUTHELIA_", "X_AUTHELIA_", "QUORATE_"];
        const SECRET: [&str; 5] = ["KEY", "SECRET", "PASSWORD", "TOKEN", "CERTIFICATE_CHAIN"];
        let is_own = OWN.iter().any(|prefix| name.starts_with(prefix));
        if is_own && SECRET.iter().any(|end| name.ends_with(end)) {
            return None;
        }
        self.variables.get(name).map(String::as_str)
    }
}

/// Why a filter cannot go on.
#[derive(Debug, PartialEq, Eq)]
struct Flaw {
    line: u32,
    message: String,
    advice: String,
}

/// The text of `source` after all `filters`, in their order; `None` if one of them failed, which is then reported.
pub(crate) fn apply(
    filters: &[Filter],
    source: &Source,
    outside: &Outside<'_>,
    findings: &mut Findings,
) -> Option<Filtered> {
    let mut filtered = Filtered {
        text: source.text.clone(),
        lines: Vec::new(),
    };
    for filter in filters {
        let result = match filter {
            Filter::Template => template::render(&filtered.text, outside),
            Filter::ExpandEnv => {
                let message = "the filter `expand-env` is an older one; use `template` and `{{ env \"NAME\" }}`";
                findings.notice(&Place::whole(source.file.as_str()), "", message);
                Ok(expand::expand(&filtered.text, outside))
            }
        };
        let origin = |line: u32| written_in(&filtered.lines, line);
        filtered = match result {
            Ok(next) => Filtered {
                lines: next.lines.iter().map(|line| origin(*line)).collect(),
                text: next.text,
            },
            Err(flaw) => {
                let place = Place {
                    file: source.file.as_str().into(),
                    line: origin(flaw.line),
                    column: 1,
                };
                findings.problem(&place, "", flaw.message, flaw.advice);
                return None;
            }
        };
    }
    Some(filtered)
}

/// The line of the file that `line` of a filtered text was written in.
pub(crate) fn written_in(lines: &[u32], line: u32) -> u32 {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    lines.get(index).copied().unwrap_or(line)
}
