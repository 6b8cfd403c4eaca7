//! `quorate crypto …`: password digests, random strings, keys and certificates, with Authelia's names and flags.

mod certificate;
mod hash;
mod pair;
mod prompt;
mod rand;

use clap::Subcommand;

use super::failure::Failure;

pub(super) use hash::digest;
pub(super) use prompt::{Confirmation, read_password};
pub(super) use rand::{fill_random, random_secret};

/// Hash passwords; make random strings, keys and certificates.
#[derive(Debug, Subcommand)]
pub(super) enum Crypto {
    /// Make and check password digests.
    #[command(subcommand)]
    Hash(hash::Hash),
    /// Print a random string, for keys and secrets.
    Rand(rand::Rand),
    /// Make pairs of keys.
    #[command(subcommand)]
    Pair(pair::Pair),
    /// Make certificates and requests for them.
    #[command(subcommand)]
    Certificate(Box<certificate::Certificate>),
}

impl Crypto {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Hash(command) => command.run(),
            Self::Rand(command) => command.run(),
            Self::Pair(command) => command.run(),
            Self::Certificate(command) => command.run(),
        }
    }
}
