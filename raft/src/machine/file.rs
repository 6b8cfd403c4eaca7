//! One snapshot as a file.
//!
//! A frame `SnapshotMeta` of openraft's metadata (log id, membership, snapshot id), then the state as
//! [`StateView::write_to`] writes it, then nothing.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use quorate_core::codec::{self, Kind};
use quorate_core::{SnapshotError, State, StateView};

use crate::store::SnapshotMeta;

const BUFFER_BYTES: usize = 1 << 18;

/// Writes a snapshot to the empty `file`; durable on return.
pub(super) fn write(
    file: &File,
    meta: &SnapshotMeta,
    view: &StateView,
) -> Result<(), SnapshotError> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
    out.write_all(&codec::encode(Kind::SnapshotMeta, meta)?)?;
    view.write_to(&mut out)?;
    out.flush()?;
    file.sync_all()?;
    Ok(())
}

/// Loads the snapshot in `file` into `state` and says what it is. If `wanted` is given it must be that one.
///
/// # Errors
/// If any of it is not sound; the state is as before then, unless bytes follow a sound snapshot.
pub(super) fn load(
    mut file: &File,
    wanted: Option<&SnapshotMeta>,
    state: &mut State,
) -> Result<SnapshotMeta, SnapshotError> {
    file.rewind()?;
    read(
        &mut BufReader::with_capacity(BUFFER_BYTES, file),
        wanted,
        state,
    )
}

/// As [`load`], from any input, which should be buffered.
pub(crate) fn read(
    input: &mut impl Read,
    wanted: Option<&SnapshotMeta>,
    state: &mut State,
) -> Result<SnapshotMeta, SnapshotError> {
    let mut frame = vec![0; codec::HEADER_BYTES];
    input.read_exact(&mut frame)?;
    let length = codec::frame_bytes(&frame)?.unwrap_or(codec::HEADER_BYTES);
    frame.resize(length, 0);
    input.read_exact(frame.get_mut(codec::HEADER_BYTES..).unwrap_or_default())?;
    let meta: SnapshotMeta = codec::decode(Kind::SnapshotMeta, &frame)?;
    if wanted.is_some_and(|wanted| *wanted != meta) {
        return Err(invalid("it is another snapshot than was announced"));
    }
    state.load(input)?;
    if input.read(&mut [0])? != 0 {
        return Err(invalid("bytes follow its end"));
    }
    Ok(meta)
}

fn invalid(what: &'static str) -> SnapshotError {
    io::Error::new(io::ErrorKind::InvalidData, what).into()
}
