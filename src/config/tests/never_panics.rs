//! Whatever a file holds, reading it ends, and ends without a panic.

use proptest::prelude::*;

use super::{BASE, load};
use crate::authn::file;

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(": ".to_owned()),
        Just("\n  ".to_owned()),
        Just("\n- ".to_owned()),
        Just("\n".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("<<: *a\n".to_owned()),
        Just("? ".to_owned()),
        Just("!!str ".to_owned()),
        Just("!x ".to_owned()),
        Just("|\n".to_owned()),
        Just("---\n".to_owned()),
        Just("%YAML 1.2\n".to_owned()),
        "[\\[\\]{},'\"#]{1,3}",
        "(session|cookies|server|address|cluster|members|access_control|rules|query|domain|users|password|groups)",
        "(tcp://|https://|unix:///|\\[::1\\]|1h30m|-1|0x10|1e3|~|true|é|\u{0}|\t)",
        ".{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn on_any_text(text in any::<String>()) {
        let _ = load(&[("c.yml", &text)], &[]);
        let _ = file::parse(&text, "users.yml", file::Options::default());
    }

    #[test]
    fn on_text_that_looks_like_yaml(parts in prop::collection::vec(fragment(), 0..40)) {
        let text = parts.concat();
        let _ = load(&[("base.yml", BASE), ("c.yml", &text)], &[]);
        let _ = file::parse(&text, "users.yml", file::Options { search_email: true, case_insensitive: true });
    }

    #[test]
    fn on_any_value_of_any_key(index in any::<prop::sample::Index>(), value in ".{0,30}") {
        let schema = crate::config::schema();
        let key = index.get(schema).path;
        let quoted = format!("{value:?}");
        let mut text = String::new();
        let mut close = String::new();
        for segment in key.split('.') {
            let name = segment.trim_end_matches("[]");
            text.push_str(&format!("{{{}: ", if name == "*" { "any" } else { name }));
            for _ in 0..(segment.len() - name.len()) / 2 {
                text.push('[');
                close.insert(0, ']');
            }
            // Every list closes before the section that holds it.
            let lists = (segment.len() - name.len()) / 2;
            let brackets: String = close.drain(..lists).collect();
            close.insert_str(0, &format!("{brackets}}}"));
        }
        text.push_str(&quoted);
        text.push_str(&close);
        let _ = load(&[("base.yml", BASE), ("c.yml", &text)], &[]);
    }

    #[test]
    fn on_any_variable(name in "(AUTHELIA|QUORATE)_[A-Z_]{0,30}", value in any::<String>()) {
        let _ = load(&[("base.yml", BASE)], &[(&name, &value)]);
    }
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            [alias.as_str(); 10].join(", ")
        ));
    }
    let problems = load(&[("c.yml", &text)], &[]).unwrap_err();
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("once its aliases are written out"))
    );
}

#[test]
fn an_alias_of_what_holds_it_is_refused() {
    let problems = load(&[("c.yml", "a: &a [*a]\n")], &[]).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "c.yml:1:8: is an alias of the value it is part of; write the value out"
    );
}

#[test]
fn nesting_is_bounded() {
    for (text, expected) in [
        ("- ".repeat(1_000), "nested deeper than 32 levels"),
        ("[".repeat(100_000), "recursion limit exceeded"),
    ] {
        let problems = load(&[("c.yml", &text)], &[]).unwrap_err();
        assert!(problems[0].message.contains(expected), "{}", problems[0]);
    }
}

#[test]
fn length_is_bounded() {
    let text = "#".repeat((16 << 20) + 1);
    let problems = load(&[("c.yml", &text)], &[]).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "c.yml: is 16777217 bytes long; at most 16777216 are read; split the file or remove what is not needed"
    );
}
