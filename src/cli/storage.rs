//! `quorate storage …`: what the members keep, with Authelia's names and flags.

mod bans;
mod qr;
mod totp;
mod user;

use clap::Subcommand;

use super::failure::Failure;

/// Look after what the members keep: bans, users and their second factors.
#[derive(Debug, Subcommand)]
pub(super) enum Storage {
    /// See, impose and lift bans.
    #[command(subcommand)]
    Bans(bans::Bans),
    /// Look after users: add, change, disable, remove, passwords and second factors.
    #[command(subcommand)]
    User(user::User),
}

impl Storage {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Bans(command) => command.run(),
            Self::User(command) => command.run(),
        }
    }
}
