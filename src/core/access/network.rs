//! Networks of a rule: prefixes, addresses and names. It knows nothing of headers or proxies.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Reads one entry of `networks`: a prefix, an address, or a name of `definitions.network`.
pub(super) fn parse(entry: &str, named: &BTreeMap<String, Vec<IpNet>>) -> Option<Vec<IpNet>> {
    if let Some(prefixes) = named.get(entry) {
        return Some(prefixes.iter().copied().map(unmapped).collect());
    }
    let prefix = entry
        .parse::<IpNet>()
        .ok()
        .or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(vec![unmapped(prefix)])
}

/// Whether `address` lies in one of the prefixes. The unspecified address stands for a client whose address could
/// not be told; it is in no network, not even in `0.0.0.0/0`.
pub(super) fn contains(prefixes: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_unspecified() && prefixes.iter().any(|prefix| prefix.contains(&address))
}

/// An IPv4-mapped prefix as the IPv4 prefix it means.
fn unmapped(prefix: IpNet) -> IpNet {
    let IpNet::V6(v6) = prefix else { return prefix };
    let Some(address) = v6.addr().to_ipv4_mapped() else {
        return prefix;
    };
    let length = v6.prefix_len().checked_sub(96);
    length
        .and_then(|length| Ipv4Net::new(address, length).ok())
        .map_or(prefix, IpNet::V4)
}
