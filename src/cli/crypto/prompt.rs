//! Asking for a password: without echo on a terminal, one line from standard input otherwise.

use std::io::{BufRead, IsTerminal, Stdin, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli::failure::{Failure, cannot_print};

/// Whether the password is asked for twice on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Confirmation {
    Asked,
    Skipped,
}

/// Reads a password that is not empty. Its line ending is not part of it.
pub(in crate::cli) fn read_password(
    confirmation: Confirmation,
) -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return read_line(&stdin);
    }
    let password = ask(&stdin, "Enter password: ")?;
    if confirmation == Confirmation::Asked && ask(&stdin, "Confirm password: ")? != password {
        return Err(Failure::because("the two passwords differ"));
    }
    Ok(password)
}

fn ask(stdin: &Stdin, question: &str) -> Result<Zeroizing<String>, Failure> {
    // The question goes to standard error, so that the digest can be piped on.
    let mut screen = std::io::stderr();
    write!(screen, "{question}").map_err(cannot_print)?;
    screen.flush().map_err(cannot_print)?;
    let silence = Silence::begin(stdin)
        .map_err(Failure::while_doing("cannot turn off the terminal's echo"))?;
    let line = read_line(stdin);
    drop(silence);
    writeln!(screen).map_err(cannot_print)?;
    line
}

fn read_line(stdin: &Stdin) -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    stdin
        .lock()
        .read_line(&mut line)
        .map_err(Failure::while_doing(
            "cannot read a password from standard input",
        ))?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    if line.is_empty() {
        return Err(Failure::because("the password is empty"));
    }
    Ok(line)
}

/// A terminal without echo; dropping it turns the echo on again.
struct Silence<'a> {
    stdin: &'a Stdin,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(stdin: &'a Stdin) -> rustix::io::Result<Self> {
        let before = tcgetattr(stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin, OptionalActions::Flush, &silent)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.stdin, OptionalActions::Flush, &self.before);
    }
}
