//! The file of a backup: a readable head, then the snapshot, sealed piece by piece with a key from the operator's key file.
//!
//! | bytes | field | value |
//! |---|---|---|
//! | 0–14 | magic | `QUORATE-BACKUP` and 0x01, the version of this layout |
//! | 15–18 | length | of the head in bytes; little endian |
//! | 19– | head | JSON, see [`Head`] |
//! | then | pieces | each a length (u32, little endian; bit 31 is set for the last) and a box of that many bytes |
//!
//! A box is AES-256-GCM of up to 64 KiB. The nonce is the number of the piece and whether it is the last one, so none can
//! be left out, moved or cut off; the head is associated data of each. The key is HKDF-SHA-256 of the key file with the
//! random salt in the head, so no two files share a key. Source: RFC 5116, RFC 5869; Hoang et al., "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (STREAM).

use std::io::{self, Read, Write};

use hkdf::Hkdf;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

const MAGIC: &[u8; 15] = b"QUORATE-BACKUP\x01";
const HEAD_BYTES_MAX: u32 = 64 << 10;
const PIECE_BYTES: usize = 64 << 10;
const LAST: u32 = 1 << 31;
/// The fewest bytes of a key file: the key is derived, not stretched, so it must not be guessable.
pub(crate) const KEY_BYTES_MIN: usize = 32;

/// What can be read without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The cluster it was taken from.
    pub(crate) cluster: String,
    /// The newest log index in it.
    pub(crate) index: u64,
    /// When it was taken, in milliseconds since the Unix epoch, by the clock of the machine.
    pub(crate) taken_at_ms: u64,
    /// The version of the program that took it.
    pub(crate) version: String,
    /// 16 random bytes, in hexadecimal.
    pub(crate) salt: String,
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// It is no backup, or of a version this program does not know.
    #[error("it does not begin like a backup that this version of Quorate can read")]
    NotOne,
    /// The key is another one, or the file was changed or cut off.
    #[error(
        "piece {0} cannot be opened: it is another key file, or the backup is damaged or cut off"
    )]
    Sealed(u32),
    /// The key file is too short to be one.
    #[error(
        "the key file has {0} bytes, it needs at least {KEY_BYTES_MIN}; make one with `quorate crypto rand --length 64 --file KEY`"
    )]
    ShortKey(usize),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Seals or opens the pieces of one backup.
struct Pieces {
    key: LessSafeKey,
    head: Vec<u8>,
    next: u32,
}

impl Pieces {
    fn new(key_file: &[u8], head: &Head, bytes: Vec<u8>) -> Result<Self, BackupError> {
        if key_file.len() < KEY_BYTES_MIN {
            return Err(BackupError::ShortKey(key_file.len()));
        }
        let mut key = Zeroizing::new([0; 32]);
        let derived = Hkdf::<Sha256>::new(Some(head.salt.as_bytes()), key_file)
            .expand(b"quorate backup v1", &mut *key);
        let key = UnboundKey::new(&AES_256_GCM, &*key);
        let (Ok(()), Ok(key)) = (derived, key) else {
            return Err(BackupError::NotOne);
        };
        Ok(Self {
            key: LessSafeKey::new(key),
            head: bytes,
            next: 0,
        })
    }

    fn nonce(&mut self, is_last: bool) -> Result<(u32, Nonce), BackupError> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or(BackupError::Sealed(number))?;
        let [a, b, c, d] = number.to_be_bytes();
        let nonce: [u8; NONCE_LEN] = [0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(is_last)];
        Ok((number, Nonce::assume_unique_for_key(nonce)))
    }
}

/// Seals what is written to it into `output`. Call [`Sealer::finish`], or the backup is cut off.
pub(crate) struct Sealer<W> {
    output: W,
    pieces: Pieces,
    waiting: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Writes the head.
    pub(crate) fn new(mut output: W, head: &Head, key_file: &[u8]) -> Result<Self, BackupError> {
        let bytes = serde_json::to_vec(head).map_err(io::Error::from)?;
        let pieces = Pieces::new(key_file, head, bytes)?;
        let length = u32::try_from(pieces.head.len()).map_err(io::Error::other)?;
        output.write_all(MAGIC)?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(&pieces.head)?;
        Ok(Self {
            output,
            pieces,
            waiting: Vec::with_capacity(PIECE_BYTES),
        })
    }

    /// Adds bytes.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            if self.waiting.len() == PIECE_BYTES {
                self.seal(false)?;
            }
            let room = (PIECE_BYTES - self.waiting.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.waiting.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Writes the last piece; the output, flushed.
    pub(crate) fn finish(mut self) -> Result<W, BackupError> {
        self.seal(true)?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn seal(&mut self, is_last: bool) -> Result<(), BackupError> {
        let (number, nonce) = self.pieces.nonce(is_last)?;
        let mut piece = std::mem::take(&mut self.waiting);
        let aad = Aad::from(self.pieces.head.as_slice());
        let sealed = self
            .pieces
            .key
            .seal_in_place_append_tag(nonce, aad, &mut piece);
        sealed.map_err(|_| BackupError::Sealed(number))?;
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        let length = if is_last { length | LAST } else { length };
        self.output.write_all(&length.to_le_bytes())?;
        self.output.write_all(&piece)?;
        Ok(())
    }
}

/// Reads the head of a backup.
pub(crate) fn head(input: &mut impl Read) -> Result<(Head, Vec<u8>), BackupError> {
    let mut magic = [0; MAGIC.len()];
    input
        .read_exact(&mut magic)
        .map_err(|_| BackupError::NotOne)?;
    let length = length(input)?.ok_or(BackupError::NotOne)?;
    if &magic != MAGIC || length > HEAD_BYTES_MAX {
        return Err(BackupError::NotOne);
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes)?;
    let head = serde_json::from_slice(&bytes).map_err(|_| BackupError::NotOne)?;
    Ok((head, bytes))
}

/// The snapshot in a backup, opened piece by piece as it is read.
pub(crate) struct Opener<R> {
    input: R,
    pieces: Pieces,
    opened: io::Cursor<Vec<u8>>,
    is_over: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the head.
    pub(crate) fn new(mut input: R, key_file: &[u8]) -> Result<(Head, Self), BackupError> {
        let (head, bytes) = head(&mut input)?;
        let pieces = Pieces::new(key_file, &head, bytes)?;
        let opener = Self {
            input,
            pieces,
            opened: io::Cursor::default(),
            is_over: false,
        };
        Ok((head, opener))
    }

    fn open_next(&mut self) -> Result<(), BackupError> {
        let cut = BackupError::Sealed(self.pieces.next);
        let Some(length) = length(&mut self.input)? else {
            return Err(cut);
        };
        let is_last = length & LAST != 0;
        let length = (length & !LAST) as usize;
        if length > PIECE_BYTES + AES_256_GCM.tag_len() {
            return Err(cut);
        }
        let mut piece = vec![0; length];
        self.input.read_exact(&mut piece).map_err(|_| cut)?;
        let (number, nonce) = self.pieces.nonce(is_last)?;
        let aad = Aad::from(self.pieces.head.as_slice());
        let opened = self.pieces.key.open_in_place(nonce, aad, &mut piece);
        let opened = opened.map_err(|_| BackupError::Sealed(number))?.len();
        piece.truncate(opened);
        self.opened = io::Cursor::new(piece);
        self.is_over = is_last;
        if is_last && self.input.read(&mut [0])? != 0 {
            return Err(BackupError::Sealed(number));
        }
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.opened.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.is_over {
                return Ok(count);
            }
            self.open_next().map_err(io::Error::other)?;
        }
    }
}

/// The next length; `None` at the end.
fn length(input: &mut impl Read) -> Result<Option<u32>, BackupError> {
    let mut bytes = [0; 4];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u32::from_le_bytes(bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of forty bytes, as long as it says";

    fn sealed(content: &[u8]) -> Vec<u8> {
        let head = Head {
            cluster: "c".to_owned(),
            index: 7,
            taken_at_ms: 1,
            version: "0".to_owned(),
            salt: "00ff".to_owned(),
        };
        let mut sealer = Sealer::new(Vec::new(), &head, KEY).expect("a sealer");
        sealer.add(content).expect("sealed");
        sealer.finish().expect("finished")
    }

    fn opened(file: &[u8], key: &[u8]) -> io::Result<Vec<u8>> {
        let (_, mut opener) = Opener::new(file, key).map_err(io::Error::other)?;
        let mut content = Vec::new();
        opener.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn every_length_is_read_back() {
        for length in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            3 * PIECE_BYTES,
        ] {
            let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            assert_eq!(
                opened(&sealed(&content), KEY).expect("opens"),
                content,
                "{length}"
            );
        }
    }

    #[test]
    fn another_key_a_changed_byte_and_every_cut_are_noticed() {
        let file = sealed(&[7; 100_000]);
        assert!(opened(&file, b"another key of forty bytes, no less long").is_err());
        assert!(opened(&file, b"short").is_err());
        let head = file.len() - 100_000 - 40;
        for place in (0..head).chain([head + 10, file.len() - 1]) {
            let mut bad = file.clone();
            bad[place] ^= 1;
            assert!(opened(&bad, KEY).is_err(), "byte {place} changed");
        }
        for length in [0, 10, head, head + PIECE_BYTES + 4, file.len() - 1] {
            assert!(opened(&file[..length], KEY).is_err(), "cut at {length}");
        }
    }
}
