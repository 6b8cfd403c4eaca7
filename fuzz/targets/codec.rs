//! Records on disk and between nodes: entries, commands, snapshots. The frame around them is made sound, so that what
//! is inside gets its turn.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_core::codec::{self, Kind};
use quorate_core::{Command, Proposal, Reply, State};
use quorate_fuzz::framed;

fuzz_target!(|input: &[u8]| {
    let _ = codec::frame_bytes(input);
    let _ = codec::decode::<Proposal>(Kind::LogEntry, input);
    let Some((which, rest)) = input.split_first() else {
        return;
    };
    let frame = framed(Kind::LogEntry as u16, rest);
    match which % 4 {
        0 => same_again::<Command>(&frame),
        1 => same_again::<Vec<Proposal>>(&frame),
        2 => same_again::<Reply>(&frame),
        _ => snapshot(rest),
    }
});

/// What decodes has one spelling, so that equal records are equal bytes on every node.
fn same_again<T: serde::Serialize + serde::de::DeserializeOwned>(frame: &[u8]) {
    if let Ok(value) = codec::decode::<T>(Kind::LogEntry, frame) {
        let again = codec::encode(Kind::LogEntry, &value).expect("what was read can be written");
        assert_eq!(again, frame);
    }
}

/// Frames of any kind in any order, two bytes of length in front of each.
fn snapshot(mut rest: &[u8]) {
    let mut file = Vec::new();
    while let Some(([kind, low, high], tail)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(tail.len());
        let (payload, tail) = tail.split_at(length);
        file.extend(framed(u16::from(*kind), payload));
        rest = tail;
    }
    let mut state = State::new();
    if state.load(&mut file.as_slice()).is_err() {
        return;
    }
    let written = |state: &State| {
        let mut bytes = Vec::new();
        state
            .view()
            .write_to(&mut bytes)
            .expect("a snapshot is written");
        bytes
    };
    let once = written(&state);
    let mut again = State::new();
    again
        .load(&mut once.as_slice())
        .expect("what was written loads");
    assert_eq!(written(&again), once);
}
