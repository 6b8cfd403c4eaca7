//! `quorate crypto rand`: random strings over a chosen alphabet, without bias.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::failure::{Failure, cannot_print};

const EXAMPLES: &str = "\
Examples:
  quorate crypto rand                                 72 letters and digits
  quorate crypto rand --length 64 --charset numeric-hex
  quorate crypto rand --characters 0123456789ABCDEF
  quorate crypto rand secrets/session secrets/storage       a file each, mode 0600";

/// The longest string that is made; nobody needs more, and a typing error should not fill a disk.
const LENGTH_MAX: usize = 1 << 20;

/// Named alphabets, those of Authelia.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Charset {
    Ascii,
    Alphanumeric,
    Alphabetic,
    Numeric,
    NumericHex,
    Rfc3986,
}

impl Charset {
    fn characters(self) -> Vec<char> {
        let keep = |kept: fn(&char) -> bool| (' '..='~').filter(kept).collect();
        match self {
            // Printable, without the blank.
            Self::Ascii => keep(char::is_ascii_graphic),
            Self::Alphanumeric => keep(char::is_ascii_alphanumeric),
            Self::Alphabetic => keep(char::is_ascii_alphabetic),
            Self::Numeric => keep(char::is_ascii_digit),
            Self::NumericHex => keep(|c| c.is_ascii_digit() || ('a'..='f').contains(c)),
            // The unreserved characters: safe in any part of a URL. Source: RFC 3986 §2.3.
            Self::Rfc3986 => keep(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)),
        }
    }
}

/// Print a random string, for keys and secrets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Rand {
    /// How many characters.
    #[arg(short = 'n', long, default_value_t = 72)]
    length: usize,
    /// Which characters.
    #[arg(short = 'x', long, value_enum, default_value = "alphanumeric")]
    charset: Charset,
    /// Exactly these characters instead of a named set.
    #[arg(long, conflicts_with = "charset")]
    characters: Option<String>,
    /// Write one value to each of these files instead of printing it.
    #[arg(long = "file", value_name = "FILE", value_delimiter = ',', num_args = 1..)]
    files: Vec<PathBuf>,
    /// The same without a flag.
    #[arg(value_name = "FILE")]
    more_files: Vec<PathBuf>,
    /// Mode of the files, in octal.
    #[arg(long = "mode-files", value_name = "MODE", default_value = "0600", value_parser = mode)]
    mode_files: u32,
    /// Mode of directories that are made for them, in octal.
    #[arg(long = "mode-dirs", value_name = "MODE", default_value = "0700", value_parser = mode)]
    mode_dirs: u32,
}

/// A file mode in octal digits.
fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "a mode is octal digits up to 0777, such as 0600".to_owned())
}

impl Rand {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let alphabet = alphabet(self.charset, self.characters.as_deref())?;
        let mut files = self.files.iter().chain(&self.more_files).peekable();
        if files.peek().is_none() {
            let value = random_string(self.length, &alphabet)?;
            return writeln!(std::io::stdout(), "Random Value: {value}").map_err(cannot_print);
        }
        for file in files {
            let value = random_string(self.length, &alphabet)?;
            write_new(file, &value, self.mode_files, self.mode_dirs).map_err(
                Failure::while_doing(format!(
                    "cannot write `{}` (a file that exists is never replaced)",
                    file.display()
                )),
            )?;
            writeln!(std::io::stdout(), "Wrote {}", file.display()).map_err(cannot_print)?;
        }
        Ok(())
    }
}

/// The distinct characters to draw from, at least two of them.
pub(super) fn alphabet(charset: Charset, explicit: Option<&str>) -> Result<Vec<char>, Failure> {
    let Some(explicit) = explicit else {
        return Ok(charset.characters());
    };
    let mut characters: Vec<char> = explicit.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if (2..=256).contains(&characters.len()) {
        return Ok(characters);
    }
    Err(Failure::Usage(format!(
        "`{explicit}` must hold 2 to 256 different characters"
    )))
}

/// Draws `length` characters, each equally likely.
pub(super) fn random_string(length: usize, alphabet: &[char]) -> Result<String, Failure> {
    if !(1..=LENGTH_MAX).contains(&length) {
        return Err(Failure::Usage(format!(
            "the length {length} must be 1 to {LENGTH_MAX}"
        )));
    }
    let count = alphabet.len();
    // Bytes at or above the largest multiple of `count` are thrown away: with them the first
    // characters of the alphabet would be likelier than the last.
    let limit = 256 - 256 % count;
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 256];
    let mut left = length;
    while left > 0 {
        fill_random(&mut bytes)?;
        let drawn = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < limit);
        let drawn = drawn
            .filter_map(|byte| alphabet.get(byte % count))
            .take(left);
        left -= drawn.map(|character| text.push(*character)).count();
    }
    Ok(text)
}

/// A random string of letters and digits, for a key or a secret.
pub(in crate::cli) fn random_secret(length: usize) -> Result<String, Failure> {
    random_string(length, &Charset::Alphanumeric.characters())
}

/// Fills `bytes` from the operating system's generator.
#[expect(
    clippy::disallowed_methods,
    reason = "the length is the user's choice, so the bytes cannot come from `random::bytes`"
)]
pub(in crate::cli) fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|cause| Failure::because(format!("no random bytes: {cause}")))
}

fn write_new(file: &Path, value: &str, mode: u32, mode_dirs: u32) -> std::io::Result<()> {
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(mode_dirs)
            .create(folder)?;
    }
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)?;
    open.write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_its_length_and_only_its_alphabet() {
        let hex = alphabet(Charset::NumericHex, None).expect("named");
        assert_eq!(hex.iter().collect::<String>(), "0123456789abcdef");
        let text = random_string(500, &hex).expect("drawn");
        assert_eq!(text.len(), 500);
        assert!(
            hex.iter().all(|character| text.contains(*character)),
            "{text}"
        );
        assert!(text.chars().all(|character| hex.contains(&character)));
        assert_ne!(text, random_string(500, &hex).expect("drawn"));
    }

    #[test]
    fn named_alphabets_have_their_size() {
        let size = |charset: Charset| charset.characters().len();
        assert_eq!(size(Charset::Ascii), 94);
        assert_eq!(size(Charset::Alphanumeric), 62);
        assert_eq!(size(Charset::Alphabetic), 52);
        assert_eq!(size(Charset::Numeric), 10);
        assert_eq!(size(Charset::Rfc3986), 66);
    }

    #[test]
    fn an_alphabet_of_one_character_and_an_empty_string_are_refused() {
        assert!(alphabet(Charset::Ascii, Some("aaa")).is_err());
        assert!(random_string(0, &['a', 'b']).is_err());
    }

    #[test]
    fn a_file_is_private_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("temporary directory");
        let file = folder.path().join("new/secret");
        write_new(&file, "one", 0o600, 0o700).expect("written");
        assert!(write_new(&file, "two", 0o600, 0o700).is_err());
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "one");
        let mode = std::fs::metadata(&file)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
