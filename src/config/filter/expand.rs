//! The filter `expand-env`: `$NAME` and `${NAME}` become what the environment says, or nothing.

use super::{Filtered, Outside};

pub(super) fn expand(text: &str, outside: &Outside<'_>) -> Filtered {
    let mut filtered = Filtered::empty();
    let mut line = 1;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filtered.write(before, line);
        line += lines_in(before);
        let (name, behind) = name(after);
        if name.is_empty() {
            filtered.write("$", line);
        } else {
            let value = outside.variable(name).unwrap_or_default();
            filtered.insert(value, line);
        }
        rest = behind;
    }
    filtered.write(rest, line);
    filtered
}

/// The name at the beginning of `text`, and what follows it; an empty name if there is none.
fn name(text: &str) -> (&str, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some((name, behind)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        && !name.is_empty()
        && name.chars().all(is_name)
    {
        return (name, behind);
    }
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

fn lines_in(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}
