//! The configuration: from files and environment variables to validated values, all mistakes at once.
//!
//! It takes Authelia's `configuration.yml` as it is, and a `cluster` section of our own. A key that is not known, or
//! that asks for something that is not there, is an answer with file, line and what to write instead; nothing is
//! passed over in silence. What rules of access control mean is known to `quorate_core::access` alone.
//!
//! The steps, each in a file of its own: `yaml` (text to located tree), `env` (variables over it), `rename` (older
//! names), `check` (against `schema`), `build` (defaults and what keys mean together), `digest`.

mod build;
mod check;
mod digest;
mod env;
mod node;
mod place;
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

pub use env::ReadFile;
pub use place::{Notice, Place, Problem};
pub use schema::{Key, Kind, Status, schema};
pub use secret::Secret;
pub use source::{Source, read, read_secret};
pub use types::{
    AccessControl, Argon2Params, Argon2Variant, AuthnStrategy, AuthzEndpoint, ClusterConfig,
    Config, CookieDomain, Implementation, Listen, Log, LogFormat, LogLevel, Member, Metrics,
    PortalUrl, Refresh, Regulation, RegulationModes, SameSite, Scheme, Server, Sessions, Storage,
    StrategyKind, Telemetry, Theme, Timeouts, TlsFiles, UsersFile,
};

pub(crate) use node::{Body, Node};
pub(crate) use place::{Findings, nearest};
pub(crate) use view::View;

/// What a configuration depends on besides its files.
pub struct Surroundings<'a> {
    /// The environment variables; those without our prefixes are passed over.
    pub variables: Vec<(String, String)>,
    /// The host's name, which is the default of `cluster.name`.
    pub host_name: &'a str,
    /// How to read the file that a `_FILE` variable names; usually [`read_secret`].
    pub read_file: ReadFile<'a>,
}

/// Parses an already read users file or configuration into its located tree. Mistakes go to `findings`.
pub(crate) fn tree(text: &str, file: &str, findings: &mut Findings) -> Option<Node> {
    yaml::parse(text, file, findings)
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
    for source in sources {
        let Some(node) = tree(&source.text, &source.file, &mut findings) else {
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
        mut problems,
        mut notices,
    } = findings;
    notices.sort_by_key(|notice| rank(&notice.place, sources));
    problems.sort_by_key(|problem| rank(&problem.place, sources));
    problems.dedup();
    match config.filter(|_| problems.is_empty()) {
        Some(config) => Ok(Config {
            digest: digest::digest(&config),
            notices,
            ..config
        }),
        None => Err(problems),
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
    if two_factor_in_use {
        let message =
            "asks for two factors, and there is no second factor yet: nobody passes there";
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
        telemetry: build::small::telemetry(&root.get("telemetry")),
        storage,
        cluster,
        two_factor_in_use,
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
