//! `quorate crypto …`: password digests and random strings, with Authelia's names and flags.

mod hash;
mod prompt;
mod rand;

use clap::Subcommand;

use super::failure::Failure;

pub(super) use hash::digest;
#[cfg(test)]
pub(super) use hash::matches;
pub(super) use rand::{fill_random, random_secret};

/// Hash passwords, make random strings.
#[derive(Debug, Subcommand)]
pub(super) enum Crypto {
    /// Make and check password digests.
    #[command(subcommand)]
    Hash(hash::Hash),
    /// Print a random string, for keys and secrets.
    Rand(rand::Rand),
}

impl Crypto {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Hash(command) => command.run(),
            Self::Rand(command) => command.run(),
        }
    }
}
