//! Protocol Buffers on the wire: as much of the encoding as a few messages need. It knows no message.
//!
//! Source: "Encoding", protobuf.dev.

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of Protocol Buffers")]
pub(super) struct Malformed;

/// One value with the number of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// A number, of whatever kind.
    Number(u64),
}

/// The fields of a message in the order of its bytes. It ends behind the first error.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(*self.chunk::<8>()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                let (value, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
                self.0 = rest;
                Value::Bytes(value)
            }
            5 => Value::Number(u32::from_le_bytes(*self.chunk::<4>()?).into()),
            // Groups are of another age.
            _ => return Err(Malformed),
        };
        match key >> 3 {
            0 => Err(Malformed),
            number => Ok((number, value)),
        }
    }

    fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(chunk)
    }

    /// Seven bits per byte, the lowest first; ten bytes at most.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            message.push(byte);
            return;
        }
        message.push(byte | 0x80);
    }
}

/// Appends a number.
pub(super) fn put_number(message: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(message, field << 3);
    put_varint(message, value);
}

/// Appends text, bytes or a message.
pub(super) fn put_bytes(message: &mut Vec<u8>, field: u64, value: &[u8]) {
    put_varint(message, field << 3 | 2);
    put_varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(message: &[u8]) -> Result<Vec<(u64, Value<'_>)>, Malformed> {
        Fields::of(message).collect()
    }

    #[test]
    fn the_examples_of_the_specification_are_read_and_written() {
        assert_eq!(all(&[0x08, 0x96, 0x01]), Ok(vec![(1, Value::Number(150))]));
        let text = b"\x12\x07testing";
        assert_eq!(all(text), Ok(vec![(2, Value::Bytes(b"testing"))]));
        let mut written = Vec::new();
        put_number(&mut written, 1, 150);
        put_bytes(&mut written, 2, b"testing");
        assert_eq!(written, [&[0x08, 0x96, 0x01][..], text].concat());
        assert_eq!(all(&[0x0d, 1, 0, 0, 0]), Ok(vec![(1, Value::Number(1))]));
        assert_eq!(
            all(&[0x09, 1, 0, 0, 0, 0, 0, 0, 0]),
            Ok(vec![(1, Value::Number(1))])
        );
        assert_eq!(all(&[]), Ok(vec![]));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let endless = [0xff; 11];
        for bytes in [
            &[0x08][..],
            &[0x12, 0x05, b'a'],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x0b],
            &[0x0c],
            &[0x00, 0x01],
            &[0x0d, 1, 2, 3],
            &endless,
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
            ],
        ] {
            assert_eq!(all(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_fields_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let read: Vec<_> = Fields::of(&bytes).collect();
            prop_assert!(read.len() <= bytes.len());
        }

        #[test]
        fn what_is_written_is_read(
            fields in prop::collection::vec((1_u64..1_000_000, any::<u64>(), any::<Vec<u8>>()), 0..8)
        ) {
            let mut message = Vec::new();
            for (field, number, bytes) in &fields {
                put_number(&mut message, *field, *number);
                put_bytes(&mut message, *field, bytes);
            }
            let expected: Vec<_> = fields.iter().flat_map(|(field, number, bytes)| {
                [(*field, Value::Number(*number)), (*field, Value::Bytes(bytes))]
            }).collect();
            prop_assert_eq!(all(&message), Ok(expected));
        }
    }
}
