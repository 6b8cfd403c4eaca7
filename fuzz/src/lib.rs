//! What several targets need.

/// `payload` in a sound frame, so that what is inside gets its turn: a checksum is no riddle for a fuzzer.
///
/// # Panics
/// For a payload of 4 GiB or more.
#[must_use]
pub fn framed(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("inputs are short");
    let head = [kind.to_le_bytes().as_slice(), &length.to_le_bytes()].concat();
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head);
    sum.update(payload);
    [
        b"QRT\x01",
        head.as_slice(),
        &sum.finalize().to_le_bytes(),
        payload,
    ]
    .concat()
}
