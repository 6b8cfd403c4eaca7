//! Frames of SPOP, the protocol of HAProxy's agents; pure. It knows neither connection nor decision.
//!
//! | frame | bytes, behind a length of 4 |
//! |---|---|
//! | any | type 1, flags 4 (bit 0: the last part), stream and frame as varints, payload |
//! | hello | named values: `version`, `supported-versions`, `max-frame-size`, `capabilities`, `healthcheck` |
//! | notify | messages: name, number of arguments 1, then named values |
//! | acknowledgement | actions: 1 (set a variable), 3, scope 1, name, value |
//! | disconnect | named values: `status-code`, `message` |
//!
//! Source: HAProxy's `doc/SPOE.txt`, version 2.0 of the protocol.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The bytes are no frame, or none that an agent gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a frame of version 2.0 of SPOP")]
pub(super) struct Malformed;

/// The largest frame that is taken or sent; the smallest that both sides must take is 256.
pub(super) const FRAME_BYTES_MAX: u32 = 64 * 1024;

/// How long the length before a frame is; it does not count itself.
pub(super) const LENGTH_BYTES: usize = 4;

const HAPROXY_HELLO: u8 = 1;
const HAPROXY_DISCONNECT: u8 = 2;
const NOTIFY: u8 = 3;
const AGENT_HELLO: u8 = 101;
const AGENT_DISCONNECT: u8 = 102;
const ACK: u8 = 103;
const FINAL: [u8; 4] = [0, 0, 0, 1];

/// What HAProxy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// The first frame of a connection.
    Hello {
        /// Whether version 2.0 is among those it speaks.
        speaks_2_0: bool,
        /// The largest frame it takes.
        frame_bytes_max: u32,
        /// Whether it only wants to know that we live.
        is_health_check: bool,
    },
    /// A message that wants an acknowledgement with the same two numbers.
    Notify {
        stream: u64,
        frame: u64,
        arguments: Vec<(&'a str, Data<'a>)>,
    },
    /// The last frame of a connection.
    Disconnect,
}

/// A typed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data<'a> {
    Null,
    Bool(bool),
    Number(u64),
    Address(IpAddr),
    /// Text or bytes.
    Bytes(&'a [u8]),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*chunk)
    }

    /// One byte below 240; else four bits there and then seven per byte, the lowest first.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = u64::from(self.byte()?);
        if value < 240 {
            return Ok(value);
        }
        for shift in (4..64).step_by(7) {
            let byte = u64::from(self.byte()?);
            let part = byte.checked_shl(shift).filter(|part| part >> shift == byte);
            value = part
                .and_then(|part| value.checked_add(part))
                .ok_or(Malformed)?;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn name(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    fn data(&mut self) -> Result<Data<'a>, Malformed> {
        let kind = self.byte()?;
        Ok(match kind & 0x0f {
            0 => Data::Null,
            1 => Data::Bool(kind & 0x10 != 0),
            2..=5 => Data::Number(self.varint()?),
            6 => Data::Address(Ipv4Addr::from(self.chunk::<4>()?).into()),
            7 => Data::Address(IpAddr::V6(Ipv6Addr::from(self.chunk::<16>()?)).to_canonical()),
            8 | 9 => Data::Bytes(self.bytes()?),
            _ => return Err(Malformed),
        })
    }

    fn named(&mut self) -> Result<(&'a str, Data<'a>), Malformed> {
        Ok((self.name()?, self.data()?))
    }
}

/// Reads a frame without its length.
///
/// # Errors
/// [`Malformed`], also for a frame in parts: that was not agreed to.
pub(super) fn parse(frame: &[u8]) -> Result<Frame<'_>, Malformed> {
    let mut reader = Reader(frame);
    let kind = reader.byte()?;
    if reader.chunk::<4>()? != FINAL {
        return Err(Malformed);
    }
    let (stream, frame) = (reader.varint()?, reader.varint()?);
    match kind {
        HAPROXY_HELLO => hello(&mut reader),
        HAPROXY_DISCONNECT => Ok(Frame::Disconnect),
        NOTIFY => Ok(Frame::Notify {
            stream,
            frame,
            arguments: message(&mut reader)?,
        }),
        _ => Err(Malformed),
    }
}

fn hello<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, Malformed> {
    let (mut speaks_2_0, mut frame_bytes_max, mut is_health_check) = (false, 0, false);
    while !reader.0.is_empty() {
        match reader.named()? {
            ("supported-versions", Data::Bytes(versions)) => {
                let mut versions = versions.split(|byte| *byte == b',');
                speaks_2_0 = versions.any(|version| version.trim_ascii() == b"2.0");
            }
            ("max-frame-size", Data::Number(size)) => {
                frame_bytes_max = u32::try_from(size).unwrap_or(u32::MAX);
            }
            ("healthcheck", Data::Bool(is_check)) => is_health_check = is_check,
            _ => {}
        }
    }
    Ok(Frame::Hello {
        speaks_2_0,
        frame_bytes_max,
        is_health_check,
    })
}

/// The arguments of the one message.
fn message<'a>(reader: &mut Reader<'a>) -> Result<Vec<(&'a str, Data<'a>)>, Malformed> {
    let _name = reader.name()?;
    let count = reader.byte()?;
    let arguments = (0..count).map(|_| reader.named()).collect();
    if reader.0.is_empty() {
        arguments
    } else {
        Err(Malformed)
    }
}

/// Writes what an agent says.
struct Writer(Vec<u8>);

impl Writer {
    /// A frame of that kind, with room for its length.
    fn begin(kind: u8, stream: u64, frame: u64) -> Self {
        let mut writer = Self(vec![0, 0, 0, 0, kind]);
        writer.0.extend_from_slice(&FINAL);
        writer.varint(stream);
        writer.varint(frame);
        writer
    }

    fn varint(&mut self, value: u64) {
        let low = |value: u64, bits: u64| u8::try_from(value & bits).unwrap_or_default();
        if value < 240 {
            self.0.push(low(value, 0xff));
            return;
        }
        self.0.push(low(value, 0x0f) | 0xf0);
        let mut rest = (value - 240) >> 4;
        while rest >= 128 {
            self.0.push(low(rest, 0x7f) | 0x80);
            rest = (rest - 128) >> 7;
        }
        self.0.push(low(rest, 0x7f));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, value: u32) {
        self.0.push(3);
        self.varint(value.into());
    }

    fn text(&mut self, value: &[u8]) {
        self.0.push(8);
        self.bytes(value);
    }

    fn end(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - LENGTH_BYTES).unwrap_or(u32::MAX);
        if let Some(place) = self.0.first_chunk_mut::<4>() {
            *place = length.to_be_bytes();
        }
        self.0
    }
}

/// The agent's hello, with its length.
pub(super) fn agent_hello(frame_bytes_max: u32) -> Vec<u8> {
    let mut writer = Writer::begin(AGENT_HELLO, 0, 0);
    writer.bytes(b"version");
    writer.text(b"2.0");
    writer.bytes(b"max-frame-size");
    writer.number(frame_bytes_max);
    writer.bytes(b"capabilities");
    writer.text(b"pipelining");
    writer.end()
}

/// The agent's last word, with its length. `status` is 0 for a normal end, 4 for a frame that cannot be read.
pub(super) fn agent_disconnect(status: u32, message: &str) -> Vec<u8> {
    let mut writer = Writer::begin(AGENT_DISCONNECT, 0, 0);
    writer.bytes(b"status-code");
    writer.number(status);
    writer.bytes(b"message");
    writer.text(message.as_bytes());
    writer.end()
}

/// An acknowledgement that sets a status and texts as variables of the transaction, with its length.
pub(super) fn acknowledgement(
    stream: u64,
    frame: u64,
    status: u16,
    texts: &[(&str, &[u8])],
) -> Vec<u8> {
    let mut writer = Writer::begin(ACK, stream, frame);
    const SET_FOR_TRANSACTION: [u8; 3] = [1, 3, 2];
    writer.0.extend_from_slice(&SET_FOR_TRANSACTION);
    writer.bytes(b"status");
    writer.number(status.into());
    for (name, value) in texts {
        writer.0.extend_from_slice(&SET_FOR_TRANSACTION);
        writer.bytes(name.as_bytes());
        writer.text(value);
    }
    writer.end()
}

#[cfg(test)]
mod tests;
