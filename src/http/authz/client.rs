//! The visitor's address, from `X-Forwarded-For` of proxies we trust. It knows no rule and no lockout.

use std::net::{IpAddr, Ipv4Addr};

use http::HeaderMap;
use ipnet::IpNet;

/// What stands for an address that could not be told. Access rules count it in no network.
pub const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The address of the visitor behind `peer`, IPv4-mapped addresses as IPv4.
///
/// All `X-Forwarded-For` lines are one list. From its right end, addresses of trusted proxies are skipped, and the
/// first other one is the visitor: everything to the left of it is the visitor's own word. The list counts only if
/// `peer` itself is trusted. Without a list the visitor is the peer; if every address is a trusted proxy, the visitor
/// is the left-most. An entry that is no plain address gives [`UNKNOWN`] rather than the proxy's own address, which
/// is often in an allowed network.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    if !is_trusted(client, trusted) {
        return client;
    }
    let lines = headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .map(http::HeaderValue::as_bytes);
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    for entry in lines.flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        let address = std::str::from_utf8(entry)
            .ok()
            .and_then(|text| text.trim().parse::<IpAddr>().ok());
        let Some(address) = address else {
            return UNKNOWN;
        };
        client = address.to_canonical();
        if !is_trusted(client, trusted) {
            break;
        }
    }
    client
}

/// Whether `address` is one of the trusted proxies.
#[must_use]
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|prefix| prefix.contains(&address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test without its value has failed")]

    use super::*;

    #[track_caller]
    fn check(peer: &str, lines: &[&str], expect: &str) {
        let trusted = ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
            .map(|prefix| prefix.parse().expect("a prefix"));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().expect("a value"));
        }
        let got = client_address(peer.parse().expect("a peer"), &headers, &trusted);
        assert_eq!(
            got,
            expect.parse::<IpAddr>().expect("an address"),
            "{peer} {lines:?}"
        );
    }

    #[test]
    fn the_right_most_stranger_is_the_client() {
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["192.0.2.9, 198.51.100.1"], "198.51.100.1");
        check(
            "10.0.0.1",
            &["192.0.2.9", "198.51.100.1 ,10.0.0.7"],
            "198.51.100.1",
        );
        check("127.0.0.1", &["2001:DB8::1, fd00::2"], "2001:db8::1");
        check("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["10.0.0.5, 10.0.0.6"], "10.0.0.5");
    }

    #[test]
    fn without_a_trusted_list_the_peer_is_the_client() {
        check("198.51.100.7", &["10.9.9.9"], "198.51.100.7");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["", " "], "10.0.0.1");
    }

    #[test]
    fn an_entry_that_is_no_address_is_nobody() {
        for entry in [
            "unknown",
            "10.1.2.3:4711",
            "[2001:db8::1]",
            "010.1.2.3",
            "10.1.2.3/32",
            "_hidden",
            "a,",
        ] {
            check("10.0.0.1", &[entry], "0.0.0.0");
        }
        check("10.0.0.1", &["198.51.100.1, , 10.0.0.2"], "0.0.0.0");
        check("10.0.0.1", &["unknown, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["192.0.2.1", "unknown"], "0.0.0.0");
    }
}
