//! The path as rules see it. Works on the path alone; the query never comes here.
//!
//! | sent | rules see |
//! |---|---|
//! | `//public/x`, `/./public/x`, `/../public/x` | `/public/x` |
//! | `/public/..%2Fsecret`, `/public/%2e%2e/secret` | `/secret` |
//! | `/a//b/../c/` | `/a/c/` |
//! | empty | `.` |

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathError {
    Control,
    Backslash,
    PercentCode,
    EncodedTwice,
    NotUtf8,
}

/// The path as rules see it.
pub(super) fn for_rules(path: &str) -> Result<Cow<'_, str>, PathError> {
    if path.is_empty() {
        return Ok(Cow::Borrowed("."));
    }
    if is_plain(path) {
        return Ok(Cow::Borrowed(path));
    }
    Ok(Cow::Owned(normalise(&decode(path)?)))
}

/// Whether the path has one reading, the one that was sent: nothing is encoded, nothing to fold, no parameters, no
/// byte that is refused. That holds for nearly every path, and what it holds for needs no copy. Anything doubtful is
/// not plain.
pub(super) fn is_plain(path: &str) -> bool {
    let mut before = 0;
    path.starts_with('/')
        && path.bytes().all(|byte| {
            let folds = before == b'/' && matches!(byte, b'/' | b'.');
            before = byte;
            !folds && byte.is_ascii_graphic() && !matches!(byte, b'%' | b'\\' | b';' | b'#' | b'?')
        })
}

/// The path as a careless server could read it, or `None` if there is no second reading.
///
/// Servlet containers drop `;...` from a segment before they resolve dots, and some decode before and some after; so
/// parameters are dropped both before and after decoding. A decoded `#` may end a path in a server that builds a URL
/// from it. An empty path reaches every server as `/`.
pub(super) fn guarded(path: &str) -> Result<Option<String>, PathError> {
    if path.is_empty() {
        return Ok(Some("/".to_owned()));
    }
    if is_plain(path) {
        return Ok(None);
    }
    let decoded = decode(path)?;
    if !decoded.contains([';', '#']) {
        return Ok(None);
    }
    let bare = decode(&drop_parameters(path))?.into_owned();
    let bare = bare.split('#').next().unwrap_or_default();
    Ok(Some(normalise(&drop_parameters(bare))))
}

fn drop_parameters(path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .collect();
    segments.join("/")
}

/// Decodes percent codes once and refuses what could be read in more than one way afterwards.
fn decode(path: &str) -> Result<Cow<'_, str>, PathError> {
    check_percent_codes(path)?;
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| PathError::NotUtf8)?;
    if decoded.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(PathError::Control);
    }
    if decoded.contains('\\') {
        return Err(PathError::Backslash);
    }
    if hides_structure(&decoded) {
        return Err(PathError::EncodedTwice);
    }
    Ok(decoded)
}

fn check_percent_codes(path: &str) -> Result<(), PathError> {
    let codes = path.split('%').skip(1);
    for code in codes {
        let digits = code.as_bytes().get(..2).ok_or(PathError::PercentCode)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(PathError::PercentCode);
        }
    }
    Ok(())
}

/// Whether further decoding, however often, would bring out a dot, slash or backslash.
fn hides_structure(decoded: &str) -> bool {
    decoded.split('%').skip(1).any(|code| {
        let mut code = code.as_bytes();
        // `%25` encodes the percent sign itself, to any depth.
        while let Some(rest) = code.strip_prefix(b"25") {
            code = rest;
        }
        let code = code.get(..2).unwrap_or_default();
        [b"2e", b"2f", b"5c"]
            .iter()
            .any(|hidden| code.eq_ignore_ascii_case(&hidden[..]))
    })
}

/// Folds dot segments and repeated slashes, never leaves the root, and keeps one final slash. Idempotent.
/// Source: RFC 3986 section 5.2.4, with repeated slashes folded as well.
pub(super) fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let mut folded = String::with_capacity(path.len() + 1);
    for segment in &kept {
        folded.push('/');
        folded.push_str(segment);
    }
    if folded.is_empty() || path.ends_with('/') {
        folded.push('/');
    }
    folded
}
