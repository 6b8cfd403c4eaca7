//! The value syntaxes of the configuration: durations, addresses, URLs, networks.
//!
//! Each function takes the text of one scalar and says what is wrong with it in one phrase that fits behind
//! "must be …". Nothing here knows which key the text belongs to.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::types::{Listen, WebUrl};

/// Reads a duration as Authelia writes them: `1h`, `1h30m`, `1 day and 6 hours`, or a bare number of seconds.
///
/// A day has 24 hours, a year 365 days, a month (`M`) a twelfth of a year.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return bounded(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    let mut any = false;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
        if rest.is_empty() {
            return any.then_some(total).and_then(bounded);
        }
        let digits_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, tail) = rest.split_at_checked(digits_end)?;
        let tail = tail.trim_start();
        let unit_end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (name, tail) = tail.split_at_checked(unit_end)?;
        let number = u32::try_from(digits.parse::<u64>().ok()?).ok()?;
        total = total.checked_add(unit(name)?.checked_mul(number)?)?;
        rest = tail;
        any = true;
    }
}

/// A century is more than any key means, and less than what overflows when added to a clock.
fn bounded(duration: Duration) -> Option<Duration> {
    const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);
    (duration <= MAX).then_some(duration)
}

fn unit(name: &str) -> Option<Duration> {
    const DAY: u64 = 86_400;
    let seconds = match name {
        "ms" | "millisecond" | "milliseconds" => return Some(Duration::from_millis(1)),
        "s" | "second" | "seconds" => 1,
        "m" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "M" | "month" | "months" => 365 * DAY / 12,
        "y" | "year" | "years" => 365 * DAY,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// An address to listen at, with the path behind it (without a final slash, `""` for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) listen: Listen,
    pub(crate) path: String,
}

/// Reads `tcp://host:port/path`, `tcp4://`, `tcp6://`, `unix:///socket?umask=0117&path=auth`, `host:port` or
/// `/socket`.
pub(crate) fn address(text: &str, port_default: u16) -> Result<Address, String> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None if text.starts_with('/') => ("unix", text),
        None => ("tcp", text),
    };
    match scheme {
        "tcp" | "tcp4" | "tcp6" => tcp(scheme, rest, port_default),
        "unix" => unix(rest),
        "fd" => Err(
            "an address of its own: a socket handed over (`fd://`) is not supported yet".to_owned(),
        ),
        other => Err(format!(
            "`tcp://host:port` or `unix:///path`, not `{other}://`"
        )),
    }
}

fn tcp(scheme: &str, rest: &str, port_default: u16) -> Result<Address, String> {
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(index) => rest.split_at_checked(index).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    if path.contains(['?', '#']) {
        return Err("without a query: options apply to `unix://` only".to_owned());
    }
    let (host, port) = host_port(authority)?;
    let host = match (scheme, host.as_str()) {
        ("tcp4", "") => "0.0.0.0".to_owned(),
        ("tcp6", "") => "::".to_owned(),
        _ => host,
    };
    let path = path.trim_end_matches('/').to_owned();
    let port = port.unwrap_or(port_default);
    Ok(Address {
        listen: Listen::Tcp(host, port),
        path,
    })
}

fn unix(rest: &str) -> Result<Address, String> {
    let (socket, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !socket.starts_with('/') || socket.ends_with('/') {
        return Err("`unix:///absolute/path`".to_owned());
    }
    let mut umask = None;
    let mut path = String::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "umask" => {
                let mask = u32::from_str_radix(&value, 8)
                    .ok()
                    .filter(|mask| *mask <= 0o777);
                umask = Some(mask.ok_or("given a `umask` in octal digits, such as `0117`")?);
            }
            "path" => path = format!("/{}", value.trim_matches('/')),
            _ => return Err("without options other than `umask` and `path`".to_owned()),
        }
    }
    let path = path.trim_end_matches('/').to_owned();
    let socket = PathBuf::from(socket);
    Ok(Address {
        listen: Listen::Unix { socket, umask },
        path,
    })
}

/// Splits `host:port`, `[v6]:port`, `host` or `:port`. The host comes without brackets and may be empty.
pub(crate) fn host_port(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, tail) = rest
            .split_once(']')
            .ok_or("closed by `]` after an IPv6 address")?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("an IPv6 address between the brackets".to_owned());
        }
        (
            host,
            tail.strip_prefix(':')
                .or(if tail.is_empty() { None } else { Some("!") }),
        )
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("`[address]:port`, with brackets around an IPv6 address".to_owned());
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if !host.contains(':') && !host.is_empty() && !is_host(host) {
        return Err("`host:port` with a name or an IP address".to_owned());
    }
    let port = match port {
        None => None,
        Some(port) => Some(digits(port).ok_or("given a port from 0 to 65535")?),
    };
    Ok((host.to_owned(), port))
}

fn digits(text: &str) -> Option<u16> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Whether `text` is a host name (letters, digits, hyphens, underscores, dots; 253 bytes at most) or an IPv4 address.
pub(crate) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Reads an absolute http(s) URL. The host is folded to lower case; a fragment, a user or a raw control byte is
/// refused.
pub(crate) fn url(text: &str) -> Result<WebUrl, String> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("an absolute URL, such as `https://auth.example.com`")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => "https",
        "http" => "http",
        _ => return Err("an http or https URL".to_owned()),
    };
    let plain = |b: u8| b > b' ' && b < 0x7f && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'#');
    if !rest.bytes().all(plain) {
        return Err(
            "a URL without spaces, quotes, backslashes, `#` or unescaped characters".to_owned(),
        );
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err("a URL without a user or password".to_owned());
    }
    let (host, port) = host_port(authority)?;
    if host.is_empty() || port == Some(0) {
        return Err("a URL with a host name".to_owned());
    }
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (tail, None),
    };
    Ok(WebUrl {
        scheme,
        host: host.to_ascii_lowercase(),
        port,
        path: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
        query,
    })
}

/// Reads a CIDR prefix or a single address. Bits behind the prefix are cleared; an IPv4 address written as IPv6
/// becomes IPv4.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(net.trunc());
    }
    let address: IpAddr = text.parse().ok()?;
    Some(IpNet::from(address.to_canonical()))
}

/// Whether `text` is a token as RFC 9110 §5.6.2 has it; the shape of a cookie's name.
pub(crate) fn is_token(text: &str) -> bool {
    let symbol = |b: u8| b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || symbol(b))
}
