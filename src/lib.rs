//! How the world talks to Quorate.

pub mod authn;
pub mod clock;
pub mod config;
pub mod random;
