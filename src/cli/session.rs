//! `quorate session …`: who is logged in, and the end of that.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use clap::{ArgGroup, Args, Subcommand};

use super::failure::Failure;
use super::node::NodeArgs;
use crate::admin::answer::{Ended, SessionFilter, SessionLine};

const LIST_EXAMPLES: &str = "\
Examples:
  quorate session list
  quorate session list --user john --output json";

const KILL_EXAMPLES: &str = "\
Examples:
  quorate session kill --user john       all of john's sessions, and his logins under way
  quorate session kill --id 5f0c1e7a     one session, as `quorate session list` shows it
  quorate session kill --all             everybody's

When the command is done, no node lets a request with one of these sessions pass any more.";

/// See who is logged in, and end sessions.
#[derive(Debug, Subcommand)]
pub(super) enum Session {
    /// List the sessions that count now, oldest first.
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// End sessions on every node.
    #[command(after_help = KILL_EXAMPLES)]
    Kill(Kill),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["user", "id", "all"])))]
pub(super) struct Kill {
    /// All sessions of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The session whose id begins so.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// All sessions of everybody.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    node: NodeArgs,
}

impl Session {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(List { user, node }) => {
                let filter = SessionFilter { user, id: None };
                let lines: Vec<SessionLine> = node.ask("/v1/session/list", &filter)?;
                node.print(&lines, |lines| table(lines))
            }
            Self::Kill(Kill { user, id, node, .. }) => {
                let filter = SessionFilter { user, id };
                let ended: Ended = node.ask("/v1/session/kill", &filter)?;
                node.print(&ended, |ended| match ended.ended {
                    1 => "1 session ended.\n".to_owned(),
                    many => format!("{many} sessions ended.\n"),
                })
            }
        }
    }
}

fn table(lines: &[SessionLine]) -> String {
    let width = lines
        .iter()
        .map(|line| line.user.chars().count())
        .max()
        .unwrap_or(0)
        .max(4);
    let mut text = format!(
        "{:<16}  {:<width$}  {:<7}  {:<20}  {:<20}  {:<20}  domain\n",
        "id", "user", "factors", "opened", "last used", "ends"
    );
    for line in lines {
        let _ = writeln!(
            text,
            "{:<16}  {:<width$}  {:<7}  {:<20}  {:<20}  {:<20}  {}",
            line.id,
            line.user,
            line.factors,
            time(line.opened_at_ms),
            time(line.seen_at_ms),
            time(line.expires_at_ms),
            line.domain
        );
    }
    text
}

/// Date and time in UTC, to the second.
pub(super) fn time(ms: u64) -> String {
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(ms));
    // `Mon, 23 Nov 2026 14:03:22 GMT` without weekday and zone.
    text.get(5..25).unwrap_or(&text).to_owned()
}
