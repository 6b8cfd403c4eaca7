//! Users files as data.

use super::{Options, parse};

const HASH: &str = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";

fn options(search_email: bool, case_insensitive: bool) -> Options {
    Options {
        search_email,
        case_insensitive,
    }
}

/// Every problem of a users file, as printed.
fn check(text: &str, options: Options, expected: &[&str]) {
    let text = text.replace("HASH", HASH);
    let found: Vec<String> = match parse(&text, "users.yml", options) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_usual_file_is_read() {
    let text = format!(
        "users:\n  john:\n    disabled: false\n    displayname: 'John Doe'\n    password: '{HASH}'\n    \
         email: john.doe@example.com\n    groups:\n      - admins\n      - dev\n  123:\n    password: '{HASH}'\n    \
         disabled: true\n    given_name: A\n    address: {{country: NL}}\n    extra: {{anything: [1]}}\n"
    );
    let users = parse(&text, "users.yml", Options::default()).unwrap();
    let john = users.get("john").unwrap();
    assert_eq!(john.name.as_str(), "john");
    assert_eq!(john.display_name, "John Doe");
    assert_eq!(john.emails, ["john.doe@example.com"]);
    assert_eq!(john.groups, ["admins", "dev"]);
    assert_eq!(john.password.as_ref().unwrap().as_str(), HASH);
    assert!(!john.disabled);
    let number = users.get("123").unwrap();
    assert_eq!(
        (number.display_name.as_str(), number.disabled),
        ("123", true)
    );
    assert!(users.get("John").is_none());
    assert!(users.get("john.doe@example.com").is_none());
    assert_eq!(users.len(), 2);
}

#[test]
fn json_is_read_and_layout_does_not_change_the_digest() {
    let json = format!(
        r#"{{"users": {{"b": {{"password": "{HASH}", "email": "", "groups": []}}, "a": {{"password": "{HASH}"}}}}}}"#
    );
    let yaml = format!("users:\n  a: {{password: '{HASH}'}}\n  b: {{password: '{HASH}'}}\n");
    let json = parse(&json, "users.yml", Options::default()).unwrap();
    let yaml = parse(&yaml, "users.yml", Options::default()).unwrap();
    assert_eq!(json.digest(), yaml.digest());
    assert_ne!(
        yaml.get("a").unwrap().digest(),
        yaml.get("b").unwrap().digest()
    );
}

#[test]
fn every_field_changes_the_digest() {
    let one = |fields: &str| {
        let text = format!("users:\n  a: {{password: '{HASH}', {fields}}}\n");
        parse(&text, "f", Options::default()).unwrap().digest()
    };
    let digests = [
        one(""),
        one("disabled: true"),
        one("displayname: b"),
        one("email: b"),
        one("groups: [b]"),
        one("groups: [b, c]"),
        one("groups: [bc]"),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn names_are_found_by_address_and_in_any_case_where_configured() {
    let text = format!("users:\n  john: {{password: '{HASH}', email: John@Example.com}}\n");
    let found = |options, name: &str| parse(&text, "f", options).unwrap().get(name).is_some();
    assert!(!found(options(false, false), "JOHN"));
    assert!(found(options(false, true), "JOHN"));
    assert!(!found(options(false, true), "john@example.com"));
    assert!(found(options(true, false), "john@EXAMPLE.com"));
    assert!(!found(options(true, false), "JOHN"));
    assert!(found(options(true, true), "JOHN@example.com"));
}

#[test]
fn every_mistake_is_found_in_one_reading() {
    check(
        "users:\n  ann:\n    pasword: 'HASH'\n    password: 'HASH'\n  bob:\n    password: secret\n    groups: [\"a\\u0001b\", ok]\n  \
         cee:\n    email: c@example.com\n  dan: 5\n  eve:\n    password: '$1$abc$def'\n    disabled: perhaps\n  ann:\n    password: 'HASH'\n\
         others: {}\n",
        Options::default(),
        &[
            "users.yml:3:5: users.ann.pasword: is not a key of the users file; did you mean `password`?",
            "users.yml:6:15: users.bob.password: of the user `bob` must be a password hash, is not a hash; make one with `quorate crypto hash generate argon2`",
            "users.yml:7:14: users.bob.groups[0]: must not contain a control character, has `a\\u{1}b`; rename the group",
            "users.yml:8:3: users.cee.password: is required for the user `cee`; make one with `quorate crypto hash generate argon2`",
            "users.yml:10:3: users.dan: must be a section of keys, is `5`; write `password:` and the other keys below the name",
            "users.yml:12:15: users.eve.password: of the user `eve` must be a password hash, is a md5crypt hash, which is not supported; make one with `quorate crypto hash generate argon2`",
            "users.yml:13:15: users.eve.disabled: must be `true` or `false`, is `perhaps`",
            "users.yml:14:3: users.ann: is there twice, first in line 2; keep one of the two",
            "users.yml:16:1: others: is not a key of the users file; the keys are users",
        ],
    );
}

#[test]
fn an_unquoted_hash_within_braces_is_not_repeated() {
    let text = format!("users:\n  a: {{password: {HASH}}}\n");
    let problems = parse(&text, "users.yml", Options::default()).unwrap_err();
    let printed: String = problems.iter().map(ToString::to_string).collect();
    assert!(printed.contains("single quotes"), "{printed}");
    assert!(!printed.contains("c29tZXNhbHRz"), "{printed}");
}

#[test]
fn a_file_without_users_is_refused() {
    let empty = "users: is missing or empty; write `users:` and below it one section per user name";
    for text in ["", "users:\n", "users: {}\n", "# nothing\n"] {
        let problems = parse(text, "users.yml", Options::default()).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].to_string().ends_with(empty),
            "{text:?}: {problems:?}"
        );
    }
    check(
        "- a\n",
        Options::default(),
        &[
            "users.yml:1:1: must be a section of keys, is a list; write `users:` and below it one section per user name",
        ],
    );
}

#[test]
fn ambiguous_names_are_refused() {
    check(
        "users:\n  Ann: {password: 'HASH'}\n",
        options(false, true),
        &[
            "users.yml:2:3: users.Ann: must be lower case with `search.case_insensitive`; write `ann`, or set `search.case_insensitive: false`",
        ],
    );
    check(
        "users:\n  Ann: {password: 'HASH'}\n",
        options(false, false),
        &[],
    );
    check(
        "users:\n  ann: {password: 'HASH', email: X@example.com}\n  bob: {password: 'HASH', email: x@example.com}\n  \
         x@example.com: {password: 'HASH'}\n",
        options(true, false),
        &[
            "users.yml:2:3: users.ann.email: `X@example.com` is the name of the user `x@example.com`; with `search.email` every address leads to one user",
            "users.yml:3:3: users.bob.email: `x@example.com` is the name of the user `x@example.com`; with `search.email` every address leads to one user",
        ],
    );
}

#[test]
fn a_weak_hash_is_taken_and_noted_without_being_repeated() {
    let text = "users:\n  ann: {password: '$5$abcd$JkoexqTS9.QEwYVItu58gKZkqzHO0Uw8ChyOdPSNfPD'}\n";
    let users = parse(text, "users.yml", Options::default()).unwrap();
    let notices: Vec<String> = users.notices().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [
            "users.yml:2:19: users.ann.password: of the user `ann` is quick to guess once this file is stolen: SHA-crypt with 5000 rounds; replace it: make one with `quorate crypto hash generate argon2`"
        ]
    );
}

#[test]
fn a_hash_that_would_stop_the_machine_is_refused_with_its_place() {
    check(
        "users:\n  ann:\n    password: '$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQ$MTIzNDU2Nzg5MDEy'\n",
        Options::default(),
        &[
            "users.yml:3:15: users.ann.password: of the user `ann` must be a password hash, is a hash by Argon2 that asks for more than 2 GiB of memory; make one with `quorate crypto hash generate argon2`",
        ],
    );
}

#[test]
fn a_password_hash_is_not_shown() {
    let text = format!("users:\n  ann: {{password: '{HASH}'}}\n");
    let shown = format!("{:?}", parse(&text, "f", Options::default()).unwrap());
    assert!(!shown.contains("argon2"), "{shown}");
}

#[test]
fn a_group_with_a_comma_is_taken_and_noted() {
    let text = format!("users:\n  john: {{password: '{HASH}', groups: ['a,b', c]}}\n");
    let users = parse(&text, "users.yml", Options::default()).unwrap();
    let notices: Vec<String> = users.notices().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [
            "users.yml:2:130: users.john.groups[0]: `a,b` contains a comma, so sites are not told of it; rename the group"
        ]
    );
    assert_eq!(users.get("john").unwrap().groups, ["a,b", "c"]);
}
