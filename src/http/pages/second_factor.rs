//! The page for a one-time password, and what its form does.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use quorate_core::{Level, Totp};
use quorate_portal::{SecondFactorNotice, SecondFactorPage, Target};
use zeroize::Zeroizing;

use super::login::{onward, portal_path};
use super::{Errand, error, frame, html, unavailable};
use crate::app::App;
use crate::app::login::{LoginError, Opened};
use crate::app::session::Authenticated;
use crate::authn::password::PoolFull;
use crate::http::origin::{Sender, sender};
use crate::http::session::{self, Visit};
use crate::http::{body, cookie, reply};

/// `GET {base}/second-factor`: asks who is logged in with one factor and has a device; sends others to the portal.
pub(in crate::http) async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let errand = Errand::read(parts.uri.query().unwrap_or_default().as_bytes());
    match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) if who.session.level < Level::TwoFactor => match app.totp(&who.user.name) {
            Some(totp) => ask(&app, &parts, &who, &totp, &errand, None),
            None => home(&app, &errand),
        },
        Ok(_) => home(&app, &errand),
        Err(_) => unavailable(&app, &parts.headers),
    }
}

/// `POST {base}/second-factor`: what the form does.
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    if sender(&parts.headers, &visit.origin) != Sender::Portal || !visit.on_portal_host {
        return error(&app, &parts.headers, StatusCode::FORBIDDEN);
    }
    let bytes = match body::read(body).await {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(status) => return error(&app, &parts.headers, status),
    };
    let errand = Errand::read(&bytes);
    match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) => check(&app, &visit, &parts, &who, &code(&bytes), &errand).await,
        // The session ended while the page was open.
        Ok(None) => home(&app, &errand),
        Err(_) => unavailable(&app, &parts.headers),
    }
}

/// The code as typed, without the blanks that some apps show in its middle.
fn code(form: &[u8]) -> Zeroizing<String> {
    let value = form_urlencoded::parse(form).find(|(name, _)| name == "code");
    let typed = value.map(|(_, value)| Zeroizing::new(value.into_owned()));
    let typed = typed.unwrap_or_default();
    Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect())
}

async fn check(
    app: &App,
    visit: &Visit<'_>,
    parts: &Parts,
    who: &Authenticated,
    code: &str,
    errand: &Errand,
) -> Response {
    let Some(totp) = app.totp(&who.user.name) else {
        return home(app, errand);
    };
    if let Err(again_at) = app.admit_second_factor(Some(&who.user.name), visit.client) {
        let notice = Some(SecondFactorNotice::Unavailable);
        let mut page = ask(app, parts, who, &totp, errand, notice);
        *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        reply::retry_at(page.headers_mut(), again_at);
        return page;
    }
    let wrong = Some(SecondFactorNotice::WrongCode);
    // What no device ever shows is no guess.
    if !matches!(code.len(), 6 | 8) {
        return ask(app, parts, who, &totp, errand, wrong);
    }
    match app.use_totp(who, code, visit.client, visit.domain).await {
        Ok(opened) => proceed(app, visit, errand, &opened),
        Err(LoginError::Refused(_)) => ask(app, parts, who, &totp, errand, wrong),
        Err(LoginError::Busy(_)) => {
            let notice = Some(SecondFactorNotice::Unavailable);
            let mut page = ask(app, parts, who, &totp, errand, notice);
            *page.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            page.headers_mut()
                .insert(header::RETRY_AFTER, PoolFull::RETRY_AFTER.as_secs().into());
            page
        }
        Err(LoginError::Unavailable(_)) => unavailable(app, &parts.headers),
    }
}

/// On to where the visitor wanted, else to the domain's own page, else to the portal.
fn proceed(app: &App, visit: &Visit<'_>, errand: &Errand, opened: &Opened) -> Response {
    let who = Authenticated::just_opened(opened, visit.domain, app.now());
    let target = errand.target(app);
    let mut response = match onward(app, visit, errand, &target, &who) {
        Some(target) => reply::see_other(target.as_text()),
        None => match visit.domain.default_redirection_url.as_deref() {
            Some(home) => reply::see_other(home),
            None => reply::see_other(&portal_path(app, None)),
        },
    };
    if let Some(field) = cookie::set(visit.domain, &opened.token, opened.lifetime, app.now()) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}

fn home(app: &App, errand: &Errand) -> Response {
    let target = errand.target(app);
    let errand = target
        .safe()
        .map(|target| (target.as_text(), errand.method.as_deref()));
    reply::see_other(&portal_path(app, errand))
}

/// The page itself.
pub(super) fn ask(
    app: &App,
    parts: &Parts,
    who: &Authenticated,
    totp: &Totp,
    errand: &Errand,
    notice: Option<SecondFactorNotice>,
) -> Response {
    let target = errand.target(app);
    let shown = target
        .safe()
        .map(|target| (target.as_text(), target.host()));
    let page = SecondFactorPage {
        frame: frame(app, &parts.headers),
        display_name: &who.user.display_name,
        digits: totp.device.digits,
        target: shown.as_ref().map(|(url, host)| Target { url, host }),
        method: errand.method.as_deref().filter(|_| shown.is_some()),
        notice,
    };
    html(app, StatusCode::OK, page.render())
}
