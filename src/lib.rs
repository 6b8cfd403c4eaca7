//! How the world talks to Quorate: configuration, HTTP, clock, randomness, hashing, directories, command line.

mod admin;
pub mod app;
pub mod authn;
mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod metrics;
pub mod random;
pub mod serve;
