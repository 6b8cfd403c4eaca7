//! What is written about the configuration, made from the table of keys: the reference page and the JSON schema.

mod json;

use std::fmt::Write as _;

use super::schema::{Key, Kind, Status, schema};

pub(crate) use json::json_schema;

const INTRODUCTION: &str = "\
# Every key of the configuration

<!-- Made by `quorate config reference` from src/config/schema. Change it there. -->

Quorate reads Authelia's `configuration.yml`. This page lists every key of Authelia and the few of our own, and what
becomes of each. `quorate config validate` says the same about your file, with line numbers. How to move is told in
[from-authelia.md](from-authelia.md). Editors complete and check keys with
[configuration.schema.json](configuration.schema.json): write
`# yaml-language-server: $schema=configuration.schema.json` at the top of the file.

| in the tables | means |
|---|---|
| works | it does what its name says, or what the remark says |
| not needed | accepted, said once at start: what it is for is not needed here |
| no effect yet | accepted, said at start: what it is for is not there yet |
| refused | a configuration that relies on it does not start; the message names file and line |
| older name | its value is taken; the message names the present key |

All keys are accepted since version 0.1. An unknown key, a key that is there twice and a value of another type are
mistakes; all of them are told at once.

## How keys are written

- **Files.** `--config a.yml,b.yml` or `--config a.yml --config b.yml`; a directory stands for its `*.yml` and `*.yaml`
  in the order of their names. Without the flag: `QUORATE_CONFIG`, then `X_AUTHELIA_CONFIG`, then `configuration.yml`.
  Later files win key by key; lists are replaced as a whole.
- **Variables.** `AUTHELIA_` or `QUORATE_` and the key in capitals with `_` for dots: `QUORATE_SERVER_ADDRESS`. Commas
  part the items of a list. `QUORATE_` wins over `AUTHELIA_`, and both over files. Keys inside `[]` or `*` have none.
- **Secrets from files.** The variable's name and `_FILE` for every key of type *secret*:
  `AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE=/run/secrets/key`. One final line ending is not part of the secret. A secret
  that is set twice is a mistake.
- **Filters.** `--config.experimental.filters template` (or `QUORATE_CONFIG_FILTERS`, `X_AUTHELIA_CONFIG_FILTERS`) for
  `{{ env \"NAME\" }}`, `{{ secret \"/path\" }}` and the like; `expand-env` for `${NAME}`. `quorate config template` prints
  the files behind their filters.
- **Durations.** `30s`, `5m`, `1h30m`, `1d`, `2w`, `1M`, `1y`, `1 day and 6 hours`; a bare number is seconds.
- **Addresses.** `tcp://host:port/path`, `tcp4://`, `tcp6://`, `unix:///socket?umask=0117&path=path`, `host:port`,
  `/socket`.
- `[]` is every item of a list, `*` a name of your choice. Where a list of texts is asked for, one text will do.

";

/// The reference page, as `docs/configuration.md` holds it.
pub(crate) fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let sections = sections();
    page.push_str("## Keys\n\n");
    let of = |status: Status| schema().iter().filter(|key| key.status == status).count();
    let _ = writeln!(
        page,
        "{} keys: {} work, {} are not needed, {} have no effect yet, {} are refused, {} are older names.\n",
        schema().len(),
        of(Status::Supported),
        of(Status::NotNeeded),
        of(Status::NoEffectYet),
        of(Status::Refused),
        of(Status::Deprecated),
    );
    for (name, keys) in sections {
        let _ = writeln!(
            page,
            "### {name}\n\n| key | type | default | here |\n|---|---|---|---|"
        );
        for key in keys {
            page.push_str(&row(key));
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

/// Keys by their first name; those that are no section come first, older names last.
fn sections() -> Vec<(&'static str, Vec<&'static Key>)> {
    let mut sections: Vec<(&str, Vec<&Key>)> = vec![("Top level", Vec::new())];
    let mut older: Vec<&Key> = Vec::new();
    for key in schema() {
        let name = key.path.split(['.', '[']).next().unwrap_or(key.path);
        if key.status == Status::Deprecated {
            older.push(key);
        } else if name == key.path {
            push(&mut sections, "Top level", key);
        } else {
            push(&mut sections, name, key);
        }
    }
    sections.push(("Older names", older));
    sections
}

fn push(
    sections: &mut Vec<(&'static str, Vec<&'static Key>)>,
    name: &'static str,
    key: &'static Key,
) {
    match sections.iter_mut().find(|(known, _)| *known == name) {
        Some((_, keys)) => keys.push(key),
        None => sections.push((name, vec![key])),
    }
}

fn row(key: &Key) -> String {
    let default = match key.default {
        "" => String::new(),
        default if is_prose(default) => default.to_owned(),
        default => format!("`{default}`"),
    };
    let row = format!(
        "| `{}` | {} | {default} | {} |\n",
        key.path,
        kind(key.kind),
        becomes(key)
    );
    row
}

/// Whether a default is told rather than written.
fn is_prose(default: &str) -> bool {
    default.contains(' ') && !default.contains(['{', '<', ',']) || default == "inherits"
}

fn becomes(key: &Key) -> String {
    let word = match key.status {
        Status::Supported => "works",
        Status::NotNeeded => "not needed",
        Status::NoEffectYet => "no effect yet",
        Status::Refused => "refused",
        Status::Deprecated => return format!("older name of `{}`", key.now),
    };
    match key.note {
        "" => word.to_owned(),
        note => format!("{word}: {note}"),
    }
}

/// What a value looks like, in words.
fn kind(kind: Kind) -> String {
    let alternatives = |words: &[&str]| -> String {
        let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        quoted.join(", ")
    };
    match kind {
        Kind::Flag => "flag".to_owned(),
        Kind::Count => "number".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::DurationOr(words) => format!("duration, {}", alternatives(words)),
        Kind::Text => "text".to_owned(),
        Kind::Secret => "secret".to_owned(),
        Kind::Word(words) => alternatives(words),
        Kind::Words(words) => format!("list of {}", alternatives(words)),
        Kind::Texts => "list of texts".to_owned(),
        Kind::TextLists => "list of (lists of) texts".to_owned(),
        Kind::Counts => "list of numbers".to_owned(),
        Kind::Address => "address".to_owned(),
        Kind::Url => "URL".to_owned(),
        Kind::Any => "section".to_owned(),
    }
}
