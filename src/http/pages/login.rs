//! The login page, and the page of those who are logged in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use quorate_core::Level;
use quorate_portal::{LoggedInNotice, LoggedInPage, LoginPage, Notice, Remember, Target};
use zeroize::Zeroizing;

use super::{Errand, error, frame, html, second_factor, unavailable};
use crate::app::App;
use crate::app::login::{Attempt, LoginError, Opened};
use crate::app::redirect::{SafeTarget, TargetText};
use crate::app::session::Authenticated;
use crate::authn::password::PoolFull;
use crate::http::origin::{Sender, sender};
use crate::http::session::{self, Visit};
use crate::http::{body, cookie, reply};

/// What the login form sends.
#[derive(Default)]
struct Form {
    username: String,
    password: Zeroizing<String>,
    remember: bool,
}

impl Form {
    fn read(encoded: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            match name.as_ref() {
                "username" => form.username = value.into_owned(),
                "password" => form.password = Zeroizing::new(value.into_owned()),
                "remember" => form.remember = true,
                _ => {}
            }
        }
        form
    }
}

/// `GET` of any path that is nothing else: the login page, or who is logged in.
pub(in crate::http) async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let errand = Errand::read(parts.uri.query().unwrap_or_default().as_bytes());
    match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) => welcome(&app, &visit, &parts, &who, &errand),
        Ok(None) => login_page(&app, &visit, &parts, &errand, "", None),
        Err(_) => unavailable(&app, &parts.headers),
    }
}

/// `POST {base}/login`: what the form does.
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    // A program has the JSON API; a form comes from our own page or not at all.
    if sender(&parts.headers, &visit.origin) != Sender::Portal || !visit.on_portal_host {
        visit.say_foreign(&app, &parts.headers);
        return error(&app, &parts.headers, StatusCode::FORBIDDEN);
    }
    let bytes = match body::read(body).await {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(status) => return error(&app, &parts.headers, status),
    };
    log_in(
        &app,
        &visit,
        &parts,
        Form::read(&bytes),
        Errand::read(&bytes),
    )
    .await
}

async fn log_in(
    app: &App,
    visit: &Visit<'_>,
    parts: &Parts,
    form: Form,
    errand: Errand,
) -> Response {
    let Ok(before) = visit.session(app, &parts.headers).await else {
        return unavailable(app, &parts.headers);
    };
    let attempt = Attempt {
        username: &form.username,
        password: form.password,
        remember: form.remember,
        address: visit.client,
        domain: visit.domain,
        replaces: before.map(|before| before.key),
    };
    match app.log_in(attempt).await {
        Ok(opened) => proceed(app, visit, &errand, &opened),
        Err(LoginError::Refused(_)) => {
            let notice = Some(Notice::WrongCredentials);
            login_page(app, visit, parts, &errand, &form.username, notice)
        }
        Err(LoginError::Busy(_)) => {
            let mut page = login_page(
                app,
                visit,
                parts,
                &errand,
                &form.username,
                Some(Notice::Unavailable),
            );
            *page.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            page.headers_mut()
                .insert(header::RETRY_AFTER, PoolFull::RETRY_AFTER.as_secs().into());
            page
        }
        Err(LoginError::Unavailable(_)) => unavailable(app, &parts.headers),
    }
}

/// On to where the visitor wanted, or to the page that says why not.
fn proceed(app: &App, visit: &Visit<'_>, errand: &Errand, opened: &Opened) -> Response {
    let who = Authenticated::just_opened(opened, visit.domain, app.now());
    let target = errand.target(app);
    let mut response = match (onward(app, visit, errand, &target, &who), &target) {
        (Some(target), _) => reply::see_other(target.as_text()),
        (None, TargetText::Safe(target)) => reply::see_other(&portal_path(
            app,
            Some((target.as_text(), errand.method.as_deref())),
        )),
        (None, _) => {
            let home = visit.domain.default_redirection_url.as_deref();
            reply::see_other(home.unwrap_or(&portal_path(app, None)))
        }
    };
    if let Some(field) = cookie::set(visit.domain, &opened.token, opened.lifetime, app.now()) {
        response.headers_mut().insert(header::SET_COOKIE, field);
    }
    response
}

/// The target, if the visitor can go there now.
pub(super) fn onward<'a>(
    app: &App,
    visit: &Visit<'_>,
    errand: &Errand,
    target: &'a TargetText,
    who: &Authenticated,
) -> Option<&'a SafeTarget> {
    let method = errand.method.as_deref().unwrap_or("GET");
    target
        .safe()
        .filter(|target| app.is_level_enough(who, target, method, visit.client))
}

/// The portal's own page, with the errand if there is one.
pub(super) fn portal_path(app: &App, errand: Option<(&str, Option<&str>)>) -> String {
    let mut path = format!("{}/", app.config.server.base_path);
    if let Some((target, method)) = errand {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("rd", target);
        if let Some(method) = method {
            query.append_pair("rm", method);
        }
        path = path + "?" + &query.finish();
    }
    path
}

/// For a visitor who is logged in: on to the target, or who they are and what is missing.
fn welcome(
    app: &App,
    visit: &Visit<'_>,
    parts: &Parts,
    who: &Authenticated,
    errand: &Errand,
) -> Response {
    let target = errand.target(app);
    if let Some(target) = onward(app, visit, errand, &target, who) {
        return reply::see_other(target.as_text());
    }
    let totp = app
        .totp(&who.user.name)
        .filter(|_| who.session.level < Level::TwoFactor);
    if let (Some(totp), Some(_)) = (&totp, target.safe()) {
        return second_factor::ask(app, parts, who, totp, errand, None);
    }
    let missing = target
        .safe()
        .map(|target| (target.as_text(), target.host()));
    let home = TargetText::read(
        visit.domain.default_redirection_url.as_deref(),
        &app.config.session.cookies,
    );
    let home = home.safe().map(|home| (home.as_text(), home.host()));
    let page = LoggedInPage {
        frame: frame(app, &parts.headers),
        display_name: &who.user.display_name,
        domain: &visit.domain.domain,
        home: home.as_ref().map(|(url, host)| Target { url, host }),
        offers_second_factor: totp.is_some() && app.access().policy.needs_two_factor_anywhere(),
        notice: missing
            .as_ref()
            .map(|(url, host)| LoggedInNotice::SecondFactorNotSetUp {
                target: Target { url, host },
            }),
    };
    html(app, StatusCode::OK, page.render())
}

fn login_page(
    app: &App,
    visit: &Visit<'_>,
    parts: &Parts,
    errand: &Errand,
    username: &str,
    notice: Option<Notice>,
) -> Response {
    let target = errand.target(app);
    let shown = target
        .safe()
        .map(|target| (target.as_text(), target.host()));
    let page = LoginPage {
        frame: frame(app, &parts.headers),
        target: shown.as_ref().map(|(url, host)| Target { url, host }),
        method: errand.method.as_deref().filter(|_| shown.is_some()),
        username,
        remember: match visit.domain.remember_me {
            Some(_) => Remember::Offered { checked: false },
            None => Remember::NotOffered,
        },
        notice,
    };
    html(app, StatusCode::OK, page.render())
}
