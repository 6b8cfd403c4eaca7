//! `cluster`: who the members are, and how this one is reached.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::place::Findings;
use crate::config::secret::Secret;
use crate::config::types::{ClusterConfig, Listen, Member, Reads, Storage};
use crate::config::value;
use crate::config::view::View;

const PORT: u16 = 9092;
const DATA_DIR: &str = "/var/lib/quorate";
const STALENESS: Duration = Duration::from_secs(3);
/// Below this an election takes longer than the lease that should outlive it.
const STALENESS_MIN: Duration = Duration::from_secs(1);
/// Above this the slowest logout takes longer than anybody waits for a reply.
const STALENESS_MAX: Duration = Duration::from_secs(60);
/// Proxies look at a node about every second; they should notice before the listener closes.
const DRAIN_DELAY: Duration = Duration::from_millis(1_500);
/// Above this whoever stops the node has killed it long before.
const DRAIN_DELAY_MAX: Duration = Duration::from_secs(60);
/// The cluster's key is made from the secret, so it must not be guessable.
pub(crate) const SECRET_CHARS_MIN: usize = 20;

pub(crate) fn cluster(
    view: &View<'_>,
    storage: &Storage,
    host_name: &str,
    findings: &mut Findings,
) -> ClusterConfig {
    let name = name(view, host_name, findings);
    let address = match view.get("address").text() {
        Some(text) => listen(view, text, findings),
        None => Listen::Tcp(String::new(), PORT),
    };
    let members = members(view, findings);
    if !members.is_empty() && !members.iter().any(|member| member.name == name) {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let message = format!(
            "does not contain this node, `{name}`, but {}: it waits until `quorate cluster add` takes it into their cluster",
            names.join(", ")
        );
        view.get("members").notice(findings, message);
    }
    if !members.is_empty() && members.len().is_multiple_of(2) {
        let spare = (members.len() - 1) / 2;
        let message = format!(
            "{} members go on with {spare} of them lost, as do {}; an odd number is cheaper",
            members.len(),
            members.len() - 1
        );
        view.get("members").notice(findings, message);
    }
    ClusterConfig {
        advertise: advertise(view, &name, &address, &members, findings),
        secret: secret(view, members.is_empty(), findings),
        max_staleness: max_staleness(view, findings),
        drain_delay: drain_delay(view, findings),
        // Any other word is reported by the kind of the key.
        reads: match view.get("reads").text() {
            Some("strict") => Reads::Strict,
            _ => Reads::Lease,
        },
        data_dir: match (view.get("data_dir").text(), &storage.local_dir) {
            (Some(text), _) => PathBuf::from(text),
            (None, Some(dir)) => dir.join("quorate"),
            (None, None) => PathBuf::from(DATA_DIR),
        },
        name,
        address,
        members,
    }
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

fn name(view: &View<'_>, host_name: &str, findings: &mut Findings) -> String {
    let key = view.get("name");
    let name = key.text().unwrap_or(host_name);
    if !is_name(name) {
        let message = format!("must be 1 to 64 letters, digits, `-`, `_` or `.`, is `{name}`");
        key.problem(findings, message, "write for example `n1`");
    }
    name.to_owned()
}

fn listen(view: &View<'_>, text: &str, findings: &mut Findings) -> Listen {
    let key = view.get("address");
    match value::address(text, PORT) {
        Ok(address)
            if !address.path.is_empty() || matches!(address.listen, Listen::Unix { .. }) =>
        {
            let message = format!("must be `tcp://host:port` without a path, is `{text}`");
            key.problem(findings, message, "");
            Listen::Tcp(String::new(), PORT)
        }
        Ok(address) => address.listen,
        // Reported already, by the kind of the key.
        Err(_) => Listen::Tcp(String::new(), PORT),
    }
}

fn members(view: &View<'_>, findings: &mut Findings) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for item in view.get("members").items() {
        let Some(text) = item.text() else {
            continue;
        };
        let parsed = text.split_once('=').and_then(|(name, address)| {
            let name = name.trim();
            let address = endpoint(address.trim())?;
            is_name(name).then(|| Member {
                name: name.to_owned(),
                address,
            })
        });
        let Some(member) = parsed else {
            item.problem(
                findings,
                format!("must be `name=host:port`, is `{text}`"),
                "write for example `n1=n1.internal:9092`",
            );
            continue;
        };
        if members.iter().any(|known| known.name == member.name) {
            item.problem(
                findings,
                format!("names `{}` twice", member.name),
                "give every member a name of its own",
            );
        } else if members.iter().any(|known| known.address == member.address) {
            item.problem(
                findings,
                format!("has the address `{}` twice", member.address),
                "give every member its own address",
            );
        } else {
            members.push(member);
        }
    }
    members
}

/// `host:port` with a host; the port is 9092 unless given.
fn endpoint(text: &str) -> Option<String> {
    let (host, port) = value::host_port(text).ok()?;
    let port = port.unwrap_or(PORT);
    (!host.is_empty() && port != 0).then(|| Listen::Tcp(host, port).to_string())
}

fn advertise(
    view: &View<'_>,
    name: &str,
    address: &Listen,
    members: &[Member],
    findings: &mut Findings,
) -> String {
    let key = view.get("advertise");
    let listed = members.iter().find(|member| member.name == name);
    let Some(text) = key.text() else {
        let port = match address {
            Listen::Tcp(_, port) => *port,
            Listen::Unix { .. } => PORT,
        };
        return listed.map_or_else(|| format!("{name}:{port}"), |member| member.address.clone());
    };
    let Some(given) = endpoint(text) else {
        key.problem(findings, format!("must be `host:port`, is `{text}`"), "");
        return String::new();
    };
    if let Some(member) = listed.filter(|member| member.address != given) {
        let message = format!(
            "must be this node's address in `cluster.members`, `{}`, is `{given}`",
            member.address
        );
        key.problem(
            findings,
            message,
            "correct one of the two, or remove `advertise`",
        );
    }
    given
}

fn secret(view: &View<'_>, alone: bool, findings: &mut Findings) -> Option<Secret> {
    let key = view.get("secret");
    let advice = "use the output of `openssl rand -hex 32`, the same on all members, here or in the file named by QUORATE_CLUSTER_SECRET_FILE";
    match key.text() {
        None if alone => {}
        None => key.problem(findings, "is required with `cluster.members`", advice),
        Some(text) if text.chars().count() < SECRET_CHARS_MIN => {
            let message = format!(
                "must have at least {SECRET_CHARS_MIN} characters, has {}",
                text.chars().count()
            );
            key.problem(findings, message, advice);
        }
        Some(_) => {}
    }
    key.text().map(Secret::new)
}

fn max_staleness(view: &View<'_>, findings: &mut Findings) -> Duration {
    let key = view.get("max_staleness");
    let Some(given) = key.duration() else {
        return STALENESS;
    };
    if !(STALENESS_MIN..=STALENESS_MAX).contains(&given) {
        let message = format!(
            "must be from {} s to {} s, is `{}`",
            STALENESS_MIN.as_secs(),
            STALENESS_MAX.as_secs(),
            key.text().unwrap_or_default()
        );
        key.problem(
            findings,
            message,
            "larger rides out a longer loss of the leader, smaller bounds the slowest logout",
        );
    }
    given
}

fn drain_delay(view: &View<'_>, findings: &mut Findings) -> Duration {
    let key = view.get("drain_delay");
    let given = key.duration().unwrap_or(DRAIN_DELAY);
    if given > DRAIN_DELAY_MAX {
        let message = format!(
            "must be {} s at most, is `{}`",
            DRAIN_DELAY_MAX.as_secs(),
            key.text().unwrap_or_default()
        );
        let advice = "longer than your proxies take to notice that a node is not ready is enough";
        key.problem(findings, message, advice);
    }
    given
}
