//! `/api/user/info`: who the visitor is, and which second factors they have.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::http::{reply, session};

#[derive(Serialize)]
struct Info<'a> {
    display_name: &'a str,
    emails: Option<Vec<String>>,
    method: &'static str,
    has_totp: bool,
    has_webauthn: bool,
    has_duo: bool,
}

/// `GET` and `POST`: both answer what is there now; the body of `POST` is not looked at.
pub(in crate::http) async fn info(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match session::visit(&app, &parts) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let who = match visit.session(&app, &parts.headers).await {
        Ok(Some(who)) => who,
        Ok(None) => return reply::plain(StatusCode::FORBIDDEN),
        Err(_) => return reply::unavailable(1),
    };
    let has_totp = app.totp(&who.user.name).is_some();
    let emails = who.user.emails.first().map(|mail| vec![masked(mail)]);
    reply::ok(Some(Info {
        display_name: &who.user.display_name,
        emails,
        method: if has_totp { "totp" } else { "" },
        has_totp,
        has_webauthn: false,
        has_duo: false,
    }))
}

/// First and last character of the part before `@`, a star for each one between; all stars if there are one or two.
fn masked(mail: &str) -> String {
    let (local, domain) = mail.split_once('@').unwrap_or((mail, ""));
    let count = local.chars().count();
    let stars = local.chars().enumerate().map(|(index, letter)| {
        let is_shown = count > 2 && (index == 0 || index + 1 == count);
        if is_shown { letter } else { '*' }
    });
    format!("{}@{domain}", stars.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn an_address_is_hinted_at() {
        let cases = [
            ("john.doe@example.com", "j******e@example.com"),
            ("bob@example.com", "b*b@example.com"),
            ("ab@example.com", "**@example.com"),
            ("a@example.com", "*@example.com"),
            ("zoë@example.com", "z*ë@example.com"),
        ];
        for (mail, hint) in cases {
            assert_eq!(masked(mail), hint);
        }
    }
}
