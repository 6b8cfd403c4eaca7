//! `quorate storage …`: what the members keep, with Authelia's names and flags.

mod bans;
mod qr;
mod totp;

use clap::Subcommand;

use super::failure::Failure;

/// Look after what the members keep: bans and users' second factors.
#[derive(Debug, Subcommand)]
pub(super) enum Storage {
    /// See, impose and lift bans.
    #[command(subcommand)]
    Bans(bans::Bans),
    /// Look after what is kept of users.
    #[command(subcommand)]
    User(User),
}

/// Look after what is kept of users.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Set up, remove and export one-time password devices.
    #[command(subcommand)]
    Totp(totp::Totp),
}

impl Storage {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Bans(command) => command.run(),
            Self::User(User::Totp(command)) => command.run(),
        }
    }
}
