//! `quorate crypto hash …`: digests for `users_database.yml` in every form that is read from it. Flags and defaults are
//! Authelia's.

mod kind;

use std::io::Write;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use self::kind::Kind;
use super::prompt::{Confirmation, read_password};
use super::rand::{Charset, alphabet, fill_random, random_string};
use crate::authn::digest::{Digest, Recipe};
use crate::cli::failure::{Failure, cannot_print};

const GENERATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash generate argon2                        asks for the password
  quorate crypto hash generate argon2 --random               makes one up and prints it
  printf '%s' \"$PASSWORD\" | quorate crypto hash generate argon2
  quorate crypto hash generate argon2 --profile low-memory
  quorate crypto hash generate sha2crypt --iterations 100000

Without a kind it is argon2, which is the best of them.";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  quorate crypto hash validate '$argon2id$v=19$m=65536,t=3,p=4$…'
  printf '%s' \"$PASSWORD\" | quorate crypto hash validate '$6$rounds=50000$…'

Exit code 0 if the password matches, 1 if it does not.";

/// Make and check password digests.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Hash {
    /// Make a digest.
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate {
        #[command(flatten)]
        password: Password,
        #[command(subcommand)]
        kind: Option<Kind>,
    },
    /// Check a password against a digest.
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate {
        /// The digest.
        digest: String,
        /// The password; without it, it is asked for.
        #[arg(long)]
        password: Option<String>,
    },
}

/// Which password a digest is made of.
#[derive(Debug, Args)]
pub(in crate::cli) struct Password {
    /// The password; without it, it is asked for (or read from standard input).
    #[arg(long, global = true)]
    password: Option<String>,
    /// Ask only once.
    #[arg(long, global = true)]
    no_confirm: bool,
    /// Make up a random password and print it.
    #[arg(long, global = true, conflicts_with = "password")]
    random: bool,
    /// How many characters the random password has.
    #[arg(
        long = "random.length",
        global = true,
        value_name = "N",
        default_value_t = 72
    )]
    random_length: usize,
    /// Which characters the random password has.
    #[arg(
        long = "random.charset",
        global = true,
        value_enum,
        default_value = "alphanumeric"
    )]
    random_charset: Charset,
    /// Exactly these characters instead of a named set.
    #[arg(long = "random.characters", global = true, value_name = "CHARACTERS")]
    random_characters: Option<String>,
}

impl Hash {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Generate { password, kind } => {
                let recipe = kind.map_or(Recipe::DEFAULT, |kind| kind.recipe());
                password.hash(&recipe)
            }
            Self::Validate { digest, password } => validate(&digest, password),
        }
    }
}

impl Password {
    fn hash(mut self, recipe: &Recipe) -> Result<(), Failure> {
        // Before anybody types a password.
        recipe.check().map_err(refused(recipe))?;
        let password = self.choose()?;
        let digest = digest(recipe, password.as_bytes())?;
        if self.random {
            writeln!(std::io::stdout(), "Random Password: {}", *password).map_err(cannot_print)?;
        }
        writeln!(std::io::stdout(), "Digest: {digest}").map_err(cannot_print)
    }

    fn choose(&mut self) -> Result<Zeroizing<String>, Failure> {
        if self.random {
            let alphabet = alphabet(self.random_charset, self.random_characters.as_deref())?;
            return random_string(self.random_length, &alphabet).map(Zeroizing::new);
        }
        let confirmation = if self.no_confirm {
            Confirmation::Skipped
        } else {
            Confirmation::Asked
        };
        given_or_asked(self.password.take(), confirmation)
    }
}

fn refused(recipe: &Recipe) -> impl FnOnce(String) -> Failure {
    let name = recipe.scheme.name();
    move |cause| Failure::Usage(format!("{name} {cause}"))
}

/// The digest of `password` by `recipe`, with a random salt.
pub(in crate::cli) fn digest(recipe: &Recipe, password: &[u8]) -> Result<Digest, Failure> {
    let mut salt = vec![0_u8; recipe.salt_length()];
    fill_random(&mut salt)?;
    recipe.make(password, &salt).map_err(refused(recipe))
}

fn validate(digest: &str, password: Option<String>) -> Result<(), Failure> {
    let digest = Digest::parse(digest).map_err(|found| {
        Failure::Usage(format!(
            "the digest is {found}; quote it, it has dollar signs"
        ))
    })?;
    let password = given_or_asked(password, Confirmation::Skipped)?;
    if digest.matches(password.as_bytes()) {
        return writeln!(std::io::stdout(), "The password matches the digest.")
            .map_err(cannot_print);
    }
    Err(Failure::because("the password does not match the digest"))
}

fn given_or_asked(
    given: Option<String>,
    confirmation: Confirmation,
) -> Result<Zeroizing<String>, Failure> {
    match given {
        Some(password) if password.is_empty() => {
            Err(Failure::Usage("the password is empty".into()))
        }
        Some(password) => Ok(Zeroizing::new(password)),
        None => read_password(confirmation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_that_cannot_be_read_is_wrong_usage() {
        for wrong in ["", "secret", "$2b$12$abcdefghijklmnopqrstuv", "$1$ab$cd"] {
            let refused = validate(wrong, Some("secret".into())).expect_err(wrong);
            assert!(matches!(refused, Failure::Usage(_)), "{wrong}: {refused}");
        }
    }
}
