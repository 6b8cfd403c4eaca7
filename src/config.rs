//! The configuration: from files and environment variables to validated values, all mistakes at once.
//!
//! It takes Authelia's `configuration.yml` as it is, and a `cluster` section of our own. A key that is not known, or
//! that asks for something that is not there, is an answer with file, line and what to write instead; nothing is
//! passed over in silence. What rules of access control mean is known to `quorate_core::access` alone.
//!
//! The steps, each in a file of its own: `filter` (templates), `yaml` (text to located tree), `env` (variables over it), `rename` (older
//! names), `check` (against `schema`), `build` (defaults and what keys mean together), `digest`.

mod build;
mod check;
mod digest;
mod env;
mod filter;
mod node;
mod place;
pub(crate) mod reference;
mod rename;
mod schema;
mod secret;
mod source;
mod types;
mod value;
mod view;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use build::small::totp_algorithm;
pub use env::ReadFile;
pub use filter::Filter;
pub use place::{Notice, Place, Problem};
pub use schema::{Key, Kind, Status, schema};
pub use secret::Secret;
pub use source::{Selection, Source, read, read_secret};
pub use types::{
    AccessControl, AuthnStrategy, AuthzEndpoint, ClusterConfig, Config, CookieDomain,
    Implementation, Listen, Log, LogFormat, LogLevel, Member, Metrics, PasswordPolicy, PortalUrl,
    RateLimit, RateLimits, Reads, Refresh, Regulation, RegulationModes, SameSite, Scheme, Server,
    Sessions, Storage, StrategyKind, Telemetry, Theme, Timeouts, TlsFiles, UserBackend, UsersFile,
};
pub(crate) use value::duration;

pub(crate) use node::{Body, Node};
pub(crate) use place::{Findings, nearest};
pub(crate) use view::View;

/// What a configuration depends on besides its files.
pub struct Surroundings<'a> {
    /// The environment variables; those without our prefixes are passed over.
    pub variables: Vec<(String, String)>,
    /// The host's name, which is the default of `cluster.name`.
    pub host_name: &'a str,
    /// How to read the file that a `_FILE` variable or a template names; usually [`read_secret`].
    pub read_file: ReadFile<'a>,
    /// What every configuration file goes through before it is read, in this order.
    pub filters: &'a [Filter],
}

/// Parses an already read users file or configuration into its located tree. Mistakes go to `findings`.
pub(crate) fn tree(text: &str, file: &str, findings: &mut Findings) -> Option<Node> {
    yaml::parse(text, file, &[], findings)
}

/// Validates a configuration made of `sources`, the later laid over the earlier, and of environment variables.
///
/// Pure but for `surroundings.read_file`. Maps merge key by key; lists and single values are replaced.
///
/// # Errors
/// Every mistake found, in the order of files and lines. There is no configuration then: nothing may start with half
/// of one.
pub fn parse(sources: &[Source], surroundings: &Surroundings<'_>) -> Result<Config, Vec<Problem>> {
    let mut findings = Findings::default();
    let mut root: Option<Node> = None;
    let mut are_all_yaml = true;
    for source in sources {
        let Some(node) = filtered_tree(source, surroundings, &mut findings) else {
            are_all_yaml = false;
            continue;
        };
        if source.world_readable {
            exposed(&node, &mut findings);
        }
        match &mut root {
            Some(root) => root.merge(node),
            None => root = Some(node),
        }
    }
    if !are_all_yaml {
        // What such a file holds is not known: whatever is missing may stand there.
        return Err(in_order(findings.problems, sources));
    }
    let whole = sources
        .first()
        .map_or("configuration", |source| &source.file);
    let mut root = root.unwrap_or_else(|| empty(whole));
    if root.is_null() {
        root = empty(whole);
    }
    let variables = surroundings.variables.iter().cloned();
    env::overlay(&mut root, variables, surroundings.read_file, &mut findings);
    rename::rename(&mut root, &mut findings);
    check::check(&root, &mut findings);
    // What is missing from the top level is missing from the file, not from its first line.
    root.at = Place::whole(whole);
    let config = build(&View::of(&root), surroundings.host_name, &mut findings);
    let Findings {
        problems,
        mut notices,
    } = findings;
    notices.sort_by_key(|notice| rank(&notice.place, sources));
    let problems = in_order(problems, sources);
    match config.filter(|_| problems.is_empty()) {
        Some(config) => Ok(Config {
            digest: digest::digest(&config),
            notices,
            ..config
        }),
        None => Err(problems),
    }
}

fn in_order(mut problems: Vec<Problem>, sources: &[Source]) -> Vec<Problem> {
    problems.sort_by_key(|problem| rank(&problem.place, sources));
    problems.dedup();
    problems
}

fn filtered_tree(
    source: &Source,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Node> {
    let filtered = filtered(source, surroundings, findings)?;
    yaml::parse(&filtered.text, &source.file, &filtered.lines, findings)
}

fn filtered(
    source: &Source,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<filter::Filtered> {
    let outside = filter::Outside {
        variables: &surroundings.variables.iter().cloned().collect(),
        read: surroundings.read_file,
    };
    filter::apply(surroundings.filters, source, &outside, findings)
}

/// The texts of `sources` after the filters: what will be read as YAML.
///
/// # Errors
/// Every filter that failed.
pub fn rendered(
    sources: &[Source],
    surroundings: &Surroundings<'_>,
) -> Result<Vec<String>, Vec<Problem>> {
    let mut findings = Findings::default();
    let texts = sources
        .iter()
        .filter_map(|source| filtered(source, surroundings, &mut findings))
        .map(|filtered| filtered.text)
        .collect();
    match findings.problems.is_empty() {
        true => Ok(texts),
        false => Err(findings.problems),
    }
}

fn empty(file: &str) -> Node {
    Node {
        at: Place::whole(file),
        body: Body::Map(Vec::new()),
    }
}

/// Builds every section, so that the mistakes of all are found; `None` only after a problem was reported.
fn build(root: &View<'_>, host_name: &str, findings: &mut Findings) -> Option<Config> {
    let storage = build::small::storage(&root.get("storage"), findings);
    let redirection = root.get("default_redirection_url");
    let (rules, definitions) = (root.get("access_control"), root.get("definitions"));
    let access = build::access::access(&rules, &definitions, findings);
    let server = build::server::server(&root.get("server"), findings);
    let session = build::session::sessions(&root.get("session"), &redirection, findings);
    let users = build::users::users(&root.get("authentication_backend"), findings);
    let regulation = build::small::regulation(&root.get("regulation"), findings);
    let cluster = build::cluster::cluster(&root.get("cluster"), &storage, host_name, findings);
    let access = access?;
    let two_factor_in_use = access.policy.needs_two_factor_anywhere();
    build::small::notifier(
        &root.get("notifier"),
        &root.get("authentication_backend"),
        findings,
    );
    let password_policy = build::small::password_policy(&root.get("password_policy"), findings);
    let totp = build::small::totp(&root.get("totp"), findings);
    if two_factor_in_use && totp.is_disabled {
        let message =
            "asks for two factors, and `totp.disable` leaves no second one: nobody passes there";
        findings.notice(rules.at, "access_control", message);
    }
    Some(Config {
        server,
        log: build::small::log(&root.get("log")),
        theme: build::small::theme(&root.get("theme")),
        session,
        access,
        users,
        regulation,
        totp,
        password_policy,
        telemetry: build::small::telemetry(&root.get("telemetry")),
        storage,
        cluster,
        notices: Vec::new(),
        digest: [0; 32],
    })
}

/// A notice if secrets stand in a file that every user of the machine may read.
fn exposed(node: &Node, findings: &mut Findings) {
    let secret = schema()
        .iter()
        .filter(|key| key.kind == Kind::Secret && !key.path.contains(['[', '*']))
        .find_map(|key| {
            Some((
                key.path,
                node.find(key.path).filter(|node| !node.is_null())?,
            ))
        });
    if let Some((path, node)) = secret {
        let message = format!(
            "every user of this machine may read this secret; `chmod o-r {}`",
            node.at.file
        );
        findings.notice(&node.at, path, message);
    }
}

/// By source, line and column; what is missing from a whole file comes after what is wrong in it, and variables
/// come last.
fn rank(place: &Place, sources: &[Source]) -> (usize, bool, u32, u32) {
    let source = sources
        .iter()
        .position(|source| *source.file == *place.file);
    let source = source.unwrap_or(sources.len());
    (source, place.line == 0, place.line, place.column)
}
