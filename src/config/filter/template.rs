//! Go's template language, as far as configurations use it: values and pipelines, `if`, `else`, `with`, `range`,
//! variables, comments, trimmed blanks. Templates that name other templates are not supported.
//!
//! Source: the documentation of Go's `text/template`, and Authelia's list of functions. Rendering is bounded in steps
//! and bytes, so that no file can keep a start from ending.

mod function;
mod lex;
mod parse;
mod render;
mod value;

use super::{Filtered, Flaw, Outside};

/// Renders the template `text`.
pub(super) fn render(text: &str, outside: &Outside<'_>) -> Result<Filtered, Flaw> {
    let pieces = lex::pieces(text)?;
    let nodes = parse::parse(pieces)?;
    render::render(&nodes, outside)
}

fn flaw(line: u32, message: impl Into<String>, advice: impl Into<String>) -> Flaw {
    Flaw {
        line,
        message: format!("template: {}", message.into()),
        advice: advice.into(),
    }
}
