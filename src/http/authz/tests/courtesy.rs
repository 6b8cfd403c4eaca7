//! Where a visitor is sent and whether it is redirected: facts that choose the form of an answer, never the answer.

#![allow(clippy::expect_used, reason = "a test without its value has failed")]

use super::super::{Dialect, Navigation};
use super::{FORWARD, HOST, METHOD, ask};

#[test]
fn each_dialect_reads_the_portal_from_its_own_place() {
    const BOTH: &str = "authelia_url=https%3A%2F%2Fa.example.com/&rd=https://b.example.com/";
    const HEADER: &str = "X-Authelia-URL: c";
    let url = [
        "X-Original-URL: https://one.example.com",
        "X-Original-Method: GET",
        "Host: one.example.com",
    ];
    let (ext, forward, nginx, legacy) = (
        Dialect::ExtAuthz,
        Dialect::ForwardAuth,
        Dialect::AuthRequest,
        Dialect::Legacy,
    );
    for (dialect, query, header, expect) in [
        (forward, BOTH, HEADER, Some("https://a.example.com/")),
        (nginx, BOTH, HEADER, Some("https://a.example.com/")),
        (forward, "AUTHELIA_URL=x", HEADER, None),
        (forward, "authelia_url=", "A: b", Some("")),
        (ext, BOTH, HEADER, Some("c")),
        (ext, BOTH, "A: b", None),
        (legacy, BOTH, HEADER, Some("https://b.example.com/")),
        (legacy, "x=1", HEADER, Some("c")),
        (legacy, "authelia_url=x", "A: b", None),
    ] {
        let fields: Vec<&str> = [METHOD, HOST, header].into_iter().chain(url).collect();
        let facts = ask(
            dialect,
            &format!("GET /api/authz/ext-authz//?{query}"),
            &fields,
        )
        .expect("taken");
        assert_eq!(
            facts.portal_override.as_deref(),
            expect,
            "{dialect:?} {query} {header}"
        );
    }
}

#[test]
fn only_a_program_that_shows_pages_is_redirected() {
    for (fields, expect) in [
        (&["Accept: text/html"][..], Navigation::Page),
        (&["Accept: */*"], Navigation::Page),
        (
            &["Accept: application/json, text/html;q=0"],
            Navigation::Page,
        ),
        (
            &["Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            Navigation::Page,
        ),
        (
            &["Accept: text/html", "X-Requested-With: com.android.browser"],
            Navigation::Page,
        ),
        (
            &["Accept: text/html", "X-Requested-With: xmlhttprequest"],
            Navigation::Call,
        ),
        (&["Accept: application/json, */*"], Navigation::Call),
        (
            &["Accept: application/json", "Accept: text/html"],
            Navigation::Call,
        ),
        (&["Accept: TEXT/HTML"], Navigation::Call),
        (&["Accept: text/*"], Navigation::Call),
        (&[], Navigation::Call),
    ] {
        let fields: Vec<&str> = [METHOD, HOST]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        assert_eq!(
            ask(Dialect::ForwardAuth, FORWARD, &fields)
                .expect("taken")
                .navigation,
            expect,
            "{fields:?}"
        );
    }
}
