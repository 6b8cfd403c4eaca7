//! How the world talks to Quorate.

pub mod app;
pub mod authn;
pub mod clock;
pub mod config;
pub mod http;
pub mod metrics;
pub mod random;
pub mod serve;
