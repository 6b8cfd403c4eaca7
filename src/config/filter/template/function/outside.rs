//! Functions that read the environment and files.

use std::path::Path;

use super::{Arguments, Refusal, Result, Value};
use crate::config::filter::{Outside, expand};

pub(super) fn call(arguments: &Arguments<'_>, outside: &Outside<'_>) -> Option<Result> {
    Some(match arguments.name {
        "env" => arguments
            .text(0)
            .map(|name| Value::Text(outside.variable(&name).unwrap_or_default().to_owned())),
        "mustEnv" => arguments
            .text(0)
            .and_then(|name| match outside.variable(&name) {
                Some(value) => Ok(Value::Text(value.to_owned())),
                None => Err(Refusal {
                    message: format!("the environment variable `{name}` is not set"),
                    advice: "set it, or use `env` if it may be empty".to_owned(),
                }),
            }),
        "expandenv" => arguments
            .text(0)
            .map(|text| Value::Text(expand::expand(&text, outside).text)),
        "fileContent" => file(arguments, outside).map(Value::Text),
        "secret" => file(arguments, outside)
            .map(|text| Value::Text(text.trim_end_matches(['\n', '\r']).to_owned())),
        _ => return None,
    })
}

fn file(arguments: &Arguments<'_>, outside: &Outside<'_>) -> std::result::Result<String, Refusal> {
    let path = arguments.text(0)?;
    (outside.read)(Path::new(&path))
        .map(|source| source.text)
        .map_err(|error| Refusal {
            message: format!("`{path}` cannot be read: {error}"),
            advice: "correct the path or the file's permissions".to_owned(),
        })
}
