//! Doors for the fuzz targets, which see this crate from outside. Only in builds of `cargo fuzz`.

use crate::transport::frame;
use crate::transport::message::{Greeting, Question, Response};

/// Reads a connection that carries `input`, as each of the messages.
pub fn messages(input: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return;
    };
    runtime.block_on(async {
        let _ = frame::read::<Greeting>(&mut &*input).await;
        let _ = frame::read::<Question>(&mut &*input).await;
        let _ = frame::read::<Response>(&mut &*input).await;
    });
}
