//! `quorate cluster members | add | remove | promote | demote | transfer-leader`.

use std::fmt::Write as _;

use clap::Args;
use quorate_raft::{Change, Changed, MemberStatus, Suffrage};

use super::super::failure::Failure;
use super::super::node::NodeArgs;
use crate::admin::answer::MemberChange;

/// What `add` needs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The node, as `NAME=HOST:PORT`: its `cluster.name` and where its node-to-node listener is reached.
    #[arg(value_name = "NAME=HOST:PORT")]
    member: String,
    /// It gets no vote: it answers requests and serves the portal, and counts for no majority.
    #[arg(long)]
    learner: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// A command about one member.
#[derive(Debug, Args)]
pub(in crate::cli) struct One {
    /// The member's name.
    name: String,
    #[command(flatten)]
    node: NodeArgs,
}

/// A command about one member that may lose quorum.
#[derive(Debug, Args)]
pub(in crate::cli) struct Risky {
    /// The member's name.
    name: String,
    /// Even if fewer than a majority of the voters are alive afterwards; the change may then never be made.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What `transfer-leader` needs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Transfer {
    /// Who is to lead [default: the voter with the longest log]
    name: Option<String>,
    #[command(flatten)]
    node: NodeArgs,
}

pub(super) fn list(node: &NodeArgs) -> Result<(), Failure> {
    let members: Vec<MemberStatus> = node.ask("/v1/member/list", &())?;
    node.print(&members, |members| table(members))
}

fn table(members: &[MemberStatus]) -> String {
    let width = members.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for member in members {
        let suffrage = match member.suffrage {
            Suffrage::Voter => "voter",
            Suffrage::Learner => "learner",
        };
        let MemberStatus { name, address, .. } = member;
        let _ = writeln!(text, "{name:<width$}  {suffrage:<7}  {address}");
    }
    text
}

pub(super) fn add(add: Add) -> Result<(), Failure> {
    let Some((name, address)) = add.member.split_once('=') else {
        return Err(Failure::Usage(format!(
            "`{}` is not `NAME=HOST:PORT`; write for example `n4=n4.internal:9092`",
            add.member
        )));
    };
    let change = Change::Add {
        name: name.to_owned(),
        address: address.to_owned(),
        suffrage: if add.learner {
            Suffrage::Learner
        } else {
            Suffrage::Voter
        },
    };
    ask(&add.node, change, false)
}

pub(super) fn remove(risky: Risky) -> Result<(), Failure> {
    let change = Change::Remove { name: risky.name };
    ask(&risky.node, change, risky.force)
}

pub(super) fn demote(risky: Risky) -> Result<(), Failure> {
    let change = Change::Demote { name: risky.name };
    ask(&risky.node, change, risky.force)
}

pub(super) fn promote(one: One) -> Result<(), Failure> {
    ask(&one.node, Change::Promote { name: one.name }, false)
}

pub(super) fn transfer(transfer: Transfer) -> Result<(), Failure> {
    let change = Change::TransferLeader { to: transfer.name };
    ask(&transfer.node, change, false)
}

fn ask(node: &NodeArgs, change: Change, force: bool) -> Result<(), Failure> {
    let asked = MemberChange { change, force };
    let changed: Changed = node.ask("/v1/member/change", &asked)?;
    node.print(&changed, |changed| {
        let mut text = format!("{}\n", changed.done);
        for note in &changed.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    })
}
