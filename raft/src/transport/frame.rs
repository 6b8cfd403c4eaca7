//! One frame from a connection, one frame onto it.

use std::io;

use quorate_core::codec::{self, CodecError, Kind};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::FRAME_BYTES_MAX;

/// `message` as bytes for the connection.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it is longer than [`FRAME_BYTES_MAX`].
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let frame = codec::encode(Kind::Message, message)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    if frame.len() > FRAME_BYTES_MAX {
        let text = format!("a message of {} bytes is longer than a frame", frame.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(frame)
}

/// The next message; `None` if the connection ended between two frames.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for anything that is not a frame of a message, or one that is too long;
/// [`io::ErrorKind::UnexpectedEof`] for half a frame. The connection is of no use afterwards.
pub(crate) async fn read<T: DeserializeOwned>(
    input: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    let mut frame = Vec::with_capacity(codec::HEADER_BYTES);
    fill(input, &mut frame, codec::HEADER_BYTES).await?;
    if frame.is_empty() {
        return Ok(None);
    }
    let length = codec::frame_bytes(&frame).map_err(invalid)?;
    let Some(length) = length.filter(|length| *length <= FRAME_BYTES_MAX) else {
        return Err(invalid(format!("a frame of {length:?} bytes")));
    };
    fill(input, &mut frame, length).await?;
    codec::decode(Kind::Message, &frame)
        .map(Some)
        .map_err(invalid)
}

/// Whether what was read is as it was sent, and only a newer version of the program can read it.
pub(crate) fn is_newer(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<CodecError>());
    inner.is_some_and(CodecError::is_newer)
}

/// Reads until `frame` has `length` bytes. Nothing at all before the first byte is not an error.
async fn fill(
    input: &mut (impl AsyncRead + Unpin),
    frame: &mut Vec<u8>,
    length: usize,
) -> io::Result<()> {
    let missing = length.saturating_sub(frame.len());
    let had = frame.len();
    let got = input.take(missing as u64).read_to_end(frame).await?;
    if got < missing && had + got > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    async fn read_all(bytes: &[u8]) -> io::Result<Option<(u64, String)>> {
        read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_frame_is_read_back_and_the_end_is_no_error() {
        let message = (7u64, "seven".to_owned());
        let frame = encode(&message).unwrap();
        assert_eq!(read_all(&frame).await.unwrap(), Some(message));
        assert_eq!(read_all(&[]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn every_cut_and_every_changed_byte_is_an_error() {
        let frame = encode(&(7u64, "seven".to_owned())).unwrap();
        for place in 1..frame.len() {
            assert!(read_all(&frame[..place]).await.is_err(), "cut at {place}");
        }
        for place in 0..frame.len() {
            let mut bad = frame.clone();
            *bad.get_mut(place).unwrap() ^= 1;
            assert!(read_all(&bad).await.is_err(), "byte {place} changed");
        }
    }

    #[tokio::test]
    async fn an_announced_length_beyond_the_limit_is_refused_before_its_bytes_are_read() {
        let mut frame = encode(&(7u64, String::new())).unwrap();
        for length in [FRAME_BYTES_MAX as u32, u32::MAX] {
            frame
                .get_mut(6..10)
                .unwrap()
                .copy_from_slice(&length.to_le_bytes());
            let mut input = frame.as_slice().chain(tokio::io::repeat(0));
            let result: io::Result<Option<(u64, String)>> = read(&mut input).await;
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_message_beyond_the_limit_is_not_sent() {
        let error = encode(&vec![0u8; FRAME_BYTES_MAX]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
