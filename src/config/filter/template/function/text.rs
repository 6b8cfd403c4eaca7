//! Functions of texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Digest as _;

use super::{Arguments, Refusal, Result, Value};

/// What Go's `url.QueryEscape` leaves alone besides letters and digits (RFC 3986 §2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub(super) fn call(arguments: &Arguments<'_>) -> Option<Result> {
    let text = quoted(arguments)
        .or_else(|| shaped(arguments))
        .or_else(|| encoded(arguments));
    if let Some(text) = text {
        return Some(text.map(Value::Text));
    }
    let flag = |holds: fn(&str, &str) -> bool| {
        let (part, text) = (arguments.text(0)?, arguments.text(1)?);
        Ok(Value::Flag(holds(&text, &part)))
    };
    Some(match arguments.name {
        "contains" => flag(|text, part| text.contains(part)),
        "hasPrefix" => flag(|text, part| text.starts_with(part)),
        "hasSuffix" => flag(|text, part| text.ends_with(part)),
        "isAbs" => arguments
            .text(0)
            .map(|path| Value::Flag(path.starts_with('/'))),
        _ => return None,
    })
}

type Text = Option<std::result::Result<String, Refusal>>;

/// Indentation and quotes. The ones with an `m` look whether the text has several lines.
fn quoted(arguments: &Arguments<'_>) -> Text {
    let indented = |at: usize| {
        let pad = " ".repeat(arguments.count(0)?);
        let text = arguments.text(at)?;
        Ok::<_, Refusal>(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
    };
    let each = |quote: fn(&str) -> String| {
        let texts: Vec<String> = arguments
            .values
            .iter()
            .map(|value| quote(&value.to_string()))
            .collect();
        texts.join(" ")
    };
    let has_lines = arguments
        .values
        .iter()
        .any(|value| value.to_string().contains('\n'));
    Some(match arguments.name {
        "indent" => indented(1),
        "nindent" => indented(1).map(|text| format!("\n{text}")),
        "mindent" => match arguments.text(2) {
            Ok(text) if !text.contains('\n') => Ok(text),
            _ => arguments
                .text(1)
                .and_then(|sign| Ok(format!("{sign}\n{}", indented(2)?))),
        },
        "quote" => Ok(each(double)),
        "squote" => Ok(each(single)),
        "mquote" if !has_lines => Ok(each(double)),
        "msquote" if !has_lines => Ok(each(single)),
        "mquote" | "msquote" => arguments.text(0),
        _ => return None,
    })
}

/// As YAML reads it between double quotes.
fn double(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// As YAML reads it between single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn shaped(arguments: &Arguments<'_>) -> Text {
    let one = |shape: fn(&str) -> String| arguments.text(0).map(|text| shape(&text));
    let two = |shape: fn(&str, &str) -> String| {
        let (part, text) = (arguments.text(0)?, arguments.text(1)?);
        Ok(shape(&text, &part))
    };
    Some(match arguments.name {
        "lower" => one(str::to_lowercase),
        "upper" => one(str::to_uppercase),
        "title" => one(title),
        "trim" => one(|text| text.trim().to_owned()),
        "trimAll" => two(|text, cut| text.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimPrefix" => two(|text, cut| text.strip_prefix(cut).unwrap_or(text).to_owned()),
        "trimSuffix" => two(|text, cut| text.strip_suffix(cut).unwrap_or(text).to_owned()),
        "replace" => arguments
            .text(2)
            .and_then(|text| Ok(text.replace(&arguments.text(0)?, &arguments.text(1)?))),
        "join" => arguments.list(1).and_then(|items| {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            Ok(items.join(&arguments.text(0)?))
        }),
        "base" => one(|path| {
            path.trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned()
        }),
        "dir" => one(|path| {
            path.rsplit_once('/')
                .map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir })
                .to_owned()
        }),
        "ext" => one(|path| {
            let base = path.rsplit('/').next().unwrap_or_default();
            base.rfind('.')
                .and_then(|dot| base.get(dot..))
                .unwrap_or_default()
                .to_owned()
        }),
        "clean" => one(|path| {
            std::path::Path::new(path)
                .components()
                .collect::<std::path::PathBuf>()
                .display()
                .to_string()
        }),
        "print" => Ok(arguments.values.iter().map(ToString::to_string).collect()),
        "println" => Ok(format!(
            "{}\n",
            arguments
                .values
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        )),
        "printf" => printed(arguments),
        _ => return None,
    })
}

fn title(text: &str) -> String {
    let mut begins = true;
    let raised = text.chars().flat_map(|c| {
        let raise = std::mem::replace(&mut begins, !c.is_alphanumeric());
        if raise {
            c.to_uppercase().collect::<Vec<_>>()
        } else {
            vec![c]
        }
    });
    raised.collect()
}

/// `%s`, `%v` and `%d` are the value, `%q` the value in quotes, `%%` a percent sign.
fn printed(arguments: &Arguments<'_>) -> std::result::Result<String, Refusal> {
    let format = arguments.text(0)?;
    let mut text = String::new();
    let mut next = 1;
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match characters.next() {
            Some('%') => text.push('%'),
            Some(verb @ ('s' | 'v' | 'd' | 'q')) => {
                let value = arguments.text(next)?;
                next += 1;
                text.push_str(&if verb == 'q' { double(&value) } else { value });
            }
            _ => {
                return Err("`printf` knows `%s`, `%d`, `%v`, `%q` and `%%`"
                    .to_owned()
                    .into());
            }
        }
    }
    Ok(text)
}

fn encoded(arguments: &Arguments<'_>) -> Text {
    let one = |encode: fn(&[u8]) -> String| arguments.text(0).map(|text| encode(text.as_bytes()));
    Some(match arguments.name {
        "b64enc" => one(|bytes| STANDARD.encode(bytes)),
        "b64dec" => arguments.text(0).and_then(|text| {
            let bytes = STANDARD
                .decode(text.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            bytes.ok_or_else(|| "`b64dec` needs Base64 of a text".to_owned().into())
        }),
        "sha1sum" => one(|bytes| hex(&sha1::Sha1::digest(bytes))),
        "sha256sum" => one(|bytes| hex(&sha2::Sha256::digest(bytes))),
        "sha512sum" => one(|bytes| hex(&sha2::Sha512::digest(bytes))),
        "urlquery" => arguments.text(0).map(|text| {
            utf8_percent_encode(&text, QUERY)
                .to_string()
                .replace("%20", "+")
        }),
        "urlqueryarg" => arguments
            .text(0)
            .map(|text| utf8_percent_encode(&text, QUERY).to_string()),
        "urlunquery" => arguments.text(0).map(|text| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        }),
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
