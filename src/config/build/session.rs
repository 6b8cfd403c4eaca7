//! `session`: cookie domains, with what they inherit.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::place::{Findings, Place};
use crate::config::types::{CookieDomain, PortalUrl, SameSite, Sessions, WebUrl, covers};
use crate::config::value;
use crate::config::view::View;

const EXPIRATION: Duration = Duration::from_secs(3_600);
const INACTIVITY: Duration = Duration::from_secs(300);
const REMEMBER_ME: Duration = Duration::from_secs(30 * 86_400);

/// `legacy_redirection` is the older `default_redirection_url` of the top level.
pub(crate) fn sessions(
    view: &View<'_>,
    legacy_redirection: &View<'_>,
    findings: &mut Findings,
) -> Sessions {
    let base = inherited(view, &built_in(), findings);
    let mut cookies: Vec<(CookieDomain, &Place)> = Vec::new();
    let list = view.get("cookies");
    if list.is_set() && legacy_redirection.is_set() {
        let message = "has no effect with `session.cookies`; write it into the entries there";
        legacy_redirection.notice(findings, message);
    }
    for item in list.sections() {
        let at = item.get("domain").at;
        if let Some(cookie) = cookie(&item, &base, findings) {
            against_earlier(&cookie, &cookies, &item, findings);
            cookies.push((cookie, at));
        }
    }
    let legacy = view.get("domain");
    match legacy.text() {
        Some(_) if list.is_set() => {
            legacy.problem(
                findings,
                "cannot be combined with `session.cookies`",
                "make it an entry of `session.cookies`",
            );
        }
        Some(text) => {
            if let Some(domain) = domain(text, &legacy, findings) {
                let default_redirection_url =
                    absolute(legacy_redirection, findings).map(|(text, _)| text);
                let cookie = CookieDomain {
                    domain,
                    default_redirection_url,
                    ..base
                };
                cookies.push((cookie, legacy.at));
            }
        }
        None if list.items().is_empty() => {
            list.problem(
                findings,
                "is required: no domain has a session",
                "add an entry with `domain: example.com` and `authelia_url: https://auth.example.com`",
            );
        }
        None => {}
    }
    Sessions {
        cookies: cookies.into_iter().map(|(cookie, _)| cookie).collect(),
    }
}

fn built_in() -> CookieDomain {
    CookieDomain {
        domain: String::new(),
        name: "authelia_session".to_owned(),
        same_site: SameSite::Lax,
        expiration: EXPIRATION,
        inactivity: INACTIVITY,
        remember_me: Some(REMEMBER_ME),
        portal: None,
        default_redirection_url: None,
    }
}

/// What `view` sets of the keys that a cookie inherits from `session`, and `base` for the others.
fn inherited(view: &View<'_>, base: &CookieDomain, findings: &mut Findings) -> CookieDomain {
    let name = view.get("name");
    if let Some(text) = name.text().filter(|text| !value::is_token(text)) {
        let message = format!("must be a cookie name of letters, digits, `-` and `_`, is `{text}`");
        name.problem(findings, message, "write for example `authelia_session`");
    }
    if name.text().is_some_and(|text| text.starts_with("__Host-")) {
        name.problem(
            findings,
            "begins with `__Host-`: browsers refuse such a cookie, because it covers a domain",
            "write for example `__Secure-authelia_session`",
        );
    }
    let expiration = view
        .get("expiration")
        .duration()
        .filter(|time| !time.is_zero());
    let remember_me = view.get("remember_me");
    CookieDomain {
        name: name.owned().unwrap_or_else(|| base.name.clone()),
        same_site: match view.get("same_site").text() {
            Some("lax") => SameSite::Lax,
            Some("strict") => SameSite::Strict,
            Some("none") => SameSite::None,
            _ => base.same_site,
        },
        expiration: expiration.unwrap_or(base.expiration),
        inactivity: view.get("inactivity").duration().unwrap_or(base.inactivity),
        remember_me: match remember_me.text() {
            Some("-1") => None,
            _ => remember_me
                .duration()
                .filter(|time| !time.is_zero())
                .or(base.remember_me),
        },
        ..base.clone()
    }
}

fn cookie(view: &View<'_>, base: &CookieDomain, findings: &mut Findings) -> Option<CookieDomain> {
    let mut cookie = inherited(view, base, findings);
    let key = view.get("domain");
    let portal = view.get("authelia_url");
    if !key.is_set() {
        key.problem(
            findings,
            "is required",
            "name the domain the cookie is for, such as `example.com`",
        );
    }
    if !portal.is_set() {
        portal.problem(
            findings,
            "is required",
            "write the portal's address, such as `https://auth.example.com`",
        );
    }
    let domain = key.text().and_then(|text| domain(text, &key, findings));
    cookie.domain = domain.clone().unwrap_or_default();
    let inside = |url: &WebUrl, view: &View<'_>, findings: &mut Findings| {
        if let Some(domain) = domain
            .as_deref()
            .filter(|domain| !covers(domain, &url.host))
        {
            let message = format!(
                "must be inside the cookie domain `{domain}`, has the host `{}`",
                url.host
            );
            view.problem(
                findings,
                message,
                format!("write a URL below `https://{domain}`"),
            );
        }
    };
    if let Some((_, url)) = https(&portal, findings) {
        inside(&url, &portal, findings);
        cookie.portal = Some(portal_url(url));
    }
    let redirection = view.get("default_redirection_url");
    if let Some((text, url)) = https(&redirection, findings) {
        inside(&url, &redirection, findings);
        if cookie.portal.as_ref() == Some(&portal_url(url)) {
            redirection.problem(
                findings,
                "must not be the portal itself",
                "name the page to see after a login without a target",
            );
        }
        cookie.default_redirection_url = Some(text);
    }
    domain.map(|_| cookie)
}

/// A URL's text and parts; what does not parse is reported already, by the kind of the key.
fn absolute(view: &View<'_>, findings: &mut Findings) -> Option<(String, WebUrl)> {
    let text = view.text()?;
    match value::url(text) {
        Ok(url) => Some((text.to_owned(), url)),
        Err(expected) => {
            // The older top-level key is of no kind that checks its form.
            if view.path == "default_redirection_url" {
                view.problem(findings, format!("must be {expected}, is `{text}`"), "");
            }
            None
        }
    }
}

fn https(view: &View<'_>, findings: &mut Findings) -> Option<(String, WebUrl)> {
    let (text, url) = absolute(view, findings)?;
    if url.scheme == "https" {
        return Some((text, url));
    }
    let message = format!("must be an https URL, is `{text}`");
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    view.problem(findings, message, format!("write `https://{rest}`"));
    None
}

fn portal_url(url: WebUrl) -> PortalUrl {
    let path = if url.path.ends_with('/') {
        url.path
    } else {
        format!("{}/", url.path)
    };
    PortalUrl {
        scheme: "https",
        host: url.host,
        port: url.port,
        path,
        query: url.query,
    }
}

/// Checks a cookie domain's form; the result is in lower case.
fn domain(text: &str, view: &View<'_>, findings: &mut Findings) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let bare = lower.trim_start_matches("*.").trim_start_matches('.');
    let (message, advice) = if lower.starts_with('*') {
        (
            "must not have a wildcard: a cookie covers all names below its domain",
            format!("write `{bare}`"),
        )
    } else if lower.starts_with('.') {
        ("must not begin with a dot", format!("write `{bare}`"))
    } else if lower.parse::<IpAddr>().is_ok() {
        return Some(lower);
    } else if lower.contains([':', '/']) {
        (
            "must be a domain without scheme, port or path",
            "write only the name, such as `example.com`".to_owned(),
        )
    } else if !value::is_host(&lower) {
        (
            "must be a domain name",
            "write a name such as `example.com`; other alphabets in punycode".to_owned(),
        )
    } else if !lower.contains('.') {
        (
            "must have a dot: browsers refuse cookies for a single label",
            format!("write `{bare}.` and what follows, such as `{bare}.internal`"),
        )
    } else {
        return Some(lower);
    };
    view.problem(findings, format!("{message}, is `{text}`"), advice);
    None
}

/// A host belongs to the first domain that covers it, so that a wider domain before a narrower one would hide it.
fn against_earlier(
    cookie: &CookieDomain,
    earlier: &[(CookieDomain, &Place)],
    view: &View<'_>,
    findings: &mut Findings,
) {
    let key = view.get("domain");
    for (other, place) in earlier {
        if other.domain == cookie.domain {
            let message = format!("`{}` is there twice, first at {place}", cookie.domain);
            key.problem(findings, message, "keep one of the two entries");
        } else if covers(&other.domain, &cookie.domain) {
            let message = format!(
                "`{}` is hidden by `{}` at {place}, which covers it and comes first",
                cookie.domain, other.domain
            );
            key.problem(findings, message, "put the narrower domain first");
        } else if covers(&cookie.domain, &other.domain) && cookie.name == other.name {
            let message = format!(
                "has the same cookie name as `{}` below it; browsers send both: give one of them another `name`",
                other.domain
            );
            key.notice(findings, message);
        }
    }
}
