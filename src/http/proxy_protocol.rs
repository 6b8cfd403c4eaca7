//! The PROXY protocol, versions 1 and 2: what a load balancer that only passes bytes on says about whom it speaks for.
//!
//! [`parse`] is pure. It knows neither whom to believe nor what a connection is; [`read`] takes exactly the header's
//! bytes from a stream and leaves what follows, TLS or HTTP.
//!
//! Source: "The PROXY protocol, versions 1 & 2" (HAProxy), 2020/03/05.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest line of version 1, its end included (§2.1).
const LINE_BYTES_MAX: usize = 107;
/// The largest header of version 2 that is taken, with extensions. The format allows 64 KiB; senders use a few hundred.
const BINARY_BYTES_MAX: usize = 4_096;
/// What a header of version 2 begins with (§2.2), and how long it is before the addresses.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED_BYTES: usize = 16;

/// Whom a connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The sender itself, for instance to see whether we live.
    Sender,
    /// Somebody at this address; IPv4 in IPv4 form.
    Address(IpAddr),
    /// Somebody whose address is unknown, or of no kind that we know.
    Unknown,
}

/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The beginning of a header.
    Partial,
    /// A header of `bytes` bytes.
    Whole {
        /// Whom the connection is made for.
        origin: Origin,
        /// How many bytes the header has.
        bytes: usize,
    },
}

/// These bytes are not, and will not become, a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    /// Neither version begins like this.
    #[error("the connection does not begin with a PROXY protocol header")]
    Missing,
    /// It is longer than is taken.
    #[error("the PROXY protocol header is too long")]
    TooLong,
    /// It begins like one and goes on otherwise.
    #[error("the PROXY protocol header is malformed")]
    Malformed,
}

/// Reads the header at the beginning of `bytes`. More bytes never change an answer other than [`Parsed::Partial`].
///
/// # Errors
/// [`HeaderError`]; the connection is of no use.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    if begins_alike(bytes, SIGNATURE) {
        return binary(bytes);
    }
    if begins_alike(bytes, b"PROXY ") {
        return line(bytes);
    }
    Err(HeaderError::Missing)
}

/// Whether one is the beginning of the other.
fn begins_alike(bytes: &[u8], whole: &[u8]) -> bool {
    bytes.iter().zip(whole).all(|(one, other)| one == other)
}

fn line(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        // One more byte could still be the line feed.
        return match bytes.len() < LINE_BYTES_MAX {
            true => Ok(Parsed::Partial),
            false => Err(HeaderError::TooLong),
        };
    };
    if end + 2 > LINE_BYTES_MAX {
        return Err(HeaderError::TooLong);
    }
    let text = bytes
        .get(..end)
        .and_then(|line| std::str::from_utf8(line).ok());
    let words: Vec<&str> = text.ok_or(HeaderError::Malformed)?.split(' ').collect();
    let origin = match words.as_slice() {
        // Whatever follows is to be ignored.
        ["PROXY", "UNKNOWN", ..] => Origin::Unknown,
        ["PROXY", "TCP4", from, to, ports @ ..] => {
            let from = addresses::<Ipv4Addr>(from, to, ports)?;
            Origin::Address(from.into())
        }
        ["PROXY", "TCP6", from, to, ports @ ..] => {
            let from = addresses::<Ipv6Addr>(from, to, ports)?;
            Origin::Address(IpAddr::from(from).to_canonical())
        }
        _ => return Err(HeaderError::Malformed),
    };
    let bytes = end + 2;
    Ok(Parsed::Whole { origin, bytes })
}

/// The source, if all four words are well-formed.
fn addresses<T: std::str::FromStr>(from: &str, to: &str, ports: &[&str]) -> Result<T, HeaderError> {
    let is_port =
        |text: &&str| text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok();
    if to.parse::<T>().is_err() || ports.len() != 2 || !ports.iter().all(is_port) {
        return Err(HeaderError::Malformed);
    }
    from.parse().map_err(|_| HeaderError::Malformed)
}

fn binary(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    // A wrong byte is refused as soon as it is there.
    if let Some(version_and_command) = bytes.get(12)
        && !matches!(version_and_command, 0x20 | 0x21)
    {
        return Err(HeaderError::Malformed);
    }
    let Some(&[.., command, family, high, low]) = bytes.first_chunk::<FIXED_BYTES>() else {
        return Ok(Parsed::Partial);
    };
    let length = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > BINARY_BYTES_MAX {
        return Err(HeaderError::TooLong);
    }
    let Some(addresses) = bytes.get(FIXED_BYTES..length) else {
        return Ok(Parsed::Partial);
    };
    let origin = match (command, family) {
        (0x20, _) => Origin::Sender,
        // Source, destination, two ports, then extensions, which are ignored.
        (_, 0x11) => match (addresses.first_chunk::<4>(), addresses.len() >= 12) {
            (Some(from), true) => Origin::Address(Ipv4Addr::from(*from).into()),
            _ => return Err(HeaderError::Malformed),
        },
        (_, 0x21) => match (addresses.first_chunk::<16>(), addresses.len() >= 36) {
            (Some(from), true) => Origin::Address(IpAddr::from(*from).to_canonical()),
            _ => return Err(HeaderError::Malformed),
        },
        // No TCP over IP: a unix socket, datagrams, or what is yet to come.
        _ => Origin::Unknown,
    };
    let bytes = length;
    Ok(Parsed::Whole { origin, bytes })
}

/// How many bytes may be taken behind a beginning without taking any that follow the header.
fn wanted(beginning: &[u8]) -> usize {
    // The shortest header there is: `PROXY UNKNOWN` and its end.
    const SHORTEST: usize = 15;
    let length = beginning.len();
    let whole = match beginning.first_chunk::<FIXED_BYTES>() {
        _ if length < SHORTEST => SHORTEST,
        Some([.., high, low]) if begins_alike(beginning, SIGNATURE) => {
            FIXED_BYTES + usize::from(u16::from_be_bytes([*high, *low]))
        }
        // A line ends where it ends.
        _ => length + 1,
    };
    whole.saturating_sub(length)
}

/// Takes the header from the beginning of `stream`, and no byte more.
///
/// # Errors
/// What the stream says, or a [`HeaderError`] as [`io::ErrorKind::InvalidData`]. A time limit is the caller's.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Origin> {
    let mut taken = Vec::new();
    loop {
        let mut more = (&mut *stream).take(wanted(&taken) as u64);
        if more.read_buf(&mut taken).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match parse(&taken) {
            Ok(Parsed::Partial) => {}
            Ok(Parsed::Whole { origin, .. }) => return Ok(origin),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

#[cfg(test)]
mod tests;
