//! The portal's pages: which one a visitor gets, and what its forms do.

mod login;
mod logout;
mod second_factor;

pub(super) use login::{page, post as log_in};
pub(super) use logout::{page as logout_page, post as log_out};
pub(super) use second_factor::{page as second_factor_page, post as second_factor};

use std::fmt::Write as _;

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use quorate_portal::{ErrorPage, Frame, Language};

use super::reply;
use crate::app::App;
use crate::app::redirect::TargetText;

/// What a visitor brings along from the site that sent them here.
#[derive(Debug, Default)]
struct Errand {
    /// `rd`: where to go after the login.
    target: Option<String>,
    /// `rm`: the method of the request that was turned away.
    method: Option<String>,
}

impl Errand {
    /// Reads `rd` and `rm` from a query or a form; the first of each counts.
    fn read(encoded: &[u8]) -> Self {
        let mut errand = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            match name.as_ref() {
                "rd" if errand.target.is_none() => errand.target = Some(value.into_owned()),
                "rm" if errand.method.is_none() => errand.method = Some(value.into_owned()),
                _ => {}
            }
        }
        errand
    }

    fn target(&self, app: &App) -> TargetText {
        TargetText::read(self.target.as_deref(), &app.config.session.cookies)
    }
}

fn frame<'a>(app: &'a App, headers: &HeaderMap) -> Frame<'a> {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Frame {
        base: &app.config.server.base_path,
        theme: theme(app),
        language: Language::from_accept(accepted),
    }
}

fn theme(app: &App) -> quorate_portal::Theme {
    use crate::config::Theme as Configured;
    match app.config.theme {
        Configured::Light => quorate_portal::Theme::Light,
        Configured::Dark => quorate_portal::Theme::Dark,
        Configured::Grey => quorate_portal::Theme::Grey,
        Configured::Oled => quorate_portal::Theme::Oled,
        Configured::Auto => quorate_portal::Theme::Auto,
    }
}

/// The policy of pages unless configured: our own files only. The nonce, new each time, is there for styles.
const POLICY: &str = "default-src 'self'; base-uri 'self'; connect-src 'self'; frame-ancestors 'none'; \
     frame-src 'none'; object-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'";

/// A page as a reply, with the content security policy.
fn html(app: &App, status: StatusCode, page: String) -> Response {
    let mut response = reply::typed(status, "text/html; charset=utf-8", page);
    let template = app.config.server.csp_template.as_deref();
    let policy = template.unwrap_or(POLICY).replace("${NONCE}", &nonce());
    if let Ok(policy) = policy.parse() {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// 32 hexadecimal digits, 128 random bits.
fn nonce() -> String {
    crate::random::bytes::<16>()
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// An error as a page, for people.
pub(super) fn error(app: &App, headers: &HeaderMap, status: StatusCode) -> Response {
    let page = ErrorPage {
        frame: frame(app, headers),
        status: status.as_u16(),
        request_id: "",
    };
    html(app, status, page.render())
}

/// 503 as a page, with the time after which to try again.
fn unavailable(app: &App, headers: &HeaderMap) -> Response {
    let mut response = error(app, headers, StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::RETRY_AFTER, 1.into());
    response
}
