//! Who users are: where they come from, and how their passwords are checked.

pub mod digest;
pub mod file;
pub mod memory;
pub mod password;
pub mod seal;
pub mod totp;
pub mod users;
