//! The cookies of a request and the token in one of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| quorate::http::fuzz::cookies(input));
