//! What every rendered page promises, checked on all pages in all languages and themes.

use quorate_portal::{
    ErrorPage, Frame, Language, LoggedInNotice, LoggedInPage, LoginPage, Target, Theme,
};

use crate::sample::{all_pages, attribute, english, frame, login, pages_with, tags};

#[test]
fn text_from_outside_never_becomes_markup() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "</title></bdi><style>*{}</style>",
        "<!--",
        "&lt;b&gt;",
    ];
    let plain = pages_with(english(), "plain");
    for text in hostile {
        for (page, plain) in pages_with(english(), text).iter().zip(&plain) {
            assert_eq!(tags(page).len(), tags(plain).len(), "`{text}` in {page}");
            assert!(!page.contains(text), "`{text}` as it came in {page}");
            for tag in tags(page) {
                assert!(
                    !tag.starts_with("script") && !tag.starts_with("style"),
                    "{page}"
                );
                let outside_values = tag.split('"').step_by(2).collect::<String>();
                assert!(
                    !outside_values.contains(" on") && !outside_values.contains('\''),
                    "{page}"
                );
            }
        }
    }
}

#[test]
fn text_from_outside_cannot_turn_or_hide_the_text_around_it() {
    let target = Target {
        url: "https://evil.example/",
        host: "\u{202e}moc.elpmaxe\u{200b}\0",
    };
    let shown = "[U+202E]moc.elpmaxe[U+200B][U+0000]";
    let page = LoginPage {
        target: Some(target),
        ..login(english())
    }
    .render();
    assert_eq!(
        page.matches(&format!("<bdi>{shown}</bdi>")).count(),
        2,
        "{page}"
    );
    assert!(!page.contains(target.host));
    let page = ErrorPage {
        frame: english(),
        status: 404,
        request_id: target.host,
    }
    .render();
    assert!(
        page.contains(shown) && !page.contains(target.host),
        "{page}"
    );
    let page = LoggedInPage {
        frame: english(),
        display_name: target.host,
        domain: target.host,
        home: Some(target),
        offers_second_factor: true,
        notice: Some(LoggedInNotice::SecondFactorNotSetUp { target }),
    };
    assert!(!page.render().contains(['\u{202e}', '\u{200b}', '\0']));
}

#[test]
fn no_page_holds_script_or_style_or_a_foreign_address() {
    for page in all_pages() {
        for banned in [
            "<script",
            "<style",
            "style=",
            "http:",
            "https:",
            "//",
            "javascript:",
            "url(",
            "data:",
        ] {
            assert!(!page.contains(banned), "`{banned}` in {page}");
        }
        for tag in tags(&page) {
            assert!(!tag.contains(" on"), "an event attribute in `{tag}`");
        }
    }
}

#[test]
fn every_visible_field_has_one_label_and_every_id_is_there_once() {
    for page in all_pages() {
        let tags = tags(&page);
        let count = |name: &str, value: &str| {
            tags.iter()
                .filter(|tag| attribute(tag, name) == Some(value))
                .count()
        };
        for tag in &tags {
            if tag.starts_with("input") && attribute(tag, "type") != Some("hidden") {
                let id = attribute(tag, "id").expect("a visible field has an id");
                assert_eq!(count("for", id), 1, "labels of `{id}` in {page}");
            }
            if let Some(id) = attribute(tag, "id") {
                assert_eq!(count("id", id), 1, "`{id}` in {page}");
            }
            let described_by = attribute(tag, "aria-describedby").unwrap_or_default();
            for id in described_by.split_whitespace() {
                assert_eq!(count("id", id), 1, "`{id}` in {page}");
            }
        }
    }
}

#[test]
fn every_page_has_one_heading_one_main_and_its_language() {
    for language in Language::ALL {
        for page in pages_with(frame(language, Theme::Oled), "plain") {
            assert!(page.starts_with("<!doctype html>\n"));
            let html = format!("<html lang=\"{}\" data-theme=\"oled\">", language.code());
            assert_eq!(page.matches(&html).count(), 1);
            assert_eq!(page.matches("<h1>").count(), 1, "{page}");
            assert_eq!(page.matches("<main").count(), 1, "{page}");
            assert!(page.trim_end().ends_with("</html>"));
        }
    }
}

#[test]
fn every_page_of_one_language_differs_from_the_other_languages() {
    let [en, de, fr] = Language::ALL.map(|language| pages_with(frame(language, Theme::Auto), "x"));
    for ((en, de), fr) in en.iter().zip(&de).zip(&fr) {
        let body = |page: &str| page.split_once("<body>").map(|(_, body)| body.to_owned());
        assert!(
            body(en) != body(de) && body(de) != body(fr) && body(en) != body(fr),
            "{en}"
        );
    }
}

#[test]
fn the_prefix_stands_before_every_path() {
    let frame = Frame {
        base: "/auth",
        ..english()
    };
    for page in pages_with(frame, "https://one.example.com/") {
        for tag in tags(&page) {
            for name in ["href", "action"] {
                if let Some(path) = attribute(tag, name) {
                    let is_known = path.starts_with("/auth/") || path == "https://one.example.com/";
                    assert!(is_known, "`{tag}`");
                }
            }
        }
    }
}
