//! What the login page promises.

use quorate_portal::{LoginPage, Notice, Remember, Target, assets};

use crate::sample::{attribute, english, login, site, tags};

#[test]
fn what_a_form_sends_back_is_unchanged_but_for_escaping() {
    let url = "https://one.example.com/?a=1&b=\"2\"\u{202e}";
    let target = Target {
        url,
        host: "one.example.com",
    };
    let page = LoginPage {
        target: Some(target),
        method: Some("GET"),
        username: "o'\u{200f}n",
        ..login(english())
    };
    let page = page.render();
    let value = |name: &str| {
        let tag = tags(&page)
            .into_iter()
            .find(|tag| attribute(tag, "name") == Some(name));
        let value = attribute(tag.expect("the field is there"), "value").expect("it has a value");
        value
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#38;", "&")
    };
    assert_eq!(value("rd"), url);
    assert_eq!(value("rm"), "GET");
    assert_eq!(value("username"), "o'\u{200f}n");
}

#[test]
fn password_managers_and_phones_know_the_login_form() {
    let page = login(english()).render();
    let field = |name: &str| {
        let tag = tags(&page)
            .into_iter()
            .find(|tag| attribute(tag, "name") == Some(name));
        tag.expect("the field is there")
    };
    assert!(page.contains("<form method=\"post\" action=\"/login\">"));
    let username = field("username");
    assert_eq!(attribute(username, "autocomplete"), Some("username"));
    assert_eq!(attribute(username, "autocapitalize"), Some("none"));
    assert_eq!(attribute(username, "spellcheck"), Some("false"));
    assert_eq!(attribute(field("password"), "type"), Some("password"));
    assert_eq!(
        attribute(field("password"), "autocomplete"),
        Some("current-password")
    );
}

#[test]
fn the_caret_waits_where_the_visitor_goes_on() {
    for (username, expect) in [("", "username"), ("john", "password")] {
        let page = LoginPage {
            username,
            ..login(english())
        }
        .render();
        let focused: Vec<_> = tags(&page)
            .into_iter()
            .filter(|tag| tag.contains(" autofocus"))
            .collect();
        assert_eq!(focused.len(), 1);
        assert_eq!(attribute(focused[0], "name"), Some(expect));
    }
}

#[test]
fn the_password_is_never_filled_in_and_long_sessions_only_when_offered() {
    let cases = [
        (Remember::NotOffered, false, false),
        (Remember::Offered { checked: false }, true, false),
        (Remember::Offered { checked: true }, true, true),
    ];
    for (remember, is_there, is_checked) in cases {
        let page = LoginPage {
            remember,
            username: "john",
            ..login(english())
        }
        .render();
        assert_eq!(page.contains("name=\"remember\""), is_there);
        assert_eq!(page.contains(" checked>"), is_checked);
        let tags = tags(&page);
        let password = tags
            .iter()
            .find(|tag| attribute(tag, "name") == Some("password"));
        assert_eq!(
            attribute(password.expect("the field is there"), "value"),
            None
        );
    }
}

#[test]
fn a_failure_is_an_alert_and_a_farewell_is_not() {
    let cases = [
        (
            Notice::WrongCredentials,
            "alert",
            "That did not work. Check your user name and password, then try again.",
        ),
        (
            Notice::Unavailable,
            "alert",
            "Signing in is not possible right now. Please try again in a moment.",
        ),
        (
            Notice::FormExpired,
            "alert",
            "This page had been open for too long. Please sign in once more.",
        ),
        (Notice::SignedOut, "status", "You are signed out."),
        (
            Notice::SessionExpired,
            "status",
            "Your session has ended. Please sign in again.",
        ),
    ];
    for (notice, role, text) in cases {
        let page = LoginPage {
            notice: Some(notice),
            ..login(english())
        }
        .render();
        assert!(
            page.contains(&format!("role=\"{role}\">{text}</p>")),
            "{page}"
        );
        assert_eq!(
            page.contains("<title>Not signed in · Sign in · Quorate</title>"),
            role == "alert"
        );
        assert_eq!(
            page.contains("aria-invalid"),
            notice == Notice::WrongCredentials
        );
    }
    assert!(!login(english()).render().contains("role="));
}

#[test]
fn the_visitor_sees_the_site_they_are_going_to_and_nothing_else_of_its_address() {
    let page = LoginPage {
        target: Some(site()),
        ..login(english())
    }
    .render();
    let line = "You are signing in to continue to <bdi>one.example.com</bdi>.";
    assert!(page.contains(line), "{page}");
    assert_eq!(
        page.matches("/a?b=c").count(),
        1,
        "only in the hidden field: {page}"
    );
    assert!(!login(english()).render().contains("continue to"));
}

/// The whole login page in three requests and at most 20 KB, even before compression.
#[test]
fn the_login_page_with_all_it_loads_is_small() {
    let page = LoginPage {
        target: Some(site()),
        method: Some("GET"),
        notice: Some(Notice::WrongCredentials),
        ..login(english())
    };
    let page = page.render();
    let loaded: Vec<_> = assets()
        .iter()
        .filter(|asset| page.contains(&asset.path))
        .collect();
    assert_eq!(loaded.len(), 2, "style sheet and icon");
    assert_eq!(
        tags(&page)
            .iter()
            .filter(|tag| tag.starts_with("link"))
            .count(),
        2
    );
    let bytes = page.len() + loaded.iter().map(|asset| asset.bytes.len()).sum::<usize>();
    assert!(bytes <= 20_000, "{bytes} bytes");
}
