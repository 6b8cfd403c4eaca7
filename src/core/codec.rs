//! How records become bytes, on disk and between nodes.
//!
//! | bytes | field | value |
//! |---|---|---|
//! | 0–3 | magic | `QRT` and 0x01, the version of this frame |
//! | 4–5 | kind | what the payload is, see [`Kind`]; little endian |
//! | 6–9 | length | of the payload in bytes; little endian |
//! | 10–13 | checksum | CRC-32 (IEEE) of kind, length and payload; little endian |
//! | 14– | payload | bincode 1.3: fixed-size little-endian integers, lengths as `u64`, variants as `u32` |
//!
//! Decoding is strict: another version or kind, a wrong checksum, an unknown variant and trailing bytes are errors.
//! Structures are frozen once released; a changed one gets a new [`Kind`].

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

const MAGIC: [u8; 4] = *b"QRT\x01";
/// Bytes before the payload of a frame.
pub const HEADER_BYTES: usize = 14;

/// The largest payload of one frame, 64 MiB; a length beyond it is refused before anything is allocated.
pub const PAYLOAD_BYTES_MAX: u64 = 64 << 20;

/// What a frame holds. Numbers are never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// One entry of the Raft log.
    LogEntry = 1,
    /// Voted-for and term.
    Vote = 2,
    /// A log id (committed, purged).
    LogId = 3,
    /// Who a data directory belongs to.
    Identity = 4,
    /// The head of a snapshot: replicated time, membership, log id, counts.
    SnapshotHead = 5,
    /// A run of sessions in a snapshot.
    SnapshotSessions = 6,
    /// A run of users in a snapshot.
    SnapshotUsers = 7,
    /// A run of guess records in a snapshot.
    SnapshotAttempts = 8,
    /// A run of remembered requests in a snapshot.
    SnapshotRequests = 9,
    /// The end of a snapshot.
    SnapshotEnd = 10,
    /// A message from node to node.
    Message = 11,
    /// Raft's metadata of a snapshot.
    SnapshotMeta = 12,
    /// How far a log was durable at least.
    DurableMark = 13,
    /// A run of users' second factors in a snapshot.
    SnapshotAuthenticators = 14,
    /// The head of a snapshot that holds accounts or passwords as well.
    SnapshotHead2 = 15,
    /// A run of accounts in a snapshot.
    SnapshotAccounts = 16,
    /// A run of passwords that take the place of a users file's, in a snapshot.
    SnapshotOverrides = 17,
    /// The end of a snapshot that began with [`Kind::SnapshotHead2`].
    SnapshotEnd2 = 18,
    /// The set of commands that is in force in a snapshot.
    SnapshotSet = 19,
}

impl Kind {
    /// The last kind that this program knows.
    const NEWEST: u16 = Self::SnapshotSet as u16;
}

/// Why bytes are not the record they should be.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Fewer bytes than the header or the length in it asks for.
    #[error("the record ends after {have} of {want} bytes")]
    Truncated {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        want: usize,
    },
    /// Not a frame, or one of a version this program does not know.
    #[error("not a record of this program: it begins with {0:02x?}")]
    Magic([u8; 4]),
    /// A frame of another kind.
    #[error("a record of kind {found}, where kind {expected} was expected")]
    Kind {
        /// The kind in the header.
        found: u16,
        /// The kind asked for.
        expected: u16,
    },
    /// The bytes changed since they were written.
    #[error("the checksum is {found:08x}, but the content gives {computed:08x}")]
    Checksum {
        /// The checksum in the header.
        found: u32,
        /// The checksum of what is there.
        computed: u32,
    },
    /// More bytes than one frame.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
    /// The payload is too large to be written or read.
    #[error("a payload of {0} bytes is larger than {PAYLOAD_BYTES_MAX}")]
    TooLarge(u64),
    /// The payload does not decode: an unknown variant, trailing bytes, or text that is not UTF-8.
    #[error("the content does not decode")]
    Payload(#[source] bincode::Error),
}

impl CodecError {
    /// Whether the bytes are as they were written, and hold what this program does not know: a newer one wrote them.
    #[must_use]
    pub const fn is_newer(&self) -> bool {
        match self {
            // A kind that this program knows, in the place of another, was put there by no version: that is damage.
            Self::Kind { found, .. } => *found > Kind::NEWEST,
            Self::Payload(_) => true,
            _ => false,
        }
    }
}

fn options() -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(PAYLOAD_BYTES_MAX)
        .reject_trailing_bytes()
}

/// `value` as a frame of `kind`.
///
/// # Errors
/// [`CodecError::TooLarge`] or [`CodecError::Payload`] if the value is beyond [`PAYLOAD_BYTES_MAX`].
pub fn encode<T: Serialize + ?Sized>(kind: Kind, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut frame = Vec::with_capacity(HEADER_BYTES + 256);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[0; HEADER_BYTES - MAGIC.len()]);
    options()
        .serialize_into(&mut frame, value)
        .map_err(CodecError::Payload)?;
    let payload_bytes = frame.len() - HEADER_BYTES;
    let length =
        u32::try_from(payload_bytes).map_err(|_| CodecError::TooLarge(payload_bytes as u64))?;
    let head = head_bytes(kind as u16, length);
    let checksum = checksum(&head, frame.get(HEADER_BYTES..).unwrap_or_default());
    if let Some(header) = frame.get_mut(MAGIC.len()..HEADER_BYTES) {
        let (head_slot, checksum_slot) = header.split_at_mut(head.len());
        head_slot.copy_from_slice(&head);
        checksum_slot.copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(frame)
}

/// The value in `frame`, which must be one whole frame of `kind`.
///
/// # Errors
/// [`CodecError`] says what is wrong with the bytes.
pub fn decode<T: DeserializeOwned>(kind: Kind, frame: &[u8]) -> Result<T, CodecError> {
    let (header, rest) = split_header(frame)?;
    let payload = rest
        .get(..header.length as usize)
        .ok_or(CodecError::Truncated {
            have: frame.len(),
            want: HEADER_BYTES + header.length as usize,
        })?;
    let computed = checksum(&head_bytes(header.kind, header.length), payload);
    if computed != header.checksum {
        return Err(CodecError::Checksum {
            found: header.checksum,
            computed,
        });
    }
    if header.kind != kind as u16 {
        return Err(CodecError::Kind {
            found: header.kind,
            expected: kind as u16,
        });
    }
    if rest.len() > payload.len() {
        return Err(CodecError::Trailing(rest.len() - payload.len()));
    }
    options().deserialize(payload).map_err(CodecError::Payload)
}

/// The length in bytes of the whole frame that starts `bytes`, so that frames can follow one another in a file.
/// `Ok(None)` if `bytes` is shorter than a header.
///
/// # Errors
/// [`CodecError::Magic`] or [`CodecError::TooLarge`] if no frame starts here.
pub fn frame_bytes(bytes: &[u8]) -> Result<Option<usize>, CodecError> {
    match split_header(bytes) {
        Ok((header, _)) => Ok(Some(HEADER_BYTES + header.length as usize)),
        Err(CodecError::Truncated { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The kind of the frame that starts `bytes`, known to this program or not; `None` if no frame starts there.
#[must_use]
pub fn frame_kind(bytes: &[u8]) -> Option<u16> {
    split_header(bytes).ok().map(|(header, _)| header.kind)
}

struct Header {
    kind: u16,
    length: u32,
    checksum: u32,
}

fn split_header(bytes: &[u8]) -> Result<(Header, &[u8]), CodecError> {
    let truncated = CodecError::Truncated {
        have: bytes.len(),
        want: HEADER_BYTES,
    };
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(truncated);
    };
    let [m0, m1, m2, m3, k0, k1, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(CodecError::Magic([m0, m1, m2, m3]));
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    if u64::from(length) > PAYLOAD_BYTES_MAX {
        return Err(CodecError::TooLarge(u64::from(length)));
    }
    let kind = u16::from_le_bytes([k0, k1]);
    Ok((
        Header {
            kind,
            length,
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        },
        rest,
    ))
}

fn head_bytes(kind: u16, length: u32) -> [u8; 6] {
    let ([k0, k1], [l0, l1, l2, l3]) = (kind.to_le_bytes(), length.to_le_bytes());
    [k0, k1, l0, l1, l2, l3]
}

fn checksum(head: &[u8; 6], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let frame = encode(Kind::Vote, &("name", 7u64)).unwrap();
        assert_eq!(frame_bytes(&frame).unwrap(), Some(frame.len()));
        assert_eq!(
            decode::<(String, u64)>(Kind::Vote, &frame).unwrap(),
            ("name".to_owned(), 7)
        );
    }

    #[test]
    fn any_changed_missing_or_added_byte_is_noticed() {
        let frame = encode(Kind::Vote, &("name", 7u64)).unwrap();
        for place in 0..frame.len() {
            let mut bad = frame.clone();
            *bad.get_mut(place).unwrap() ^= 1;
            assert!(
                decode::<(String, u64)>(Kind::Vote, &bad).is_err(),
                "byte {place} changed"
            );
            assert!(
                decode::<(String, u64)>(Kind::Vote, &frame[..place]).is_err(),
                "cut at {place}"
            );
        }
        let longer = [frame.as_slice(), &[0]].concat();
        assert!(decode::<(String, u64)>(Kind::Vote, &longer).is_err());
    }

    #[test]
    fn another_kind_and_trailing_payload_are_refused() {
        let frame = encode(Kind::Vote, &(1u64, 2u64)).unwrap();
        assert!(matches!(
            decode::<(u64, u64)>(Kind::LogId, &frame),
            Err(CodecError::Kind { .. })
        ));
        assert!(matches!(
            decode::<u64>(Kind::Vote, &frame),
            Err(CodecError::Payload(_))
        ));
    }

    #[test]
    fn only_a_kind_beyond_all_known_ones_is_of_a_newer_program() {
        let verdict = |found| CodecError::Kind { found, expected: 1 }.is_newer();
        assert!(!verdict(Kind::Vote as u16) && !verdict(Kind::NEWEST));
        assert!(verdict(Kind::NEWEST + 1));
    }

    #[test]
    fn an_absurd_length_is_refused_before_it_is_believed() {
        let mut frame = encode(Kind::Vote, &1u64).unwrap();
        frame[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            decode::<u64>(Kind::Vote, &frame),
            Err(CodecError::TooLarge(_))
        ));
    }
}
