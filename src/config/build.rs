//! From the checked tree to the validated configuration: defaults, inheritance, and what keys mean together.
//!
//! One file per section. Every mistake is reported and answered with the default, so that one reading finds all
//! of them; the caller throws the result away if there was any.

pub(crate) mod access;
pub(crate) mod cluster;
mod rate_limit;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod small;
pub(crate) mod users;
