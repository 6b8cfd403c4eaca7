//! Functions of lists and dictionaries.

use std::collections::BTreeMap;

use super::{Arguments, Result, Value};

pub(super) fn call(arguments: &Arguments<'_>) -> Option<Result> {
    Some(match arguments.name {
        "list" => Ok(Value::List(arguments.values.to_vec())),
        "dict" => dict(arguments),
        "get" => entries(arguments).and_then(|entries| {
            let name = arguments.text(1)?;
            Ok(entries
                .get(&name)
                .cloned()
                .unwrap_or(Value::Text(String::new())))
        }),
        "set" => entries(arguments).and_then(|entries| {
            let mut entries = entries.clone();
            entries.insert(arguments.text(1)?, arguments.value(2)?.clone());
            Ok(Value::Map(entries))
        }),
        "keys" => entries(arguments).map(|entries| Value::texts(entries.keys())),
        "splitList" => parts(arguments).map(Value::texts),
        "split" => parts(arguments).map(|parts| {
            let named = parts.into_iter().enumerate();
            Value::Map(
                named
                    .map(|(index, part)| (format!("_{index}"), Value::Text(part)))
                    .collect(),
            )
        }),
        "sortAlpha" => arguments.list(0).map(|items| {
            let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            Value::texts(texts)
        }),
        "iterate" => arguments
            .count(0)
            .map(|count| Value::List((0..).take(count).map(Value::Number).collect())),
        "len" => arguments.value(0).and_then(|value| {
            let length = match value {
                Value::Text(text) => text.len(),
                Value::List(items) => items.len(),
                Value::Map(entries) => entries.len(),
                _ => return Err("`len` needs a text or a list".to_owned().into()),
            };
            Ok(Value::Number(i64::try_from(length).unwrap_or(i64::MAX)))
        }),
        "index" => arguments.value(0).and_then(|value| {
            let found = match value {
                Value::Map(entries) => Some(
                    entries
                        .get(&arguments.text(1)?)
                        .cloned()
                        .unwrap_or(Value::Nothing),
                ),
                Value::List(items) => items.get(arguments.count(1)?).cloned(),
                _ => None,
            };
            found.ok_or_else(|| "`index` points to nothing".to_owned().into())
        }),
        _ => return None,
    })
}

fn entries<'a>(
    arguments: &'a Arguments<'_>,
) -> std::result::Result<&'a BTreeMap<String, Value>, super::Refusal> {
    match arguments.value(0)? {
        Value::Map(entries) => Ok(entries),
        _ => Err(format!("`{}` needs a dictionary", arguments.name).into()),
    }
}

fn dict(arguments: &Arguments<'_>) -> Result {
    let pairs = arguments.values.chunks(2).map(|pair| match pair {
        [name, value] => Some((name.to_string(), value.clone())),
        _ => None,
    });
    let entries: Option<BTreeMap<String, Value>> = pairs.collect();
    entries
        .map(Value::Map)
        .ok_or_else(|| "`dict` needs names and values in turn".to_owned().into())
}

fn parts(arguments: &Arguments<'_>) -> std::result::Result<Vec<String>, super::Refusal> {
    let (separator, text) = (arguments.text(0)?, arguments.text(1)?);
    Ok(text.split(separator.as_str()).map(str::to_owned).collect())
}
