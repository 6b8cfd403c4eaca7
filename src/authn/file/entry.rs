//! One user of the file.

use quorate_core::{Account, PasswordHash, UserName};

use super::unknown;
use crate::authn::digest::Digest;
use crate::config::{Body, Findings, Node, View};

/// What a user may have besides what we use; kept out of headers and rules.
const KEYS: [&str; 20] = [
    "disabled",
    "displayname",
    "password",
    "email",
    "groups",
    "given_name",
    "middle_name",
    "family_name",
    "nickname",
    "gender",
    "birthdate",
    "website",
    "profile",
    "picture",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_extension",
    "address",
    "extra",
];

const ADDRESS_KEYS: [&str; 5] = [
    "street_address",
    "locality",
    "region",
    "postal_code",
    "country",
];

/// Reads a user; `None` if something of it cannot be used, which is then reported.
pub(super) fn read(
    name: &str,
    node: &Node,
    view: &View<'_>,
    findings: &mut Findings,
) -> Option<Account> {
    if !matches!(node.body, Body::Map(_)) {
        let message = format!("must be a section of keys, is {}", node.shown());
        view.problem(
            findings,
            message,
            "write `password:` and the other keys below the name",
        );
        return None;
    }
    known_keys(node, &view.path, &KEYS, findings);
    if let Some(address) = node.child("address") {
        known_keys(
            address,
            &format!("{}.address", view.path),
            &ADDRESS_KEYS,
            findings,
        );
    }
    for key in KEYS
        .iter()
        .filter(|key| !["groups", "address", "extra"].contains(key))
    {
        single(&view.get(key), findings);
    }
    let email = view.get("email").owned();
    if let Some(email) = email.as_deref().filter(|email| !is_header_safe(email)) {
        let message = format!(
            "must not contain control characters, is `{}`",
            email.escape_debug()
        );
        view.get("email").problem(findings, message, "remove them");
    }
    let display_name = view.get("displayname").text().unwrap_or(name);
    if !is_header_safe(display_name) {
        let message = "must not contain control characters: a header carries it";
        view.get("displayname")
            .problem(findings, message, "remove them");
    }
    let groups = groups(&view.get("groups"), findings);
    let disabled = disabled(&view.get("disabled"), findings);
    let password = password(name, &view.get("password"), findings);
    Some(Account {
        name: UserName::parse(name).ok()?,
        display_name: display_name.to_owned(),
        emails: email.into_iter().collect(),
        groups,
        password: Some(password?),
        disabled,
    })
}

fn known_keys(node: &Node, path: &str, known: &[&str], findings: &mut Findings) {
    for entry in node.entries() {
        if known.contains(&entry.name.as_str()) {
            continue;
        }
        if entry.name.contains(['=', '$']) {
            // Within braces a comma ends a value, so that the rest of a hash looks like keys. It is not repeated.
            let message = "holds a part of a value that is cut off at a comma";
            findings.problem(
                &entry.at,
                path,
                message,
                "put the password's hash into single quotes",
            );
        } else {
            let path = format!("{path}.{}", entry.name);
            unknown(&entry.at, &path, &entry.name, known, findings);
        }
    }
}

fn single(view: &View<'_>, findings: &mut Findings) {
    if view.is_set() && view.text().is_none() {
        view.problem(findings, "must be a single text", "");
    }
}

fn is_header_safe(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn disabled(view: &View<'_>, findings: &mut Findings) -> bool {
    if let Some(text) = view.text().filter(|text| !["true", "false"].contains(text)) {
        view.problem(
            findings,
            format!("must be `true` or `false`, is `{text}`"),
            "",
        );
    }
    view.flag()
}

fn groups(view: &View<'_>, findings: &mut Findings) -> Vec<String> {
    let mut groups = Vec::new();
    for item in view.items() {
        let Some(group) = item.text() else {
            let message = "must be a list of group names";
            item.problem(findings, message, "remove empty or nested items");
            continue;
        };
        if !is_header_safe(group) {
            let message = format!(
                "must not contain a control character, has `{}`",
                group.escape_debug()
            );
            item.problem(findings, message, "rename the group");
        } else if group.contains(',') {
            // Rules may name it. A header could not: it carries all groups joined by commas.
            let message = format!(
                "`{group}` contains a comma, so sites are not told of it; rename the group"
            );
            item.notice(findings, message);
        }
        groups.push(group.to_owned());
    }
    groups
}

fn password(name: &str, view: &View<'_>, findings: &mut Findings) -> Option<PasswordHash> {
    const ADVICE: &str = "make one with `quorate crypto hash generate argon2`";
    let Some(text) = view.text() else {
        let message = format!("is required for the user `{name}`");
        view.problem(findings, message, ADVICE);
        return None;
    };
    match Digest::parse(text) {
        Ok(digest) => {
            let scheme = digest.scheme();
            if let Some(why) = scheme.weakness() {
                // Nobody but the user has the password, so it cannot be hashed better here.
                let message = format!(
                    "of the user `{name}` is quick to guess once this file is stolen: {} with {why}; replace it: {ADVICE}",
                    scheme.name()
                );
                view.notice(findings, message);
            }
            Some(PasswordHash::of_phc(text))
        }
        Err(found) => {
            let message = format!("of the user `{name}` must be a password hash, is {found}");
            view.problem(findings, message, ADVICE);
            None
        }
    }
}
