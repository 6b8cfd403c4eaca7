//! A configuration file, its filters and the variables laid over it.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use quorate::config::{Filter, Source, Surroundings, parse};

/// Makes the shortest input a configuration that starts.
const BASE: &str = "\
storage: {encryption_key: aaaaaaaaaaaaaaaaaaaaaaaa}
authentication_backend: {file: {path: /config/users.yml}}
session: {cookies: [{domain: example.com, authelia_url: 'https://auth.example.com'}]}
access_control: {default_policy: one_factor}
";

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let source = |file: &str, text: &str| Source {
        file: file.to_owned(),
        text: text.to_owned(),
        world_readable: false,
    };
    let (variable, text) = text.split_once('\0').unwrap_or(("", text));
    let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
    let filters: &[Filter] = match text.len() % 3 {
        0 => &[],
        1 => &[Filter::Template],
        _ => &[Filter::ExpandEnv, Filter::Template],
    };
    let secret = |_: &Path| {
        Ok(source(
            "/secrets/key",
            "a key of more than twenty characters\n",
        ))
    };
    let surroundings = Surroundings {
        variables: vec![(name.to_owned(), value.to_owned())],
        host_name: "n1",
        read_file: &secret,
        filters,
    };
    let problems = match parse(
        &[source("base.yml", BASE), source("c.yml", text)],
        &surroundings,
    ) {
        Ok(config) => {
            return assert!(
                config
                    .notices
                    .iter()
                    .all(|notice| is_one_line(&notice.to_string()))
            );
        }
        Err(problems) => problems,
    };
    assert!(!problems.is_empty(), "refused without a word");
    for problem in problems {
        assert!(is_one_line(&problem.to_string()), "{problem}");
    }
});

/// What is said of a file goes to a terminal and a log.
fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
