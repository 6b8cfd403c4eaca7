//! One request on a connection of its own, byte for byte, and the answer taken apart.

use std::io;
use std::time::{Duration, Instant, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fixture::Place;
use super::script::Request;
use super::world::World;

/// What came back, or that nothing did.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// 0 where the connection ended without an answer.
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) took: Duration,
    /// Whether the request was an authorization, of which more is expected than a case says.
    pub(super) is_authorization: bool,
}

/// A cookie as an answer sets it.
#[derive(Debug)]
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    attributes: Vec<(String, &'a str)>,
}

impl Reply {
    /// All values of a header field, joined as one list; `None` if there is none.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The cookies that it sets or deletes.
    pub(super) fn cookies(&self) -> impl Iterator<Item = SetCookie<'_>> {
        self.all("set-cookie").map(SetCookie::read)
    }
}

impl<'a> SetCookie<'a> {
    fn read(field: &'a str) -> Self {
        let mut parts = field.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .unwrap_or_default();
        let attributes = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_ascii_lowercase(), value)
        });
        Self {
            name,
            value,
            attributes: attributes.collect(),
        }
    }

    /// The value of an attribute, whose name is in small letters.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    }

    /// How many seconds it lives from now on; `None` if it lives as long as the browser runs.
    pub(super) fn lifetime_s(&self) -> Option<f64> {
        if let Some(age) = self.attribute("max-age") {
            return age.parse().ok();
        }
        let end = httpdate::parse_http_date(self.attribute("expires")?).ok()?;
        let now = UNIX_EPOCH + Duration::from_millis(quorate::clock::now().0);
        Some(match end.duration_since(now) {
            Ok(left) => left.as_secs_f64(),
            Err(past) => -past.duration().as_secs_f64(),
        })
    }
}

/// Sends a request and waits for the whole answer.
pub(super) async fn send(
    place: &Place,
    world: &World,
    request: &Request,
    jars: &[String],
) -> Result<Reply, String> {
    let (bytes, on_metrics) = bytes(world, request, jars)?;
    let started = Instant::now();
    let got = if on_metrics {
        plainly(place, &bytes).await
    } else {
        place
            .client
            .raw("auth.example.com", &bytes, |_| false)
            .await
    };
    let took = started.elapsed();
    let subject = request.raw.as_deref().unwrap_or(&request.target);
    let is_head = request.method == "HEAD";
    let mut reply = read(&got.unwrap_or_default(), is_head).unwrap_or_default();
    reply.took = took;
    reply.is_authorization = ["/api/authz/", "/api/verify"]
        .iter()
        .any(|path| subject.contains(path));
    Ok(reply)
}

async fn plainly(place: &Place, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(place.metrics).await?;
    stream.write_all(bytes).await?;
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await?;
    Ok(got)
}

/// The bytes to send, and whether they go to the listener of the metrics.
fn bytes(world: &World, request: &Request, jars: &[String]) -> Result<(Vec<u8>, bool), String> {
    if let Some(raw) = &request.raw {
        return Ok((world.fill(raw)?.into_bytes(), false));
    }
    let target = world.fill(&request.target)?;
    let (target, on_metrics) = match target.strip_prefix("http://metrics") {
        Some(path) => (path.to_owned(), true),
        None => (target, false),
    };
    let mut text = format!("{} {target} HTTP/1.1\r\n", request.method);
    let has = |name: &str| {
        request
            .headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    for (name, value) in &request.headers {
        text += &format!("{name}: {}\r\n", world.fill(value)?);
    }
    if let Some(cookies) = world.cookies(jars)? {
        text += &format!("Cookie: {cookies}\r\n");
    }
    let body = match &request.body {
        Some(body) => world.fill(body)?,
        None => String::new(),
    };
    let may_have_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    if !has("content-length") && (may_have_body || !body.is_empty()) {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    if !has("connection") {
        text += "Connection: close\r\n";
    }
    text += "\r\n";
    text += &body;
    Ok((text.into_bytes(), on_metrics))
}

/// Takes an answer apart; `None` if it has no head.
fn read(bytes: &[u8], is_head: bool) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Some(Reply {
        status,
        headers: headers.collect(),
        body: if is_head {
            String::new()
        } else {
            body.to_owned()
        },
        ..Reply::default()
    })
}
