//! What comes over the connections between nodes: greetings, questions, answers, in frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_core::codec::Kind;
use quorate_fuzz::framed;

fuzz_target!(|input: &[u8]| {
    quorate_raft::fuzz::messages(input);
    quorate_raft::fuzz::messages(&framed(Kind::Message as u16, input));
});
