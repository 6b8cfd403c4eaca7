//! `quorate cluster status`.

use std::fmt::Write as _;

use quorate_raft::{Formation, Role, Status, Suffrage};

use super::super::failure::Failure;
use super::super::node::NodeArgs;
use crate::app::NodeReport;

pub(super) fn run(node: &NodeArgs) -> Result<(), Failure> {
    let report: NodeReport = node.ask("/v1/status", &())?;
    node.print(&report, text)
}

/// Facts first, then the members, then what is wrong.
fn text(report: &NodeReport) -> String {
    let node = &report.node;
    let mut text = String::new();
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10}{value}");
    };
    fact(
        "node",
        format!("{} ({}), version {}", node.name, node.node, report.version),
    );
    fact(
        "cluster",
        node.cluster
            .clone()
            .unwrap_or_else(|| "none yet".to_owned()),
    );
    fact("state", state(report));
    fact(
        "leader",
        node.leader
            .clone()
            .unwrap_or_else(|| "none known".to_owned()),
    );
    fact(
        "log",
        format!(
            "term {}, last {}, applied {}, snapshot {}",
            node.term, node.last_log, node.applied, node.snapshot
        ),
    );
    fact("lease", lease(node));
    fact(
        "holds",
        format!("{} sessions, {} bans", report.sessions, report.bans),
    );
    if node.command_set > 0 {
        fact("commands", format!("set {} in force", node.command_set));
    }
    text.push_str(&members(report));
    for why in report.why.iter().chain(&report.warnings) {
        let _ = writeln!(text, "! {why}");
    }
    if let Some(failure) = &node.failure {
        let _ = writeln!(text, "! {failure}");
    }
    text
}

/// A leader renews its own right to read with every heartbeat, so a little is always left; a lease runs down.
fn lease(node: &Status) -> String {
    let left = format!("{:.1} s left", seconds(node.lease_ms));
    match node.role {
        Role::Leader if node.lease_ms > 0 => {
            format!("held, and renewed by every heartbeat ({left})")
        }
        _ => left,
    }
}

fn state(report: &NodeReport) -> String {
    let readiness = if report.ready { "ready" } else { "NOT READY" };
    let role = match report.node.role {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Learner => "learner",
        Role::Stopped => "stopped",
    };
    match &report.node.formation {
        Formation::Member => format!("{role}, {readiness}"),
        Formation::Asking { waiting_for } => {
            format!(
                "waits for an answer of {}, {readiness}",
                waiting_for.join(", ")
            )
        }
        Formation::Founding => format!("founds the cluster, {readiness}"),
        Formation::Joining => format!("waits to be taken in, {readiness}"),
        Formation::Stuck { cause } => format!("cannot become a member: {cause}"),
    }
}

fn members(report: &NodeReport) -> String {
    let node = &report.node;
    if node.members.is_empty() {
        return String::new();
    }
    let width = node
        .members
        .iter()
        .map(|m| m.name.len())
        .max()
        .unwrap_or(0)
        .max(6);
    let addresses = node
        .members
        .iter()
        .map(|m| m.address.len())
        .max()
        .unwrap_or(0)
        .max(7);
    let mut text = format!(
        "\n{:<width$}  {:<addresses$}  {:<8}  {:<7}  {:<5}  {:>8}  {}\n",
        "member", "address", "suffrage", "version", "knows", "lag", "last heard"
    );
    for member in &node.members {
        let suffrage = match member.suffrage {
            Suffrage::Voter => "voter",
            Suffrage::Learner => "learner",
        };
        let lag = member
            .lag
            .map_or_else(|| "-".to_owned(), |lag| lag.to_string());
        let version = member.version.as_deref().unwrap_or("?");
        let knows = member
            .command_set
            .map_or_else(|| "?".to_owned(), |set| format!("set {set}"));
        let heard = match member.silent_ms {
            _ if member.node == node.node => "this node".to_owned(),
            Some(silent_ms) => format!("{:.1} s ago", seconds(silent_ms)),
            None => "never".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:<addresses$}  {suffrage:<8}  {version:<7}  {knows:<5}  {lag:>8}  {heard}",
            member.name, member.address
        );
    }
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "for people, to a tenth of a second"
)]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
