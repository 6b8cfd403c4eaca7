//! Small bodies only, read with a bound on bytes and time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// The largest body anything here takes: a name, a password and a target, each as long as they may be.
const BYTES_MAX: usize = 16 * 1024;
/// How long a body may take to arrive.
const TIME_MAX: Duration = Duration::from_secs(10);

/// The whole body.
///
/// # Errors
/// The status to answer with: 413 beyond 16 KiB, 408 if it does not arrive in time, 400 if the connection fails.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    // What is announced is refused before it is sent.
    if body.size_hint().lower() > BYTES_MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(TIME_MAX, Limited::new(body, BYTES_MAX).collect()).await {
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
    }
}
