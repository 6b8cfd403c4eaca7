//! How the world talks to Quorate: listeners, routes, and the translation between HTTP and the use cases.

mod api;
pub mod authz;
mod body;
pub mod certificate;
mod cookie;
mod endpoint;
pub mod front;
#[cfg(fuzzing)]
pub mod fuzz;
mod gate;
pub mod grpc;
mod health;
pub mod listen;
mod origin;
mod pages;
mod proxy_protocol;
mod reply;
pub mod router;
mod seldom;
mod session;
pub mod spoe;
pub mod tls;
mod verify;
mod wire;
