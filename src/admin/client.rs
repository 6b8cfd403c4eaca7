//! The command line's end of the admin socket.

use std::io;
use std::path::{Path, PathBuf};

use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::answer::Refused;

/// Why a node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No node answers at the socket.
    #[error(
        "no node answers at {socket}: is it running on this machine, and are you root or its user?"
    )]
    Unreachable {
        socket: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// The connection broke, or what came is no answer.
    #[error("the node's answer could not be read")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The node says why.
    #[error("{0}")]
    Refused(String),
}

impl CallError {
    fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Broken(cause.into())
    }
}

/// Sends one command to the node at `socket` and waits for its answer, however long that takes.
///
/// # Errors
/// [`CallError`]; with `Broken` the command may have been carried out.
pub(crate) async fn call<T: DeserializeOwned>(
    socket: &Path,
    path: &str,
    command: &impl Serialize,
) -> Result<T, CallError> {
    let response = send(socket, path, command).await?;
    let bytes = response.into_body().collect().await;
    let bytes = bytes.map_err(CallError::broken)?.to_bytes();
    serde_json::from_slice(&bytes).map_err(CallError::broken)
}

/// As [`call`], for an answer that is no document: its head, then its bytes as they come.
///
/// # Errors
/// [`CallError`]; an error of `take` is `Broken`.
pub(crate) async fn stream<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    socket: &Path,
    path: &str,
    begin: impl FnOnce(&HeaderMap) -> Result<(), E>,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), CallError> {
    let response = send(socket, path, &()).await?;
    begin(response.headers()).map_err(CallError::broken)?;
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(CallError::broken)?;
        if let Some(bytes) = frame.data_ref() {
            take(bytes).map_err(CallError::broken)?;
        }
    }
    Ok(())
}

async fn send(
    socket: &Path,
    path: &str,
    command: &impl Serialize,
) -> Result<Response<Incoming>, CallError> {
    let stream = UnixStream::connect(socket).await;
    let stream = stream.map_err(|cause| CallError::Unreachable {
        socket: socket.to_owned(),
        cause,
    })?;
    let body = serde_json::to_vec(command).map_err(CallError::broken)?;
    let request = http::Request::post(path)
        .header(http::header::HOST, "localhost")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(CallError::broken)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(CallError::broken)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await;
    let response = response.map_err(CallError::broken)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let bytes = response.into_body().collect().await;
    let bytes = bytes.map_err(CallError::broken)?.to_bytes();
    let refused: Result<Refused, _> = serde_json::from_slice(&bytes);
    Err(CallError::Refused(refused.map_or_else(
        |_| String::from_utf8_lossy(&bytes).into_owned(),
        |refused| refused.error,
    )))
}
