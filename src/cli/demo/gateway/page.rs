//! The sample sites' pages. They run no script and load nothing.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::guard::Allowed;
use super::{Answer, Site, header as headers};

/// Nothing is loaded; only the style inside the page counts.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884 }
body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 0 auto; padding: 2rem 1rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 1rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0 }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap }
ul { padding-left: 1.2rem }
small { opacity: .75 }";

/// A message without any decoration.
pub(super) fn plain(status: StatusCode, text: &str) -> Answer {
    html(status, "Quorate demo", &format!("<p>{}</p>", escaped(text)))
}

/// The page with links, for anybody.
pub(super) fn home(port: u16) -> Answer {
    let body = format!(
        "<h1>Quorate demo</h1>
<p>Three nodes stand behind one small gateway. Log in as <b>john</b> or <b>alice</b>, password
<b>quorate-demo</b>, then kill the leader (the terminal says how) and go on browsing.</p>
{}",
        links(port, None)
    );
    html(StatusCode::OK, "Quorate demo", &body)
}

/// The page of a guarded site for somebody who may see it.
pub(super) fn sample(site: Site, port: u16, allowed: &Allowed) -> Answer {
    let host = site.host();
    let value = |name| {
        let value = allowed
            .remote
            .get(name)
            .map_or(&b""[..], HeaderValue::as_bytes);
        escaped(&String::from_utf8_lossy(value))
    };
    let rows: String = headers::REMOTE
        .iter()
        .zip([
            "Remote-User",
            "Remote-Groups",
            "Remote-Name",
            "Remote-Email",
        ])
        .map(|(name, shown)| format!("<tr><th>{shown}</th><td>{}</td></tr>\n", value(name)))
        .collect();
    let user = value(&headers::REMOTE[0]);
    let greeting = match user.as_str() {
        "" => "You are a stranger here, and welcome.".to_owned(),
        user => format!("You are <b>{user}</b>."),
    };
    let took_ms = allowed.took.as_secs_f64() * 1000.0;
    let body = format!(
        "<h1>{host}</h1>
<p>{greeting} This site asked nobody for a password: it trusts these headers, which the gateway sets.</p>
<table>\n{rows}</table>
<p>Node <b>{node}</b> decided in {took_ms:.1} ms, new TLS connection included. Reload, and another one does.</p>
{links}",
        node = allowed.node,
        links = links(port, Some(site)),
    );
    let mut answer = html(StatusCode::OK, host, &body);
    for cookie in &allowed.cookies {
        answer
            .headers_mut()
            .append(header::SET_COOKIE, cookie.clone());
    }
    answer
        .headers_mut()
        .insert(headers::NODE, HeaderValue::from_static(allowed.node));
    answer
}

/// Nobody can decide, so nobody gets in.
pub(super) fn undecided(port: u16) -> Answer {
    let body = format!(
        "<h1>No node can decide</h1>
<p>Without a majority of its nodes a cluster lets nobody in. Wait a moment and try again.</p>
{}",
        links(port, None)
    );
    let mut answer = html(StatusCode::SERVICE_UNAVAILABLE, "No node can decide", &body);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

fn links(port: u16, here: Option<Site>) -> String {
    let link = |site: Site| {
        let (url, host) = (site.url(port), site.host());
        let here = if here == Some(site) {
            " (you are here)"
        } else {
            ""
        };
        format!(
            "<li><a href=\"{url}/\">{host}</a> <small>{}{here}</small></li>\n",
            site.rule()
        )
    };
    let items: String = Site::GUARDED.into_iter().map(link).collect();
    let portal = Site::Portal.url(port);
    // The portal sends the browser back here after the logout.
    let back = here
        .unwrap_or(Site::Home)
        .url(port)
        .replace(':', "%3A")
        .replace('/', "%2F");
    format!(
        "<ul>\n{items}</ul>\n<p><a href=\"{portal}/\">Portal</a> · <a href=\"{portal}/logout?rd={back}%2F\">Log out</a></p>"
    )
}

fn html(status: StatusCode, title: &str, body: &str) -> Answer {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
