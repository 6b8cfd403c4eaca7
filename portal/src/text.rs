//! How text from outside becomes text on a page.
//!
//! HTML escaping is the template engine's work. This module adds what escaping does not do: control
//! characters, and the invisible ones that change the direction of what follows, could make a shown
//! host or name read as another one. They are written out instead. It knows nothing of pages.
//!
//! Source: Unicode Technical Report 36 §3.1.2 ("bidirectional text spoofing"); UAX 9 §2.

use std::fmt::{self, Display, Formatter, Write};

/// Text from outside, to be *shown*; never for a value that a form sends back, which must not change.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_invisible(character) {
                write!(out, "[U+{:04X}]", u32::from(character))?;
            } else {
                out.write_char(character)?;
            }
        }
        Ok(())
    }
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn characters_that_hide_or_reorder_are_written_out() {
        let cases = [
            ("Ann O'Neill", "Ann O'Neill"),
            ("Zoë 王 مريم", "Zoë 王 مريم"),
            ("a\u{202e}b", "a[U+202E]b"),
            ("\u{200f}\u{2066}\u{61c}", "[U+200F][U+2066][U+061C]"),
            ("a\0b\nc\u{85}", "a[U+0000]b[U+000A]c[U+0085]"),
            ("a\u{200b}\u{ad}\u{feff}", "a[U+200B][U+00AD][U+FEFF]"),
        ];
        for (text, expect) in cases {
            assert_eq!(Shown(text).to_string(), expect);
        }
    }
}
