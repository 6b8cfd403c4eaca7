//! Headers as data, and what no input may do.
#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use std::net::IpAddr;

use proptest::prelude::*;

use super::{BINARY_BYTES_MAX, FIXED_BYTES, HeaderError, Origin, Parsed, SIGNATURE, parse};

fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let length = u16::try_from(addresses.len()).expect("16 bits");
    [
        SIGNATURE,
        &[command, family],
        &length.to_be_bytes(),
        addresses,
    ]
    .concat()
}

fn address(text: &str) -> Origin {
    Origin::Address(text.parse().expect("an address"))
}

#[track_caller]
fn check(bytes: &[u8], expected: Result<Origin, HeaderError>) {
    let followed = [bytes, b"GET / HTTP/1.1\r\n"].concat();
    let whole = |origin| Parsed::Whole {
        origin,
        bytes: bytes.len(),
    };
    assert_eq!(parse(&followed), expected.map(whole), "{bytes:?}");
    if expected.is_ok() {
        for end in 0..bytes.len() {
            let beginning = bytes.get(..end).expect("a part");
            assert_eq!(parse(beginning), Ok(Parsed::Partial), "{beginning:?}");
        }
    }
}

#[test]
fn lines_of_version_1_are_read() {
    check(
        b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        Ok(address("192.0.2.7")),
    );
    check(
        b"PROXY TCP6 2001:db8::1 ::1 56324 443\r\n",
        Ok(address("2001:db8::1")),
    );
    check(
        b"PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 443\r\n",
        Ok(address("192.0.2.7")),
    );
    check(b"PROXY UNKNOWN\r\n", Ok(Origin::Unknown));
    check(
        b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
        Ok(Origin::Unknown),
    );
}

#[test]
fn a_line_that_is_not_well_formed_is_refused() {
    for malformed in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 65536\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1  443\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.007 10.0.0.1 1 2\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY \r\n",
    ] {
        check(malformed.as_bytes(), Err(HeaderError::Malformed));
    }
    check(
        b"PROXY\tTCP4 192.0.2.7 10.0.0.1 1 2\r\n",
        Err(HeaderError::Missing),
    );
    check(
        b"proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n",
        Err(HeaderError::Missing),
    );
    let long = format!("PROXY UNKNOWN {}\r\n", "a".repeat(92));
    check(long.as_bytes(), Err(HeaderError::TooLong));
    let longest = format!("PROXY UNKNOWN {}\r\n", "a".repeat(91));
    check(longest.as_bytes(), Ok(Origin::Unknown));
}

#[test]
fn headers_of_version_2_are_read() {
    let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 4, 1, 187];
    check(&v2(0x21, 0x11, &v4), Ok(address("192.0.2.7")));
    let with_extension = [&v4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
    check(&v2(0x21, 0x11, &with_extension), Ok(address("192.0.2.7")));
    let from: IpAddr = "2001:db8::1".parse().expect("an address");
    let IpAddr::V6(from) = from else {
        unreachable!("it is one of IPv6");
    };
    let v6 = [&from.octets()[..], &[0; 20]].concat();
    check(&v2(0x21, 0x21, &v6), Ok(address("2001:db8::1")));
    check(&v2(0x20, 0x00, &[]), Ok(Origin::Sender));
    check(&v2(0x20, 0x11, &v4), Ok(Origin::Sender));
    for family in [0x00, 0x12, 0x22, 0x31, 0x32, 0x44] {
        check(&v2(0x21, family, &[1; 216]), Ok(Origin::Unknown));
    }
}

#[test]
fn a_header_of_version_2_that_is_not_well_formed_is_refused() {
    check(&v2(0x21, 0x11, &[1; 11]), Err(HeaderError::Malformed));
    check(&v2(0x21, 0x21, &[1; 35]), Err(HeaderError::Malformed));
    for command in [0x11, 0x22, 0x31, 0x00, 0xff] {
        check(&v2(command, 0x11, &[1; 12]), Err(HeaderError::Malformed));
    }
    let most = BINARY_BYTES_MAX - FIXED_BYTES;
    check(
        &v2(0x21, 0x11, &vec![1; most + 1]),
        Err(HeaderError::TooLong),
    );
    check(&v2(0x21, 0x11, &vec![1; most]), Ok(address("1.1.1.1")));
}

#[test]
fn what_is_no_header_is_refused_at_its_first_wrong_byte() {
    for bytes in [
        "GET / HTTP/1.1\r\n",
        "\x16\x03\x01",
        "PRI * HTTP",
        "\r\n\r\n\r\n",
    ] {
        assert_eq!(
            parse(bytes.as_bytes()),
            Err(HeaderError::Missing),
            "{bytes:?}"
        );
    }
    assert_eq!(parse(b""), Ok(Parsed::Partial));
}

#[tokio::test]
async fn what_follows_a_header_stays_in_the_stream() {
    let long = v2(
        0x21,
        0x11,
        &[192, 0, 2, 7, 1, 1, 1, 1, 1, 1, 1, 1, 4, 0, 1, 9],
    );
    let headers = [
        &b"PROXY UNKNOWN\r\n"[..],
        b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        &v2(0x20, 0x00, &[]),
        &long,
    ];
    for header in headers {
        let followed = [header, b"\x16\x03\x01rest"].concat();
        let mut stream = followed.as_slice();
        super::read(&mut stream).await.expect("a header");
        assert_eq!(stream, b"\x16\x03\x01rest", "{header:?}");
        // An end within the header is an error and no wait.
        let mut cut = header.get(..header.len() - 1).expect("a part");
        assert!(super::read(&mut cut).await.is_err(), "{header:?}");
    }
}

/// Bytes that come close to a header.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        bytes.clone(),
        "PROXY (TCP4|TCP6|UNKNOWN)?[ 0-9a-f.:\r\n]{0,110}".prop_map(String::into_bytes),
        (any::<u8>(), any::<u8>(), any::<u16>(), bytes).prop_map(
            |(command, family, length, rest)| {
                let length = (length % 400).to_be_bytes();
                let command = if command > 40 { 0x21 } else { command };
                [SIGNATURE, &[command, family & 0x33], &length, &rest].concat()
            }
        ),
    ]
}

proptest! {
    /// What a header is does not depend on how its bytes arrive, nor on what follows; and it ends.
    #[test]
    fn an_answer_stands_once_it_is_given(bytes in nearly()) {
        let mut answer = None;
        for end in 0..=bytes.len() {
            let parsed = parse(bytes.get(..end).unwrap_or_default());
            match answer {
                None if parsed == Ok(Parsed::Partial) => prop_assert!(end < BINARY_BYTES_MAX),
                None => answer = Some(parsed),
                Some(answer) => prop_assert_eq!(parsed, answer),
            }
            if let Ok(Parsed::Whole { bytes, .. }) = parsed {
                prop_assert!(bytes <= end);
            }
        }
    }
}
