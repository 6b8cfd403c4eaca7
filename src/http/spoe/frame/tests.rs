//! Frames as data, and what no bytes may do.
#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use proptest::prelude::*;

use super::*;

/// A frame as HAProxy sends it, without its length.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 0, 0, 1, 7, 1][..], payload].concat()
}

fn named(name: &str, data: &[u8]) -> Vec<u8> {
    let mut writer = Writer(Vec::new());
    writer.bytes(name.as_bytes());
    writer.0.extend_from_slice(data);
    writer.0
}

#[test]
fn a_hello_is_read() {
    let payload = [
        named("supported-versions", b"\x08\x081.0, 2.0"),
        named("max-frame-size", &[3, 0xfc, 0xf0, 0x06]),
        named("capabilities", b"\x08\x10pipelining,async"),
        named("healthcheck", &[0x11]),
    ]
    .concat();
    let expected = Frame::Hello {
        speaks_2_0: true,
        frame_bytes_max: 16_380,
        is_health_check: true,
    };
    assert_eq!(parse(&frame(HAPROXY_HELLO, &payload)), Ok(expected));
    let none = Frame::Hello {
        speaks_2_0: false,
        frame_bytes_max: 0,
        is_health_check: false,
    };
    assert_eq!(parse(&frame(HAPROXY_HELLO, b"")), Ok(none));
}

#[test]
fn a_message_is_read_with_values_of_every_type() {
    let payload = [
        &b"\x05check\x06"[..],
        &named("method", b"\x08\x03GET"),
        &named("src", &[6, 192, 0, 2, 7]),
        &named(
            "src6",
            &[&[7][..], &[0; 10], &[0xff, 0xff, 192, 0, 2, 7]].concat(),
        ),
        &named("none", &[0]),
        &named("no", &[1]),
        &named("many", &[5, 239]),
    ]
    .concat();
    let address = Data::Address("192.0.2.7".parse().expect("an address"));
    let expected = Frame::Notify {
        stream: 7,
        frame: 1,
        arguments: vec![
            ("method", Data::Bytes(b"GET")),
            ("src", address),
            ("src6", address),
            ("none", Data::Null),
            ("no", Data::Bool(false)),
            ("many", Data::Number(239)),
        ],
    };
    assert_eq!(parse(&frame(NOTIFY, &payload)), Ok(expected));
    assert_eq!(
        parse(&frame(HAPROXY_DISCONNECT, b"")),
        Ok(Frame::Disconnect)
    );
}

#[test]
fn what_is_no_frame_is_refused() {
    for bytes in [
        &b""[..],
        &[3, 0, 0, 0, 1, 7],
        &[3, 0, 0, 0, 0, 7, 1, 0, 0],
        &frame(0, b""),
        &frame(NOTIFY, b"\x05check\x01"),
        &frame(NOTIFY, b"\x05check\x00more"),
        &frame(NOTIFY, b"\xf0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        &frame(NOTIFY, b"\x05check\x01\x01a\x0a"),
    ] {
        assert_eq!(parse(bytes), Err(Malformed), "{bytes:?}");
    }
}

#[test]
fn an_acknowledgement_is_written_as_haproxy_reads_it() {
    let expected = [
        &[0, 0, 0, 28, ACK, 0, 0, 0, 1, 7, 1][..],
        &[1, 3, 2],
        b"\x06status",
        &[3, 200],
        &[1, 3, 2],
        b"\x04user\x08\x04",
        b"john",
    ]
    .concat();
    let written = acknowledgement(7, 1, 200, &[("user", b"john")]);
    assert_eq!(written.get(4..), expected.get(4..));
    let length = u32::try_from(written.len() - 4).expect("short");
    assert_eq!(written.first_chunk::<4>(), Some(&length.to_be_bytes()));
}

proptest! {
    #[test]
    fn numbers_are_read_as_they_were_written(value in any::<u64>(), small in 0_u64..5_000) {
        for value in [value, small] {
            let mut writer = Writer(Vec::new());
            writer.varint(value);
            let mut reader = Reader(&writer.0);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.0.is_empty());
        }
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_u8..5) {
        let _ = parse(&bytes);
        let _ = parse(&frame(kind, &bytes));
    }
}
