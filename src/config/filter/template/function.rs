//! The functions of templates, as many of Authelia's as configurations use.

mod collection;
mod outside;
mod text;

use super::value::Value;
use crate::config::filter::Outside;
use crate::config::place::nearest;

/// Why a function gives nothing.
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) advice: String,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self {
            message,
            advice: String::new(),
        }
    }
}

type Result = std::result::Result<Value, Refusal>;

/// Every function's name.
const NAMES: [&str; 62] = [
    "and",
    "b64dec",
    "b64enc",
    "base",
    "clean",
    "contains",
    "default",
    "dict",
    "dir",
    "empty",
    "env",
    "eq",
    "expandenv",
    "ext",
    "fileContent",
    "ge",
    "get",
    "gt",
    "hasPrefix",
    "hasSuffix",
    "indent",
    "index",
    "isAbs",
    "iterate",
    "join",
    "keys",
    "le",
    "len",
    "list",
    "lower",
    "lt",
    "mindent",
    "mquote",
    "msquote",
    "mustEnv",
    "ne",
    "nindent",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "quote",
    "replace",
    "secret",
    "set",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sortAlpha",
    "split",
    "splitList",
    "squote",
    "title",
    "trim",
    "trimAll",
    "trimPrefix",
    "trimSuffix",
    "upper",
    "urlquery",
    "urlqueryarg",
    "urlunquery",
];

/// Calls `name`; a value from a pipe is the last argument.
pub(super) fn call(name: &str, arguments: &[Value], outside: &Outside<'_>) -> Result {
    let arguments = Arguments {
        name,
        values: arguments,
    };
    let called = outside::call(&arguments, outside)
        .or_else(|| text::call(&arguments))
        .or_else(|| collection::call(&arguments))
        .or_else(|| logic(&arguments));
    called.unwrap_or_else(|| {
        let near = nearest(name, NAMES.iter().copied());
        Err(Refusal {
            message: format!("there is no function `{name}`"),
            advice: near.map_or_else(
                || format!("the functions are {}", NAMES.join(", ")),
                |near| format!("did you mean `{near}`?"),
            ),
        })
    })
}

/// What a function was given.
struct Arguments<'a> {
    name: &'a str,
    values: &'a [Value],
}

impl Arguments<'_> {
    fn value(&self, index: usize) -> std::result::Result<&Value, Refusal> {
        let missing = || {
            Refusal::from(format!(
                "`{}` needs {} arguments or more",
                self.name,
                index + 1
            ))
        };
        self.values.get(index).ok_or_else(missing)
    }

    fn last(&self) -> std::result::Result<&Value, Refusal> {
        self.value(self.values.len().saturating_sub(1))
    }

    /// Any value can stand for a text, as Go prints it.
    fn text(&self, index: usize) -> std::result::Result<String, Refusal> {
        self.value(index).map(ToString::to_string)
    }

    fn number(&self, index: usize) -> std::result::Result<i64, Refusal> {
        let number = match self.value(index)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| {
            format!(
                "argument {} of `{}` must be a whole number",
                index + 1,
                self.name
            )
            .into()
        })
    }

    /// A number of things to make, within reason.
    fn count(&self, index: usize) -> std::result::Result<usize, Refusal> {
        let number = usize::try_from(self.number(index)?)
            .ok()
            .filter(|number| *number <= 10_000);
        number.ok_or_else(|| {
            format!(
                "argument {} of `{}` must be from 0 to 10000",
                index + 1,
                self.name
            )
            .into()
        })
    }

    fn list(&self, index: usize) -> std::result::Result<&[Value], Refusal> {
        match self.value(index)? {
            Value::List(items) => Ok(items),
            _ => Err(format!("argument {} of `{}` must be a list", index + 1, self.name).into()),
        }
    }
}

fn logic(arguments: &Arguments<'_>) -> Option<Result> {
    let compared = |holds: fn(std::cmp::Ordering) -> bool| {
        let (left, right) = (arguments.value(0)?, arguments.value(1)?);
        let order = match (left, right) {
            (Value::Number(left), Value::Number(right)) => left.cmp(right),
            (Value::Text(left), Value::Text(right)) => left.cmp(right),
            _ => {
                return Err(
                    format!("`{}` compares two numbers or two texts", arguments.name).into(),
                );
            }
        };
        Ok(Value::Flag(holds(order)))
    };
    Some(match arguments.name {
        "eq" => arguments.value(1).map(|_| {
            let (first, others) = arguments
                .values
                .split_first()
                .unwrap_or((&Value::Nothing, &[]));
            Value::Flag(others.contains(first))
        }),
        "ne" => arguments
            .value(1)
            .map(|right| Value::Flag(arguments.values.first() != Some(right))),
        "lt" => compared(std::cmp::Ordering::is_lt),
        "le" => compared(std::cmp::Ordering::is_le),
        "gt" => compared(std::cmp::Ordering::is_gt),
        "ge" => compared(std::cmp::Ordering::is_ge),
        "not" => arguments
            .value(0)
            .map(|value| Value::Flag(!value.is_true())),
        "and" => arguments.last().map(|last| {
            arguments
                .values
                .iter()
                .find(|value| !value.is_true())
                .unwrap_or(last)
                .clone()
        }),
        "or" => arguments.last().map(|last| {
            arguments
                .values
                .iter()
                .find(|value| value.is_true())
                .unwrap_or(last)
                .clone()
        }),
        "empty" => arguments
            .value(0)
            .map(|value| Value::Flag(!value.is_true())),
        // Go's order: the default first, the value that came through the pipe last.
        "default" => arguments.value(0).and_then(|default| {
            let given = arguments.last()?;
            Ok(if arguments.values.len() > 1 && given.is_true() {
                given
            } else {
                default
            }
            .clone())
        }),
        _ => return None,
    })
}
