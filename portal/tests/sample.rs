//! Pages with sample values, and a small reader of their tags.

use quorate_portal::{
    ErrorPage, Frame, Language, LoggedInNotice, LoggedInPage, LoginPage, LogoutPage, Notice,
    Remember, SecondFactorNotice, SecondFactorPage, SignedOutPage, Target, Theme,
};

pub(crate) const THEMES: [Theme; 5] = [
    Theme::Light,
    Theme::Dark,
    Theme::Grey,
    Theme::Oled,
    Theme::Auto,
];
pub(crate) const STATUSES: [u16; 10] = [400, 403, 404, 405, 413, 418, 429, 500, 502, 503];
pub(crate) const NOTICES: [Option<Notice>; 6] = [
    None,
    Some(Notice::WrongCredentials),
    Some(Notice::Unavailable),
    Some(Notice::SignedOut),
    Some(Notice::SessionExpired),
    Some(Notice::FormExpired),
];

pub(crate) fn frame(language: Language, theme: Theme) -> Frame<'static> {
    Frame {
        base: "",
        theme,
        language,
    }
}

pub(crate) fn english() -> Frame<'static> {
    frame(Language::En, Theme::Auto)
}

pub(crate) fn site() -> Target<'static> {
    Target {
        url: "https://one.example.com/a?b=c",
        host: "one.example.com",
    }
}

pub(crate) fn login(frame: Frame<'_>) -> LoginPage<'_> {
    LoginPage {
        frame,
        target: None,
        method: None,
        username: "",
        remember: Remember::Offered { checked: false },
        notice: None,
    }
}

/// Every page, with `text` wherever text from outside goes.
pub(crate) fn pages_with<'a>(frame: Frame<'a>, text: &'a str) -> Vec<String> {
    let target = Target {
        url: text,
        host: text,
    };
    let logged_in = |notice| LoggedInPage {
        frame,
        display_name: text,
        domain: text,
        home: Some(target),
        offers_second_factor: true,
        notice,
    };
    let mut pages = vec![
        logged_in(None).render(),
        logged_in(Some(LoggedInNotice::SecondFactorNotSetUp { target })).render(),
        LogoutPage {
            frame,
            target: Some(text),
        }
        .render(),
        SignedOutPage {
            frame,
            target: Some(target),
        }
        .render(),
        SignedOutPage {
            frame,
            target: None,
        }
        .render(),
    ];
    for notice in NOTICES {
        let page = LoginPage {
            frame,
            target: Some(target),
            method: Some(text),
            username: text,
            remember: Remember::Offered { checked: true },
            notice,
        };
        pages.push(page.render());
    }
    let second_factor = |notice| SecondFactorPage {
        frame,
        display_name: text,
        digits: 6,
        target: Some(target),
        method: Some(text),
        notice,
    };
    pages.push(second_factor(None).render());
    pages.push(second_factor(Some(SecondFactorNotice::WrongCode)).render());
    pages.push(second_factor(Some(SecondFactorNotice::Unavailable)).render());
    pages.extend(STATUSES.map(|status| {
        ErrorPage {
            frame,
            status,
            request_id: text,
        }
        .render()
    }));
    pages
}

pub(crate) fn all_pages() -> Vec<String> {
    let frames = Language::ALL
        .iter()
        .flat_map(|&language| THEMES.map(|theme| frame(language, theme)));
    frames
        .flat_map(|frame| pages_with(frame, "plain"))
        .collect()
}

/// The tags of a page, without their brackets. Enough of a reader for pages whose `<` and `>` are
/// escaped everywhere else, which other tests here make sure of.
pub(crate) fn tags(page: &str) -> Vec<&str> {
    page.split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().expect("split yields one part"))
        .collect()
}

pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}
