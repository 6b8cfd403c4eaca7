//! `quorate access-control check-policy`: how the rules of a configuration judge one request, criterion by criterion.
//!
//! It asks the same compiled rules that a node asks; nothing is decided here.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;

use clap::{Args, Subcommand};
use quorate_core::access::{Check, Decision, Identity, RuleTrace, Target};

use super::config::ConfigFiles;
use super::failure::{Failure, cannot_print};
use crate::config::Config;
use crate::http::authz::client::UNKNOWN;

const EXAMPLES: &str = "\
Examples:
  quorate access-control check-policy --config configuration.yml --url https://app.example.com
  quorate access-control check-policy --url https://app.example.com/admin --username john --groups admins,dev
  quorate access-control check-policy --url https://app.example.com/api --method POST --ip 192.0.2.7 --verbose

In the table: `*` the rule that decides; `hit`, `miss`; `may` shows after a login; `-` the rule does not ask.";

/// Look at access rules.
#[derive(Debug, Subcommand)]
pub(super) enum AccessControl {
    /// Show which rule decides about a request, and why the rules before it do not.
    #[command(after_help = EXAMPLES)]
    CheckPolicy(CheckPolicy),
}

#[derive(Debug, Args)]
pub(super) struct CheckPolicy {
    #[command(flatten)]
    config: ConfigFiles,
    /// The page: an absolute https or wss URL.
    #[arg(long)]
    url: String,
    /// The method of the request.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Who asks; without it, a visitor who has not logged in.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The groups of who asks; repeat it or separate several with commas.
    #[arg(
        long,
        value_name = "GROUPS",
        value_delimiter = ',',
        requires = "username"
    )]
    groups: Vec<String>,
    /// The address the request comes from; without it, one that is in no network.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// Show the rules behind the one that decides as well.
    #[arg(long)]
    verbose: bool,
}

impl AccessControl {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self::CheckPolicy(command) = self;
        let config = command.config.read()?;
        let text = command.judge(&config)?;
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(cannot_print)
    }
}

impl CheckPolicy {
    fn judge(&self, config: &Config) -> Result<String, Failure> {
        let method = self.method.to_uppercase();
        let target = Target::from_url(self.url.as_bytes(), method.as_bytes())
            .map_err(|wrong| Failure::Usage(format!("--url `{}`: {wrong}", self.url)))?;
        let identity = self.username.as_deref().map(|user| Identity {
            user,
            groups: &self.groups,
        });
        let client = self.ip.map_or(UNKNOWN, |ip| ip.to_canonical());
        let policy = &config.access.policy;
        let decision = policy.decide(identity.as_ref(), &target, client);
        let traces = policy.explain(identity.as_ref(), &target, client);
        let mut text = self.asked(&method) + &table(&traces, self.verbose);
        text += &self.outcome(&decision, config);
        let host = target.host().lower();
        if !config
            .session
            .cookies
            .iter()
            .any(|cookie| cookie.covers(host))
        {
            text.push_str(
                "No entry of `session.cookies` covers this host: a proxy that asks about it is answered 400.\n",
            );
        }
        Ok(text)
    }

    fn asked(&self, method: &str) -> String {
        let mut text = format!("Request: {method} {}", self.url);
        match &self.username {
            Some(user) if self.groups.is_empty() => {
                let _ = write!(text, " by `{user}`");
            }
            Some(user) => {
                let _ = write!(text, " by `{user}` of {}", self.groups.join(", "));
            }
            None => text.push_str(" by nobody known"),
        }
        if let Some(ip) = self.ip {
            let _ = write!(text, " from {ip}");
        }
        text + "\n\n"
    }

    fn outcome(&self, decision: &Decision, config: &Config) -> String {
        let policy = decision.requirement.as_str();
        let mut text = match decision.rule {
            Some(rule) => format!(
                "\nPolicy `{policy}` applies, from rule {} ({}).\n",
                rule + 1,
                config.access.place(rule, "")
            ),
            None => format!(
                "\nPolicy `{policy}` applies, from `access_control.default_policy`: no rule matches.\n"
            ),
        };
        if decision.depends_on_subject && self.username.is_none() {
            text.push_str(
                "The rule asks who the visitor is: they are sent to log in, and the rules are asked again then.\n",
            );
        }
        text
    }
}

fn table(traces: &[RuleTrace], is_verbose: bool) -> String {
    let mut text = String::new();
    let row = |text: &mut String, mark: &str, number: &str, cells: [&str; 6], policy: &str| {
        let [domain, resources, query, method, network, subject] = cells;
        let _ = writeln!(
            text,
            "{mark} {number:>3}  {domain:<6}  {resources:<8}  {query:<5}  {method:<6}  {network:<7}  {subject:<7}  {policy}"
        );
    };
    if traces.is_empty() {
        return "There are no rules.\n".to_owned();
    }
    let head = [
        "domain", "resource", "query", "method", "network", "subject",
    ];
    row(&mut text, " ", "#", head, "policy");
    for trace in traces {
        let cells = [
            trace.domain,
            trace.resources,
            trace.query,
            trace.methods,
            trace.networks,
            trace.subject,
        ]
        .map(cell);
        let mark = if trace.decides { "*" } else { " " };
        let number = (trace.rule + 1).to_string();
        row(&mut text, mark, &number, cells, trace.requirement.as_str());
        if trace.decides && !is_verbose {
            break;
        }
    }
    text
}

fn cell(check: Check) -> &'static str {
    match check {
        Check::Unset => "-",
        Check::Hit => "hit",
        Check::Miss => "miss",
        Check::AfterLogin => "may",
    }
}
