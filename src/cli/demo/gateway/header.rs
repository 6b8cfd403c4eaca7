//! Which headers pass through the gateway, and which it alone may write.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::visit::Visit;

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(super) const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
pub(super) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
/// Names the node that answered, so that a visitor can watch them take turns.
pub(super) const NODE: HeaderName = HeaderName::from_static("x-demo-node");

/// What a proxy tells the application behind it of the visitor's identity.
pub(super) static REMOTE: [HeaderName; 4] = [
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("remote-groups"),
    HeaderName::from_static("remote-name"),
    HeaderName::from_static("remote-email"),
];

/// Starts of names that a visitor could forge to speak for a proxy or for another user.
const FORGEABLE: [&str; 4] = ["x-forwarded-", "x-original-", "remote-", "x-authelia-"];

/// Headers that concern one connection only. Source: RFC 9110 §7.6.1.
const OF_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The headers of a visitor that go on to the portal, with the gateway's own in place of forged
/// ones.
pub(super) fn to_portal(visit: &Visit) -> HeaderMap {
    let dropped = of_connection(&visit.headers);
    let is_kept = |name: &HeaderName| {
        !dropped.contains(name)
            && !FORGEABLE
                .iter()
                .any(|start| name.as_str().starts_with(start))
            && ![header::FORWARDED, header::CONTENT_LENGTH].contains(name)
            && name != "x-real-ip"
    };
    let mut headers: HeaderMap = visit
        .headers
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    tell_visit(&mut headers, visit);
    headers.insert(header::HOST, visit.authority.clone());
    headers
}

/// Says who asks for what, over everything that the visitor said about it.
pub(super) fn tell_visit(headers: &mut HeaderMap, visit: &Visit) {
    // An IP address and a method are always valid values.
    if let Ok(peer) = HeaderValue::try_from(visit.peer.to_canonical().to_string()) {
        headers.insert(FORWARDED_FOR, peer);
    }
    if let Ok(method) = HeaderValue::try_from(visit.method.as_str()) {
        headers.insert(FORWARDED_METHOD, method);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
    headers.insert(FORWARDED_HOST, visit.authority.clone());
    headers.insert(FORWARDED_URI, visit.target.clone());
}

/// The headers of a node's answer that go on to the visitor.
pub(super) fn to_visitor(headers: &HeaderMap, node: &'static str) -> HeaderMap {
    let dropped = of_connection(headers);
    let is_kept = |name: &HeaderName| {
        // A browser that has learnt strict transport security for a demo would refuse to go on
        // past the unknown authority of the next one.
        !dropped.contains(name)
            && ![header::CONTENT_LENGTH, header::STRICT_TRANSPORT_SECURITY].contains(name)
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    let mut kept: HeaderMap = kept
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.insert(NODE, HeaderValue::from_static(node));
    kept
}

/// Headers of the connection: the fixed ones and those that `Connection` names.
fn of_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let named = values
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok());
    named.chain(OF_CONNECTION).collect()
}
