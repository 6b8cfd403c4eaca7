//! From pieces to a tree of what is to be rendered.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lex::{Piece, Token};
use super::value::Value;
use super::{Flaw, flaw};

/// The deepest nesting of sections, and of parentheses.
const DEPTH_MAX: usize = 32;

#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(&'a str, u32),
    Print(Pipeline),
    /// Conditions with their bodies, then what is rendered if none holds.
    If(Vec<(Pipeline, Vec<Node<'a>>)>, Vec<Node<'a>>),
    With(Pipeline, Vec<Node<'a>>, Vec<Node<'a>>),
    Range(Pipeline, Vec<Node<'a>>, Vec<Node<'a>>),
}

#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) line: u32,
    /// Variables that take the value.
    pub(super) names: Vec<String>,
    /// Whether the variables are there already.
    pub(super) assigns: bool,
    /// Each takes the value of the one before as its last argument.
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug)]
pub(super) enum Operand {
    Value(Value),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    /// What stands in parentheses, and the names behind them.
    Group(Pipeline, Vec<String>),
}

pub(super) fn parse(pieces: Vec<Piece<'_>>) -> Result<Vec<Node<'_>>, Flaw> {
    let mut parser = Parser {
        pieces: pieces.into_iter(),
        depth: 0,
    };
    match parser.body(None)? {
        (nodes, End::Text) => Ok(nodes),
        (_, End::Keyword(line) | End::Else(line, _)) => Err(flaw(
            line,
            "`end` or `else` without a beginning",
            "remove it",
        )),
    }
}

/// What a body ends with.
enum End {
    Text,
    Keyword(u32),
    /// The line, and the tokens behind `else`.
    Else(u32, Vec<Token>),
}

struct Parser<'a> {
    pieces: IntoIter<Piece<'a>>,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Nodes up to `end`, `else` or the end of the text, which is a flaw inside a section that began in line `open`.
    fn body(&mut self, open: Option<u32>) -> Result<(Vec<Node<'a>>, End), Flaw> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (tokens, line) = match piece {
                Piece::Text(text, line) => {
                    nodes.push(Node::Text(text, line));
                    continue;
                }
                Piece::Action(tokens, line) => (tokens, line),
            };
            let mut tokens = tokens.into_iter();
            match tokens.as_slice().first() {
                Some(Token::Word(word)) if word == "end" => return Ok((nodes, End::Keyword(line))),
                Some(Token::Word(word)) if word == "else" => {
                    tokens.next();
                    return Ok((nodes, End::Else(line, tokens.collect())));
                }
                Some(Token::Word(word)) if ["if", "with", "range"].contains(&word.as_str()) => {
                    let word = word.clone();
                    tokens.next();
                    nodes.push(self.section(&word, tokens.collect(), line)?);
                }
                Some(Token::Word(word))
                    if ["define", "template", "block", "break", "continue"]
                        .contains(&word.as_str()) =>
                {
                    let message = format!("`{word}` is not supported");
                    return Err(flaw(line, message, "write out what it stands for"));
                }
                _ => nodes.push(Node::Print(pipeline(tokens.collect(), line)?)),
            }
        }
        match open {
            None => Ok((nodes, End::Text)),
            Some(line) => Err(flaw(
                line,
                "a section is not closed",
                "end it with `{{ end }}`",
            )),
        }
    }

    fn section(&mut self, word: &str, tokens: Vec<Token>, line: u32) -> Result<Node<'a>, Flaw> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(flaw(
                line,
                format!("is nested deeper than {DEPTH_MAX} sections"),
                "",
            ));
        }
        let node = match word {
            "if" => self.conditions(tokens, line)?,
            _ => {
                let value = pipeline(tokens, line)?;
                let (body, end) = self.body(Some(line))?;
                let other = match end {
                    End::Else(line, tokens) if tokens.is_empty() => self.last(line)?,
                    End::Else(line, _) => {
                        return Err(flaw(
                            line,
                            format!("`else` of `{word}` takes no condition"),
                            "",
                        ));
                    }
                    End::Keyword(_) | End::Text => Vec::new(),
                };
                match word {
                    "with" => Node::With(value, body, other),
                    _ => Node::Range(value, body, other),
                }
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn conditions(&mut self, tokens: Vec<Token>, line: u32) -> Result<Node<'a>, Flaw> {
        let mut branches = Vec::new();
        let (mut tokens, mut line) = (tokens, line);
        loop {
            let condition = pipeline(tokens, line)?;
            let (body, end) = self.body(Some(line))?;
            branches.push((condition, body));
            match end {
                End::Text | End::Keyword(_) => return Ok(Node::If(branches, Vec::new())),
                End::Else(line, rest) if rest.is_empty() => {
                    return Ok(Node::If(branches, self.last(line)?));
                }
                End::Else(at, rest) => {
                    let mut rest = rest.into_iter();
                    if rest.next() != Some(Token::Word("if".to_owned())) {
                        return Err(flaw(
                            at,
                            "`else` is followed by something else than `if`",
                            "",
                        ));
                    }
                    (tokens, line) = (rest.collect(), at);
                }
            }
        }
    }

    /// The body behind the last `else`.
    fn last(&mut self, line: u32) -> Result<Vec<Node<'a>>, Flaw> {
        match self.body(Some(line))? {
            (_, End::Else(line, _)) => Err(flaw(line, "a second `else`", "remove one of them")),
            (nodes, _) => Ok(nodes),
        }
    }
}

fn pipeline(tokens: Vec<Token>, line: u32) -> Result<Pipeline, Flaw> {
    let mut tokens = tokens.into_iter().peekable();
    let pipeline = piped(&mut tokens, line, 0)?;
    match tokens.next() {
        None => Ok(pipeline),
        Some(_) => Err(flaw(
            line,
            "a parenthesis is closed that was not opened",
            "",
        )),
    }
}

type Tokens = Peekable<IntoIter<Token>>;

fn piped(tokens: &mut Tokens, line: u32, depth: usize) -> Result<Pipeline, Flaw> {
    if depth > DEPTH_MAX {
        return Err(flaw(
            line,
            format!("has more than {DEPTH_MAX} parentheses inside one another"),
            "",
        ));
    }
    let mut pipeline = Pipeline {
        line,
        names: Vec::new(),
        assigns: false,
        commands: Vec::new(),
    };
    let mut command = Vec::new();
    while let Some(token) = tokens.peek() {
        if matches!(token, Token::Close(_)) {
            break;
        }
        let Some(token) = tokens.next() else { break };
        match token {
            Token::Pipe => {
                if command.is_empty() {
                    return Err(flaw(line, "nothing stands before `|`", ""));
                }
                pipeline.commands.push(std::mem::take(&mut command));
            }
            Token::Open => {
                let inner = piped(tokens, line, depth + 1)?;
                let Some(Token::Close(names)) = tokens.next() else {
                    return Err(flaw(line, "a parenthesis is not closed", ""));
                };
                command.push(Operand::Group(inner, names));
            }
            Token::Comma | Token::Declare | Token::Assign => {
                let before = pipeline.commands.is_empty() && pipeline.names.len() < 2;
                let Some(Operand::Variable(name, _)) =
                    command.pop().filter(|_| before && command.is_empty())
                else {
                    return Err(flaw(
                        line,
                        "`,`, `:=` and `=` stand behind a variable at the beginning",
                        "",
                    ));
                };
                pipeline.names.push(name);
                pipeline.assigns = token == Token::Assign;
            }
            Token::Word(word) => command.push(named(word)),
            Token::Field(names) => command.push(Operand::Field(names)),
            Token::Variable(name, names) => command.push(Operand::Variable(name, names)),
            Token::Text(text) => command.push(Operand::Value(Value::Text(text))),
            Token::Number(number) => command.push(Operand::Value(Value::Number(number))),
            Token::Close(_) => break,
        }
    }
    if command.is_empty() {
        return Err(flaw(
            line,
            "an action without a value",
            "write a value or function, or remove the braces",
        ));
    }
    pipeline.commands.push(command);
    Ok(pipeline)
}

fn named(word: String) -> Operand {
    match word.as_str() {
        "true" => Operand::Value(Value::Flag(true)),
        "false" => Operand::Value(Value::Flag(false)),
        "nil" => Operand::Value(Value::Nothing),
        _ => Operand::Function(word),
    }
}
