//! The messages of a check, read and written; pure.
//!
//! | message | fields used |
//! |---|---|
//! | `CheckRequest` | 1 `AttributeContext` |
//! | `AttributeContext` | 1 source `Peer`, 4 `Request`, 10 context extensions (map of text) |
//! | `Peer` | 1 `Address` → 1 `SocketAddress` → 2 address |
//! | `Request` | 2 `HttpRequest`: 2 method, 3 headers (map), 4 path and query, 5 host, 6 scheme, 13 `HeaderMap` |
//! | `HeaderMap` | 1 `HeaderValue`: 1 key, 2 value, 3 raw value |
//! | `CheckResponse` | 1 `Status` (1 code), 2 `DeniedHttpResponse`, 3 `OkHttpResponse` |
//! | `DeniedHttpResponse` | 1 `HttpStatus` (1 code), 2 `HeaderValueOption`, 3 body |
//! | `OkHttpResponse` | 2 `HeaderValueOption`, 5 headers to remove |
//! | `HeaderValueOption` | 1 `HeaderValue`, 2 append (`BoolValue`: 1) |
//!
//! Source: Envoy's `external_auth.proto`, `attribute_context.proto`, `base.proto`; `google/rpc/code.proto`.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};

use super::wire::{Fields, Malformed, Value, put_bytes, put_number};

/// Header fields of one request, as on the main listener.
const HEADERS_MAX: usize = 256;

const REMOTE: [&str; 4] = [
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
];

/// Other spellings that some applications read as the same.
const REMOTE_LIKE: [&str; 8] = [
    "remote_user",
    "remote_groups",
    "remote_name",
    "remote_email",
    "remote.user",
    "remote.groups",
    "remote.name",
    "remote.email",
];

/// `code.proto`.
const PERMISSION_DENIED: u64 = 7;
const UNAUTHENTICATED: u64 = 16;

/// What a proxy says about a visitor's request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct CheckRequest<'a> {
    /// Who connects to the proxy, if that is an IP address.
    pub(in crate::http) source: Option<IpAddr>,
    pub(in crate::http) method: &'a [u8],
    /// Path and query.
    pub(in crate::http) path: &'a [u8],
    pub(in crate::http) host: &'a [u8],
    pub(in crate::http) scheme: &'a [u8],
    pub(in crate::http) headers: Vec<(&'a [u8], &'a [u8])>,
    /// The portal to send people to: the operator's word, unlike any header. In Envoy `context_extensions:
    /// {authelia_url: …}` of the route.
    pub(in crate::http) portal: &'a [u8],
}

/// What is asked for cannot be said in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotHttp;

/// The bytes of a field.
fn bytes(value: Value<'_>) -> Result<&[u8], Malformed> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Number(_) => Err(Malformed),
    }
}

/// Fields 1, 2 and 3, each empty if it is missing: an entry of a map, or a `HeaderValue`.
fn three(message: &[u8]) -> Result<[&[u8]; 3], Malformed> {
    let mut found = [&b""[..]; 3];
    for field in Fields::of(message) {
        let (number, value) = field?;
        let place = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = bytes(value)?;
        }
    }
    Ok(found)
}

impl<'a> CheckRequest<'a> {
    /// Reads a message. Fields that are not used are skipped; of one that is there twice the last counts, as Protocol
    /// Buffers have it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut request = Self::default();
        for field in Fields::of(message) {
            if let (1, value) = field? {
                request.attributes(bytes(value)?)?;
            }
        }
        Ok(request)
    }

    fn attributes(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        for field in Fields::of(message) {
            match field? {
                (1, peer) => self.source = source(bytes(peer)?)?,
                (4, request) => {
                    for field in Fields::of(bytes(request)?) {
                        if let (2, http) = field? {
                            self.http(bytes(http)?)?;
                        }
                    }
                }
                (10, entry) => {
                    if let [b"authelia_url", portal, _] = three(bytes(entry)?)? {
                        self.portal = portal;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn http(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        for field in Fields::of(message) {
            match field? {
                (2, method) => self.method = bytes(method)?,
                (3, entry) => {
                    let [name, value, _] = three(bytes(entry)?)?;
                    self.header(name, value)?;
                }
                (4, path) => self.path = bytes(path)?,
                (5, host) => self.host = bytes(host)?,
                (6, scheme) => self.scheme = bytes(scheme)?,
                (13, map) => {
                    for field in Fields::of(bytes(map)?) {
                        if let (1, header) = field? {
                            let [name, value, raw] = three(bytes(header)?)?;
                            self.header(name, if raw.is_empty() { value } else { raw })?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps a header field, but for those that HTTP/2 begins with a colon: they have fields of their own.
    fn header(&mut self, name: &'a [u8], value: &'a [u8]) -> Result<(), Malformed> {
        if !name.starts_with(b":") {
            self.headers.push((name, value));
        }
        if self.headers.len() > HEADERS_MAX {
            return Err(Malformed);
        }
        Ok(())
    }

    /// The request as the ext-authz dialect gets it below the path of its endpoint.
    ///
    /// # Errors
    /// [`NotHttp`]: method, path or a header is none; also for a path with `#`, of which a URI would lose the rest.
    pub(super) fn into_parts(self, endpoint: &str) -> Result<http::request::Parts, NotHttp> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::from_bytes(self.method).map_err(|_| NotHttp)?;
        let path = std::str::from_utf8(self.path).map_err(|_| NotHttp)?;
        if path.is_empty() || path.contains('#') {
            return Err(NotHttp);
        }
        parts.uri = format!("{endpoint}/{path}")
            .parse::<Uri>()
            .map_err(|_| NotHttp)?;
        let mut put = |name: &[u8], value: &[u8]| -> Result<(), NotHttp> {
            let name = HeaderName::from_bytes(name).map_err(|_| NotHttp)?;
            let value = HeaderValue::from_bytes(value).map_err(|_| NotHttp)?;
            parts.headers.append(name, value);
            Ok(())
        };
        for (name, value) in self.headers {
            // The page's length is none of a message without a body; the portal is not the visitor's to name.
            let is_ours = [
                &b"host"[..],
                b"content-length",
                b"transfer-encoding",
                b"x-authelia-url",
            ]
            .iter()
            .any(|ours| name.eq_ignore_ascii_case(ours));
            if !is_ours {
                put(name, value)?;
            }
        }
        put(header::HOST.as_str().as_bytes(), self.host)?;
        if !self.portal.is_empty() {
            put(b"x-authelia-url", self.portal)?;
        }
        if !parts.headers.contains_key("x-forwarded-proto") && !self.scheme.is_empty() {
            let scheme = HeaderValue::from_bytes(self.scheme).map_err(|_| NotHttp)?;
            parts.headers.insert("x-forwarded-proto", scheme);
        }
        Ok(parts)
    }
}

/// The IP address of a peer.
fn source(peer: &[u8]) -> Result<Option<IpAddr>, Malformed> {
    let mut found = None;
    for field in Fields::of(peer) {
        let (1, address) = field? else { continue };
        for field in Fields::of(bytes(address)?) {
            let (1, socket) = field? else { continue };
            let text = std::str::from_utf8(socket_address(bytes(socket)?)?).ok();
            found = text
                .and_then(|text| text.parse::<IpAddr>().ok())
                .map(|address| address.to_canonical());
        }
    }
    Ok(found)
}

fn socket_address(message: &[u8]) -> Result<&[u8], Malformed> {
    let mut address = &b""[..];
    for field in Fields::of(message) {
        if let (2, value) = field? {
            address = bytes(value)?;
        }
    }
    Ok(address)
}

/// The visitor may pass: who it is, in place of whatever the visitor said.
pub(super) fn allowed(headers: &HeaderMap) -> Vec<u8> {
    let mut ok = Vec::new();
    for name in REMOTE {
        let value = headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
        if value.is_empty() {
            // Removing is what Envoy does last, and it leaves no doubt what an empty value does.
            put_bytes(&mut ok, 5, name.as_bytes());
        } else {
            put_bytes(&mut ok, 2, &header_option(name, value, false));
        }
    }
    for name in REMOTE_LIKE {
        put_bytes(&mut ok, 5, name.as_bytes());
    }
    let mut response = Vec::new();
    put_bytes(&mut response, 1, b"");
    put_bytes(&mut response, 3, &ok);
    response
}

/// The visitor gets this response.
pub(super) fn denied(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut http_status = Vec::new();
    put_number(&mut http_status, 1, status.as_u16().into());
    let mut denied = Vec::new();
    put_bytes(&mut denied, 1, &http_status);
    for name in headers
        .keys()
        .filter(|name| ![header::CONTENT_LENGTH, header::CONNECTION].contains(name))
    {
        for (index, value) in headers.get_all(name).iter().enumerate() {
            let option = header_option(name.as_str(), value.as_bytes(), index > 0);
            put_bytes(&mut denied, 2, &option);
        }
    }
    put_bytes(&mut denied, 3, body);
    let code = match status {
        StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => PERMISSION_DENIED,
        _ => UNAUTHENTICATED,
    };
    let mut status = Vec::new();
    put_number(&mut status, 1, code);
    let mut response = Vec::new();
    put_bytes(&mut response, 1, &status);
    put_bytes(&mut response, 2, &denied);
    response
}

fn header_option(name: &str, value: &[u8], is_appended: bool) -> Vec<u8> {
    let mut header = Vec::new();
    put_bytes(&mut header, 1, name.as_bytes());
    put_bytes(&mut header, 2, value);
    let mut append = Vec::new();
    if is_appended {
        put_number(&mut append, 1, 1);
    }
    let mut option = Vec::new();
    put_bytes(&mut option, 1, &header);
    put_bytes(&mut option, 2, &append);
    option
}

/// The service that a health check asks about.
pub(super) fn health_service(message: &[u8]) -> Result<&str, Malformed> {
    let [service, _, _] = three(message)?;
    std::str::from_utf8(service).map_err(|_| Malformed)
}

/// `SERVING` or `NOT_SERVING`.
pub(super) fn health(is_ready: bool) -> Vec<u8> {
    let mut response = Vec::new();
    put_number(&mut response, 1, if is_ready { 1 } else { 2 });
    response
}

#[cfg(test)]
mod tests;
