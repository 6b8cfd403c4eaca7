//! `quorate storage bans {user,ip} {list,add,revoke}`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::failure::Failure;
use super::super::node::NodeArgs;
use super::super::session::time;
use crate::admin::answer::{BanKind, BanLine, BanOrder, BanTarget, Banned};

const ADD_EXAMPLES: &str = "\
Examples:
  quorate storage bans user add john                  for a day; john's sessions end on every node
  quorate storage bans user add john --duration 1w
  quorate storage bans ip add 192.0.2.7 --permanent";

/// See, impose and lift bans.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Bans {
    /// Bans of users.
    #[command(subcommand)]
    User(Action),
    /// Bans of addresses; an IPv6 address stands for its /64.
    #[command(subcommand)]
    Ip(Action),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List the bans that hold now.
    List(NodeArgs),
    /// Impose a ban.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// Lift a ban and forget the failures that led to it.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// Who is banned.
    name: String,
    /// How long, as in the configuration: `90s`, `1h30m`, `1d`, `2w`.
    #[arg(short, long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
    duration: Duration,
    /// Until it is lifted.
    #[arg(short, long, conflicts_with = "duration")]
    permanent: bool,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// Who is banned.
    name: String,
    #[command(flatten)]
    node: NodeArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration(text)
        .ok_or_else(|| "is no duration; write it as `90s`, `1h30m`, `1d` or `2w`".to_owned())
}

impl Bans {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let (kind, action) = match self {
            Self::User(action) => (BanKind::User, action),
            Self::Ip(action) => (BanKind::Ip, action),
        };
        match action {
            Action::List(node) => {
                let lines: Vec<BanLine> = node.ask("/v1/ban/list", &kind)?;
                node.print(&lines, |lines| table(lines))
            }
            Action::Add(add) => {
                let milliseconds = u64::try_from(add.duration.as_millis()).unwrap_or(u64::MAX);
                let order = BanOrder {
                    target: BanTarget {
                        kind,
                        name: add.name,
                    },
                    for_ms: (!add.permanent).then_some(milliseconds),
                };
                let banned: Banned = add.node.ask("/v1/ban/add", &order)?;
                add.node.print(&banned, |banned| match kind {
                    BanKind::User => format!("Banned; {} sessions ended.\n", banned.ended),
                    BanKind::Ip => "Banned.\n".to_owned(),
                })
            }
            Action::Revoke(Revoke { name, node }) => {
                node.ask::<()>("/v1/ban/revoke", &BanTarget { kind, name })?;
                node.print(&(), |()| "The ban is lifted.\n".to_owned())
            }
        }
    }
}

fn table(lines: &[BanLine]) -> String {
    if lines.is_empty() {
        return "Nobody is banned.\n".to_owned();
    }
    let widths = lines.iter().map(|line| line.subject.chars().count());
    let width = widths.max().unwrap_or(0).max(7);
    let mut text = format!("{:<width$}  {:<20}  what is refused\n", "subject", "until");
    for line in lines {
        let until = line.until_ms.map_or_else(|| "lifted".to_owned(), time);
        let what = match line.second_factor_only {
            true => "second factors",
            false => "logins",
        };
        let _ = writeln!(text, "{:<width$}  {until:<20}  {what}", line.subject);
    }
    text
}
