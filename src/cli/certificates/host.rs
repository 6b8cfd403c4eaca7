//! Which hosts a certificate can be for.

use std::net::IpAddr;

/// Accepts an IP address, a DNS name in ASCII, or a DNS name whose left-most label is `*`; returns
/// it in lower case and without brackets round an IPv6 address.
///
/// Source: RFC 1035 §2.3.4 (63 bytes a label, 253 in all), RFC 9525 §6.3 (wildcards).
pub(in crate::cli) fn parse(host: &str) -> Result<String, String> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.is_empty() || host.len() > 253 || !name.split('.').all(is_label) {
        let hint = if host.is_ascii() {
            ""
        } else {
            "; write it in its xn-- form"
        };
        return Err(format!(
            "`{host}` is neither a DNS name nor an IP address{hint}"
        ));
    }
    Ok(host.to_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(is_allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_wildcards_and_addresses_are_hosts() {
        for (given, expected) in [
            ("Example.COM", "example.com"),
            ("*.example.com", "*.example.com"),
            ("localhost", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
        ] {
            assert_eq!(parse(given).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn other_words_are_not() {
        let long = "a".repeat(64);
        for given in [
            "",
            "*",
            "*.",
            "a..b",
            "a.*.b",
            "*a.b",
            "-a.b",
            "a b",
            "https://a.b",
            "a.b:443",
            "é.fr",
            &long,
        ] {
            assert!(parse(given).is_err(), "{given}");
        }
    }
}
