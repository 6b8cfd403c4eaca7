//! From the tree to the text.

use super::parse::{Node, Operand, Pipeline};
use super::value::Value;
use super::{Flaw, flaw, function};
use crate::config::filter::{Filtered, Outside};

/// The most steps of one rendering: nodes rendered and functions called.
const STEPS_MAX: usize = 200_000;
/// The longest text, in bytes; more than any file that is read afterwards.
const BYTES_MAX: usize = 16 << 20;

pub(super) fn render(nodes: &[Node<'_>], outside: &Outside<'_>) -> Result<Filtered, Flaw> {
    let mut renderer = Renderer {
        out: Filtered::empty(),
        variables: Vec::new(),
        steps: 0,
        outside,
    };
    renderer.nodes(nodes, &Value::Nothing)?;
    Ok(renderer.out)
}

struct Renderer<'a> {
    out: Filtered,
    /// The innermost last.
    variables: Vec<(String, Value)>,
    steps: usize,
    outside: &'a Outside<'a>,
}

impl Renderer<'_> {
    fn nodes(&mut self, nodes: &[Node<'_>], dot: &Value) -> Result<(), Flaw> {
        let scope = self.variables.len();
        for node in nodes {
            self.node(node, dot)?;
        }
        self.variables.truncate(scope);
        Ok(())
    }

    fn node(&mut self, node: &Node<'_>, dot: &Value) -> Result<(), Flaw> {
        match node {
            Node::Text(text, line) => {
                self.step(*line)?;
                self.out.write(text, *line);
            }
            Node::Print(pipeline) => {
                let value = self.value(pipeline, dot)?;
                if pipeline.names.is_empty() {
                    if value == Value::Nothing {
                        return Err(flaw(pipeline.line, "an action has no value to print", ""));
                    }
                    self.out.insert(&value.to_string(), pipeline.line);
                } else {
                    self.keep(pipeline, &[value])?;
                }
            }
            Node::If(branches, other) => {
                for (condition, body) in branches {
                    let scope = self.variables.len();
                    let value = self.value(condition, dot)?;
                    let is_true = value.is_true();
                    self.keep(condition, &[value])?;
                    if is_true {
                        self.nodes(body, dot)?;
                    }
                    self.variables.truncate(scope);
                    if is_true {
                        return Ok(());
                    }
                }
                self.nodes(other, dot)?;
            }
            Node::With(pipeline, body, other) => {
                let value = self.value(pipeline, dot)?;
                let scope = self.variables.len();
                self.keep(pipeline, std::slice::from_ref(&value))?;
                match value.is_true() {
                    true => self.nodes(body, &value)?,
                    false => self.nodes(other, dot)?,
                }
                self.variables.truncate(scope);
            }
            Node::Range(pipeline, body, other) => self.range(pipeline, body, other, dot)?,
        }
        Ok(())
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node<'_>],
        other: &[Node<'_>],
        dot: &Value,
    ) -> Result<(), Flaw> {
        let items: Vec<(Value, Value)> = match self.value(pipeline, dot)? {
            Value::Nothing => Vec::new(),
            Value::List(items) => (0..).map(Value::Number).zip(items).collect(),
            Value::Map(entries) => entries
                .into_iter()
                .map(|(name, value)| (Value::Text(name), value))
                .collect(),
            Value::Number(number) => (0..number.min(1 << 20))
                .map(|n| (Value::Number(n), Value::Number(n)))
                .collect(),
            _ => {
                return Err(flaw(
                    pipeline.line,
                    "`range` needs a list",
                    "make one with `list` or `splitList`",
                ));
            }
        };
        if items.is_empty() {
            return self.nodes(other, dot);
        }
        for (key, item) in items {
            let scope = self.variables.len();
            match pipeline.names.len() {
                0 => {}
                1 => self.keep(pipeline, std::slice::from_ref(&item))?,
                _ => self.keep(pipeline, &[key, item.clone()])?,
            }
            self.nodes(body, &item)?;
            self.variables.truncate(scope);
        }
        Ok(())
    }

    /// Gives `values` to the variables of the pipeline, if it names any.
    fn keep(&mut self, pipeline: &Pipeline, values: &[Value]) -> Result<(), Flaw> {
        for (name, value) in pipeline.names.iter().zip(values) {
            if !pipeline.assigns {
                self.variables.push((name.clone(), value.clone()));
                continue;
            }
            let known = self
                .variables
                .iter_mut()
                .rev()
                .find(|(known, _)| known == name);
            match known {
                Some((_, slot)) => *slot = value.clone(),
                None => return Err(unknown_variable(name, pipeline.line)),
            }
        }
        Ok(())
    }

    fn value(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Flaw> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, pipeline.line, dot)?);
        }
        Ok(piped.unwrap_or(Value::Nothing))
    }

    fn command(
        &mut self,
        command: &[Operand],
        piped: Option<Value>,
        line: u32,
        dot: &Value,
    ) -> Result<Value, Flaw> {
        self.step(line)?;
        let Some((first, rest)) = command.split_first() else {
            return Ok(Value::Nothing);
        };
        let Operand::Function(name) = first else {
            if !rest.is_empty() || piped.is_some() {
                return Err(flaw(line, "a value that is no function has arguments", ""));
            }
            return self.operand(first, line, dot);
        };
        let mut arguments = Vec::new();
        for operand in rest {
            arguments.push(self.operand(operand, line, dot)?);
        }
        arguments.extend(piped);
        let value = function::call(name, &arguments, self.outside);
        value.map_err(|function::Refusal { message, advice }| flaw(line, message, advice))
    }

    fn operand(&mut self, operand: &Operand, line: u32, dot: &Value) -> Result<Value, Flaw> {
        match operand {
            Operand::Value(value) => Ok(value.clone()),
            Operand::Group(pipeline, names) => {
                let value = self.value(pipeline, dot)?;
                field(&value, names, line)
            }
            Operand::Field(names) => field(dot, names, line),
            Operand::Variable(name, names) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                match known {
                    Some((_, value)) => field(value, names, line),
                    // `$` alone is the whole input, of which there is none.
                    None if name.is_empty() => field(&Value::Nothing, names, line),
                    None => Err(unknown_variable(name, line)),
                }
            }
            Operand::Function(_) => self.command(std::slice::from_ref(operand), None, line, dot),
        }
    }

    fn step(&mut self, line: u32) -> Result<(), Flaw> {
        self.steps += 1;
        if self.steps > STEPS_MAX || self.out.text.len() > BYTES_MAX {
            return Err(flaw(
                line,
                "goes on for too long",
                "shorten what `range` goes through",
            ));
        }
        Ok(())
    }
}

fn field(value: &Value, names: &[String], line: u32) -> Result<Value, Flaw> {
    let mut value = value;
    for name in names {
        value = match value {
            Value::Map(entries) => entries.get(name).unwrap_or(&Value::Nothing),
            _ => {
                let advice = "there is nothing to take it from: use `env`, `secret` or a variable";
                return Err(flaw(line, format!("`.{name}` is not there"), advice));
            }
        };
    }
    Ok(value.clone())
}

fn unknown_variable(name: &str, line: u32) -> Flaw {
    flaw(
        line,
        format!("there is no variable `${name}`"),
        format!("declare it with `${name} := …`"),
    )
}
