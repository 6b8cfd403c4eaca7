//! A users file, and the looking up of names in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::authn::file::{Options, parse};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for search_email in [false, true] {
        let options = Options {
            search_email,
            case_insensitive: text.len() % 2 == 0,
        };
        match parse(text, "users.yml", options) {
            Ok(users) => {
                for user in users.iter() {
                    assert!(users.get(user.name.as_str()).is_some(), "{:?}", user.name);
                    assert!(
                        !user
                            .groups
                            .iter()
                            .any(|group| group.chars().any(char::is_control))
                    );
                }
            }
            Err(problems) => assert!(!problems.is_empty(), "refused without a word"),
        }
    }
});
