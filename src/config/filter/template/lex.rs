//! From a template's text to pieces: plain text, and the tokens between `{{` and `}}`.

use super::{Flaw, flaw};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Plain text and the line it begins in.
    Text(&'a str, u32),
    /// The tokens of an action and the line it begins in.
    Action(Vec<Token>, u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or function.
    Word(String),
    /// `.a.b`; without names the dot itself.
    Field(Vec<String>),
    /// `$name.a.b`; the name is without the dollar sign.
    Variable(String, Vec<String>),
    Text(String),
    Number(i64),
    Pipe,
    Open,
    /// A closing parenthesis and the names right behind it: `(f).a.b`.
    Close(Vec<String>),
    Comma,
    Declare,
    Assign,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Flaw> {
    let mut cursor = Cursor {
        rest: text,
        line: 1,
    };
    let mut pieces = Vec::new();
    let mut trims = false;
    loop {
        let end = cursor.rest.find(OPEN).unwrap_or(cursor.rest.len());
        let mut plain = cursor.take(end);
        if trims {
            let trimmed = plain.0.trim_start();
            let skipped = plain.0.get(..plain.0.len() - trimmed.len()).unwrap_or("");
            plain = (trimmed, plain.1 + breaks(skipped));
        }
        if cursor.rest.is_empty() {
            pieces.push(Piece::Text(plain.0, plain.1));
            return Ok(pieces);
        }
        cursor.take(OPEN.len());
        if cursor.rest.starts_with('-')
            && cursor.rest.chars().nth(1).is_some_and(char::is_whitespace)
        {
            cursor.take(1);
            plain.0 = plain.0.trim_end();
        }
        pieces.push(Piece::Text(plain.0, plain.1));
        let line = cursor.line;
        cursor.skip_blanks();
        if cursor.rest.starts_with("/*") {
            trims = cursor.comment(line)?;
            continue;
        }
        let mut tokens = Vec::new();
        trims = loop {
            match cursor.token(line)? {
                Lexed::Token(token) => tokens.push(token),
                Lexed::End { trims } => break trims,
            }
        };
        pieces.push(Piece::Action(tokens, line));
    }
}

enum Lexed {
    Token(Token),
    End { trims: bool },
}

struct Cursor<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Cursor<'a> {
    /// The next `bytes`, with the line they begin in.
    fn take(&mut self, bytes: usize) -> (&'a str, u32) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let line = self.line;
        self.line += breaks(taken);
        self.rest = rest;
        (taken, line)
    }

    fn skip_blanks(&mut self) -> bool {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.take(blanks);
        blanks > 0
    }

    /// Behind `/*`; whether the text behind the comment is trimmed.
    fn comment(&mut self, line: u32) -> Result<bool, Flaw> {
        let open = || flaw(line, "a comment is not closed", "end it with `*/}}`");
        let end = self.rest.find("*/").ok_or_else(open)?;
        self.take(end + 2);
        self.skip_blanks();
        for (close, trims) in [("-}}", true), (CLOSE, false)] {
            if self.rest.starts_with(close) {
                self.take(close.len());
                return Ok(trims);
            }
        }
        Err(open())
    }

    fn token(&mut self, line: u32) -> Result<Lexed, Flaw> {
        let blank_before = self.skip_blanks();
        if self.rest.starts_with(CLOSE) {
            self.take(CLOSE.len());
            return Ok(Lexed::End { trims: false });
        }
        if blank_before && self.rest.starts_with("-}}") {
            self.take(3);
            return Ok(Lexed::End { trims: true });
        }
        for (sign, token) in [
            (":=", Token::Declare),
            ("=", Token::Assign),
            ("|", Token::Pipe),
            ("(", Token::Open),
            (",", Token::Comma),
        ] {
            if self.rest.starts_with(sign) {
                self.take(sign.len());
                return Ok(Lexed::Token(token));
            }
        }
        if self.rest.starts_with(')') {
            self.take(1);
            return Ok(Lexed::Token(Token::Close(self.names())));
        }
        self.operand(line).map(Lexed::Token)
    }

    fn operand(&mut self, line: u32) -> Result<Token, Flaw> {
        let Some(first) = self.rest.chars().next() else {
            return Err(flaw(line, "an action is not closed", "end it with `}}`"));
        };
        match first {
            '"' => self.quoted(line),
            '`' => {
                self.take(1);
                let end = self.rest.find('`');
                let end = end
                    .ok_or_else(|| flaw(line, "a text is not closed", "end it with a backtick"))?;
                let text = self.take(end).0.to_owned();
                self.take(1);
                Ok(Token::Text(text))
            }
            '.' => Ok(Token::Field(self.names())),
            '$' => {
                self.take(1);
                let name = self.name();
                Ok(Token::Variable(name, self.names()))
            }
            '-' | '+' | '0'..='9' => {
                let end = self
                    .rest
                    .find(|c: char| c.is_whitespace() || ")|},".contains(c));
                let text = self.take(end.unwrap_or(self.rest.len())).0;
                let number = text
                    .parse()
                    .map_err(|_| flaw(line, format!("`{text}` is not a whole number"), ""))?;
                Ok(Token::Number(number))
            }
            _ if is_name(first) => Ok(Token::Word(self.name())),
            other => Err(flaw(
                line,
                format!("`{other}` has no meaning here"),
                "quote a text with `\"`",
            )),
        }
    }

    fn name(&mut self) -> String {
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        self.take(end).0.to_owned()
    }

    /// `.a.b`, as far as it goes; a dot without a name is passed over.
    fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while self.rest.starts_with('.') {
            self.take(1);
            let name = self.name();
            if !name.is_empty() {
                names.push(name);
            }
        }
        names
    }

    fn quoted(&mut self, line: u32) -> Result<Token, Flaw> {
        let open = || flaw(line, "a text is not closed", "end it with `\"`");
        self.take(1);
        let mut text = String::new();
        loop {
            let next = self
                .rest
                .chars()
                .next()
                .filter(|c| *c != '\n')
                .ok_or_else(open)?;
            self.take(next.len_utf8());
            match next {
                '"' => return Ok(Token::Text(text)),
                '\\' => text.push(self.escaped(line)?),
                other => text.push(other),
            }
        }
    }

    /// Behind a backslash.
    fn escaped(&mut self, line: u32) -> Result<char, Flaw> {
        let unknown = || {
            flaw(
                line,
                "a text holds a backslash with no meaning",
                "write two, or quote the text with backticks",
            )
        };
        let next = self.rest.chars().next().ok_or_else(unknown)?;
        self.take(next.len_utf8());
        let digits = match next {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            '"' | '\\' => return Ok(next),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(unknown()),
        };
        let code = self.take(digits).0;
        u32::from_str_radix(code, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(unknown)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}
