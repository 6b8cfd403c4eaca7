//! What every integration test stands on: processes, certificates, an HTTP client and a site to protect.
//!
//! - [`Settings`] says how a cluster is configured; [`Cluster`] runs it as real processes and can kill, pause and
//!   restart each [`Node`].
//! - [`Client`] sends requests with exactly the headers a test asks for; [`Visitor`] is a client with cookies that can
//!   log in and out at the portal.
//! - [`Site`] is the application behind a proxy: it answers with what reached it.
//! - [`Authority`] signs certificates for one test, [`Process`] is any child process, [`free_port`] finds a port and
//!   [`until`] waits for a state with a bound.
//!
//! Nothing here asserts what Quorate must do. All of it stops when it is dropped, also while a test panics, and then
//! prints the end of the logs.
#![allow(
    dead_code,
    unused_imports,
    reason = "areas of tests use different parts of the harness"
)]

mod authority;
mod client;
mod cluster;
mod port;
mod process;
mod settings;
mod site;
mod visitor;
mod wait;

pub(crate) use authority::{Authority, Pair};
pub(crate) use client::{Answer, Client, Connection, Request};
pub(crate) use cluster::{Cluster, NODES_NAME, Node, binary};
pub(crate) use port::free_port;
pub(crate) use process::{Process, is_root, tool};
pub(crate) use settings::{Settings, User};
pub(crate) use site::{Seen, Site};
pub(crate) use visitor::Visitor;
pub(crate) use wait::{until, until_some};
