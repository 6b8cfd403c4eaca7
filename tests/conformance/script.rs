//! The text of cases, read. The language is described at [`super`].

use std::time::Duration;

/// One case of a file.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) steps: Vec<Step>,
}

/// One step of a case, with the number of its line.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Ask(Box<Ask>),
    Do(usize, Deed),
}

/// What is done without a request.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Sleep(Duration),
    Set(String, String),
    EmptyMailbox,
    Mail(String, String),
    Totp(String, String),
}

/// A request and what is expected of the answer. Texts are still with their `{{…}}`.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    pub(super) line: usize,
    pub(super) request: Request,
    pub(super) times: usize,
    pub(super) jars: Vec<String>,
    pub(super) at_once: Vec<String>,
    pub(super) expect: Vec<Expect>,
    pub(super) keep: Vec<(String, Source)>,
    pub(super) save: Option<String>,
}

/// What is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// The whole request; nothing else counts then.
    pub(super) raw: Option<String>,
    pub(super) method: String,
    /// `http://metrics/…` goes to the listener of the metrics.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

/// One thing to be found in an answer.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    /// One of the statuses, 0 for a connection that ends without one; then the `Location`, or the user that an authorization tells of.
    Status(Vec<u16>, Option<String>),
    /// How many of the requests at once have the status.
    Count(usize, u16),
    Header(String, Test),
    Body(Test),
    Json(String),
    Cookie(String, Vec<String>),
    NoCookie(Option<String>),
    After(Duration),
    Within(Duration),
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Absent,
    Present,
    Is(String),
    Matches(String),
    Differs(String),
}

/// Where a value to be kept is found.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Cookie(String),
    Json(String),
    Header(String, String),
    Body(String),
}

/// Reads a file of cases. It panics with the line that it cannot read.
pub(super) fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("== ") {
            let (id, title) = head.split_once(' ').unwrap_or((head, ""));
            cases.push(Case {
                id: id.to_owned(),
                title: title.to_owned(),
                steps: Vec::new(),
            });
            continue;
        }
        let steps = &mut cases.last_mut().expect("a case before its lines").steps;
        let read = match line.split_at_checked(2) {
            Some(("> ", rest)) => ask(steps, number, rest),
            Some(("< ", rest)) => answer(steps, rest),
            Some(("! ", rest)) => deed(rest).map(|deed| steps.push(Step::Do(number, deed))),
            _ => None,
        };
        read.unwrap_or_else(|| panic!("{file}:{number} cannot be read: {line}"));
    }
    cases
}

fn deed(text: &str) -> Option<Deed> {
    let (word, rest) = text.split_once(' ')?;
    Some(match word {
        "sleep" => Deed::Sleep(Duration::from_secs_f64(rest.parse().ok()?)),
        "set" => {
            let (name, value) = rest.split_once(" = ")?;
            Deed::Set(name.to_owned(), value.to_owned())
        }
        "empty" if rest == "mailbox" => Deed::EmptyMailbox,
        "mail" => {
            let (name, pattern) = rest.split_once(" ~ ")?;
            Deed::Mail(name.to_owned(), pattern.to_owned())
        }
        "totp" => {
            let (user, secret) = rest.split_once(' ')?;
            Deed::Totp(user.to_owned(), secret.to_owned())
        }
        _ => return None,
    })
}

/// A line of a request. One that begins with a method or a shorthand begins a new step.
fn ask(steps: &mut Vec<Step>, line: usize, text: &str) -> Option<()> {
    if let Some(request) = opening(text) {
        steps.push(Step::Ask(Box::new(Ask {
            line,
            request,
            times: 1,
            ..Ask::default()
        })));
        return Some(());
    }
    let Some(Step::Ask(ask)) = steps.last_mut() else {
        return None;
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    let headers = &mut ask.request.headers;
    if let Some(body) = text.strip_prefix("json ") {
        ask.request.body = Some(body.to_owned());
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
    } else if let Some(body) = text.strip_prefix("body ") {
        ask.request.body = Some(unquoted(body));
    } else if let Some(jars) = text.strip_prefix("at once as ") {
        ask.at_once = words(jars);
    } else if let Some(jars) = text.strip_prefix("as ") {
        ask.jars = words(jars);
    } else if let Some(times) = text.strip_prefix("times ") {
        ask.times = times.parse().ok()?;
    } else if let Some(name) = text.strip_prefix("- ") {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    } else if let Some(field) = text.strip_prefix("+ ") {
        headers.push(field_of(field)?);
    } else {
        let (name, value) = field_of(text)?;
        match headers
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            Some(found) => found.1 = value,
            None => headers.push((name, value)),
        }
    }
    Some(())
}

fn field_of(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(": ")?;
    Some((name.to_owned(), unquoted(value)))
}

/// The request that a line begins, if it begins one.
fn opening(text: &str) -> Option<Request> {
    let (word, rest) = text.split_once(' ')?;
    if word == "raw" {
        return Some(Request {
            raw: Some(unquoted(rest)),
            ..Request::default()
        });
    }
    if word == "log" {
        let user = rest.strip_prefix("in ")?;
        let mut request = plain("POST", "/api/firstfactor");
        request
            .headers
            .push(("Content-Type".into(), "application/json".into()));
        request.body = Some(format!(
            r#"{{"username": "{user}", "password": "password", "keepMeLoggedIn": false}}"#
        ));
        return Some(request);
    }
    if word.bytes().all(|byte| byte.is_ascii_uppercase()) || rest.starts_with('/') {
        return (!word.ends_with(':') && word.len() > 1).then(|| plain(word, rest));
    }
    let (dialect, endpoint) = match word.split_once('(') {
        Some((dialect, endpoint)) => (dialect, Some(endpoint.strip_suffix(')')?)),
        None => (word, None),
    };
    let (method, url) = rest.split_once(' ')?;
    question(dialect, endpoint, method, url)
}

fn plain(method: &str, target: &str) -> Request {
    Request {
        raw: None,
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![("Host".into(), "auth.example.com".into())],
        body: None,
    }
}

/// What a proxy asks about a page that is to be shown to a person.
fn question(dialect: &str, endpoint: Option<&str>, method: &str, url: &str) -> Option<Request> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_at);
    let accept = ("Accept", "text/html");
    let (usual, asked_by, fields) = match dialect {
        "forward" => (
            "authz/forward-auth",
            "GET",
            vec![
                ("X-Forwarded-Method", method),
                ("X-Forwarded-Proto", scheme),
                ("X-Forwarded-Host", host),
                ("X-Forwarded-URI", path),
                accept,
            ],
        ),
        "nginx" => (
            "authz/auth-request",
            "GET",
            vec![
                ("X-Original-Method", method),
                ("X-Original-URL", url),
                accept,
            ],
        ),
        "envoy" => (
            "authz/ext-authz",
            method,
            vec![("Host", host), ("X-Forwarded-Proto", scheme), accept],
        ),
        "legacy" => ("verify", method, vec![("X-Original-URL", url), accept]),
        _ => return None,
    };
    let endpoint = match (endpoint, dialect) {
        (None, _) => usual.to_owned(),
        (Some(endpoint), "legacy") => endpoint.to_owned(),
        (Some(endpoint), _) => format!("authz/{endpoint}"),
    };
    let below = if dialect == "envoy" {
        format!("/{path}")
    } else {
        String::new()
    };
    let mut request = plain(asked_by, &format!("/api/{endpoint}{below}"));
    for (name, value) in fields {
        match name {
            "Host" => request.headers = vec![(name.into(), value.into())],
            _ => request.headers.push((name.into(), value.into())),
        }
    }
    Some(request)
}

/// A line about the answer of the last step.
fn answer(steps: &mut [Step], text: &str) -> Option<()> {
    let Some(Step::Ask(ask)) = steps.last_mut() else {
        return None;
    };
    if let Some(jar) = text.strip_prefix("jar ") {
        ask.save = Some(jar.to_owned());
    } else if let Some(kept) = text.strip_prefix("keep ") {
        let (name, source) = kept.split_once(" = ")?;
        ask.keep.push((name.to_owned(), source_of(source)?));
    } else {
        ask.expect.push(expect(text)?);
    }
    Some(())
}

fn source_of(text: &str) -> Option<Source> {
    let (word, rest) = text.split_once(' ')?;
    Some(match word {
        "cookie" => Source::Cookie(rest.to_owned()),
        "json" => Source::Json(rest.to_owned()),
        "header" => {
            let (name, pattern) = rest.split_once(' ')?;
            Source::Header(name.to_owned(), pattern.to_owned())
        }
        "body" => Source::Body(rest.to_owned()),
        _ => return None,
    })
}

fn expect(text: &str) -> Option<Expect> {
    let millis = |text: &str| {
        Some(Duration::from_millis(
            text.strip_suffix(" ms")?.parse().ok()?,
        ))
    };
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match word {
        "json" => Expect::Json(rest.to_owned()),
        "after" => Expect::After(millis(rest)?),
        "within" => Expect::Within(millis(rest)?),
        "no" => {
            let name = rest.strip_prefix("cookie")?.trim();
            Expect::NoCookie((!name.is_empty()).then(|| name.to_owned()))
        }
        "cookie" => {
            let mut words = rest.split(' ').map(str::to_owned);
            Expect::Cookie(words.next()?, words.collect())
        }
        "body" => Expect::Body(match rest.split_once(' ') {
            Some(("~", pattern)) => Test::Matches(pattern.to_owned()),
            Some(("!~", pattern)) => Test::Differs(pattern.to_owned()),
            _ => Test::Is(unquoted(rest)),
        }),
        _ if word.starts_with(|first: char| first.is_ascii_digit()) => status(word, rest)?,
        _ => header(text)?,
    })
}

fn status(word: &str, rest: &str) -> Option<Expect> {
    if let Some(status) = rest.strip_prefix("of them ") {
        return Some(Expect::Count(word.parse().ok()?, status.parse().ok()?));
    }
    let statuses: Result<Vec<u16>, _> = word.split('|').map(str::parse).collect();
    Some(Expect::Status(
        statuses.ok()?,
        (!rest.is_empty()).then(|| rest.to_owned()),
    ))
}

fn header(text: &str) -> Option<Expect> {
    if let Some((name, value)) = text
        .split_once(": ")
        .filter(|(name, _)| !name.contains(' '))
    {
        let test = match value {
            "-" => Test::Absent,
            "*" => Test::Present,
            value => Test::Is(unquoted(value)),
        };
        return Some(Expect::Header(name.to_owned(), test));
    }
    let (name, pattern) = text.split_once(' ')?;
    let test = match pattern.split_once(' ')? {
        ("~", pattern) => Test::Matches(pattern.to_owned()),
        ("!~", pattern) => Test::Differs(pattern.to_owned()),
        _ => return None,
    };
    Some(Expect::Header(name.to_owned(), test))
}

/// The text itself, or what stands between double quotes with `\r`, `\n`, `\t`, `\\`, `\"` and `\xNN` resolved.
fn unquoted(text: &str) -> String {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return text.to_owned();
    };
    let mut resolved = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        let escaped = (letter == '\\').then(|| letters.next()).flatten();
        resolved.push(match escaped {
            None => letter,
            Some('r') => '\r',
            Some('n') => '\n',
            Some('t') => '\t',
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                char::from(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"))
            }
            Some(other) => other,
        });
    }
    resolved
}
