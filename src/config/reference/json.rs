//! The JSON schema of a configuration file, for editors. It says what a value looks like; what keys mean together is
//! said by `quorate config validate` alone.

use serde_json::{Map, Value, json};

use super::becomes;
use crate::config::schema::{Branch, Key, Kind, Status, root, schema};

/// The schema as `docs/configuration.schema.json` holds it, with a final line ending.
pub(crate) fn json_schema() -> String {
    let mut document = object(root(), "");
    document.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    document.insert("$defs".to_owned(), definitions());
    document.insert("title".to_owned(), json!("Configuration of Quorate"));
    // Maps of serde_json are sorted, so the text is the same every time.
    format!("{:#}\n", Value::Object(document))
}

fn value(branch: &Branch, path: &str) -> Value {
    if let Some(kind) = branch.kind {
        let mut value = of_kind(kind);
        if let Some(key) = schema().iter().find(|key| key.path == path) {
            describe(&mut value, key);
        }
        return Value::Object(value);
    }
    if let Some(item) = &branch.item {
        let items = value_of_item(item, path);
        return json!({"type": ["array", "null"], "items": items});
    }
    Value::Object(object(branch, path))
}

fn value_of_item(item: &Branch, path: &str) -> Value {
    value(item, &format!("{path}[]"))
}

fn object(branch: &Branch, path: &str) -> Map<String, Value> {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let others = match &branch.any {
        Some(any) => value(any, &below("*")),
        None => Value::Bool(false),
    };
    let mut object = Map::new();
    object.insert("type".to_owned(), json!(["object", "null"]));
    object.insert("additionalProperties".to_owned(), others);
    if !branch.names.is_empty() {
        let properties = branch
            .names
            .iter()
            .map(|(name, branch)| ((*name).to_owned(), value(branch, &below(name))));
        object.insert("properties".to_owned(), properties.collect());
    }
    if let Some(block) = branch.block {
        object.insert("description".to_owned(), json!(block.note));
    }
    object
}

fn describe(value: &mut Map<String, Value>, key: &Key) {
    let default = match key.kind {
        Kind::Flag => key.default.parse().ok().map(Value::Bool),
        Kind::Count => key.default.parse::<i64>().ok().map(Value::from),
        Kind::Word(words) => words.contains(&key.default).then(|| json!(key.default)),
        _ => None,
    };
    let mut description = becomes(key);
    match default {
        Some(default) => {
            value.insert("default".to_owned(), default);
        }
        None if !key.default.is_empty() => {
            description = format!("{description}. Default: {}", key.default);
        }
        None => {}
    }
    value.insert("description".to_owned(), json!(description));
    if key.status == Status::Deprecated {
        value.insert("deprecated".to_owned(), json!(true));
    }
}

/// What many keys share.
fn definitions() -> Value {
    let list = |item: Value| json!({"anyOf": [item, {"type": "array", "items": item}]});
    json!({
        "count": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
        "counts": list(reference("count")),
        "duration": {"type": ["string", "integer", "null"]},
        "flag": {"enum": [true, false, "true", "false", null]},
        "text": {"type": ["string", "number", "boolean", "null"]},
        "texts": list(reference("text")),
        "text_lists": list(reference("texts")),
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn of_kind(kind: Kind) -> Map<String, Value> {
    let word = |words: &[&str]| json!({"enum": words});
    let value = match kind {
        Kind::Flag => reference("flag"),
        Kind::Count => reference("count"),
        Kind::Duration | Kind::DurationOr(_) => reference("duration"),
        Kind::Text | Kind::Secret | Kind::Address | Kind::Url => reference("text"),
        Kind::Word(words) => word(words),
        Kind::Words(words) => {
            json!({"anyOf": [word(words), {"type": "array", "items": word(words)}]})
        }
        Kind::Texts => reference("texts"),
        Kind::TextLists => reference("text_lists"),
        Kind::Counts => reference("counts"),
        Kind::Any => Value::Object(Map::new()),
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
