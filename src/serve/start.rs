//! The steps of a start, each of which can fail with a message for the operator.

use std::io;
use std::sync::Arc;

use quorate_core::Command;
use quorate_raft::{ClusterConfig, Member, Node, NodeConfig, Secret, StartError};

use crate::admin::{self, AdminListener};
use crate::app::{self, App};
use crate::authn::file::UsersError;
use crate::authn::users::UserSource;
use crate::config::{self, Config, Listen, Place, Problem, Selection, Source, Surroundings};
use crate::http::listen::{Listener, Socket, resolve};
use crate::http::tls::{self, Acceptors, TlsError};

/// Log entries after which a snapshot is taken.
const SNAPSHOT_AFTER: u64 = 10_000;
/// Bytes of log after which one is taken all the same: under a flood of writes an entry holds hundreds of commands.
const LOG_BYTES_MAX: u64 = 32 << 20;

/// Why a node does not run. `Display` is for the operator; it may have many lines.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration, the rules or a file they name have mistakes; one line each.
    #[error("{} found:\n{}", count(.0), lines(.0))]
    Mistakes(Vec<Problem>),
    /// The certificate or key cannot be used.
    #[error("server.tls")]
    Tls(#[source] TlsError),
    /// A listener's address cannot be bound.
    #[error("{key}: cannot listen on {address}")]
    Bind {
        /// The key that names the address.
        key: &'static str,
        /// The address.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The log file cannot be opened.
    #[error("log.file_path: `{path}` cannot be opened")]
    LogFile {
        /// The file.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// Logging could not be started.
    #[error("logging cannot be started: {0}")]
    Logging(String),
    /// The replicated part could not start.
    #[error(transparent)]
    Start(StartError),
    /// The replicated part failed while running.
    #[error("this node has to stop: {0}")]
    Node(String),
    /// Signals could not be received.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
}

fn count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "1 mistake".to_owned(),
        many => format!("{many} mistakes"),
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("  {problem}"))
        .collect();
    lines.join("\n")
}

/// What files say, checked; nothing has been opened yet.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The users.
    pub users: UserSource,
}

/// Reads and checks everything that can be checked without a port or a data directory.
///
/// # Errors
/// [`Failure::Mistakes`] with all mistakes of the configuration and its rules, or else of the files it names: users,
/// certificate and key.
pub fn prepare(selection: &Selection) -> Result<Prepared, Failure> {
    let config = configuration(selection).map_err(Failure::Mistakes)?;
    let users = UserSource::load(&config.users);
    let mut problems = certificate_problem(&config);
    match users {
        Ok(users) if problems.is_empty() => return Ok(Prepared { config, users }),
        Ok(_) => {}
        Err(error) => problems.extend(users_problems(error)),
    }
    Err(Failure::Mistakes(problems))
}

/// What is wrong with the users file, for the operator.
pub(super) fn users_problems(error: UsersError) -> Vec<Problem> {
    match error {
        UsersError::Mistakes(mistakes) => mistakes,
        UsersError::Unreadable { path, source } => vec![Problem {
            place: Place::whole(path.display().to_string()),
            key: "authentication_backend.file.path".to_owned(),
            message: format!("names this file, and it cannot be read: {source}"),
            advice: "correct the path or the permissions".to_owned(),
        }],
    }
}

fn certificate_problem(config: &Config) -> Vec<Problem> {
    let Some(files) = &config.server.tls else {
        return Vec::new();
    };
    let acceptor = tls::acceptor(files);
    acceptor.err().map(tls_problem).into_iter().collect()
}

/// What is wrong with certificate and key, for the operator.
pub(super) fn tls_problem(error: TlsError) -> Problem {
    let (path, key, message, advice) = match error {
        TlsError::Unreadable { path, source } => (
            path,
            "server.tls",
            format!("names this file, and it cannot be read: {source}"),
            "correct the path or the permissions",
        ),
        TlsError::File { path, what, source } => (
            path,
            "server.tls",
            format!("names this file, and it holds no {what} in PEM form: {source}"),
            "`quorate certificates generate` makes both files",
        ),
        TlsError::Authority { path } => (
            path,
            "server.tls.client_certificates",
            "names this file, and it holds a certificate that is no authority's".to_owned(),
            "`quorate crypto certificate ecdsa generate --ca` makes an authority",
        ),
        TlsError::Pair {
            certificate,
            key,
            source,
        } => (
            key,
            "server.tls.key",
            format!(
                "does not fit the certificate in `{}`: {source}",
                certificate.display()
            ),
            "name two files that were made together",
        ),
    };
    Problem {
        place: Place::whole(path.display().to_string()),
        key: key.to_owned(),
        message,
        advice: advice.to_owned(),
    }
}

/// Reads and checks the configuration, without the files it names.
///
/// # Errors
/// All mistakes.
pub fn configuration(selection: &Selection) -> Result<Config, Vec<Problem>> {
    with_sources(selection, config::parse)
}

/// The texts of the configuration files after the filters, each with the name of its file.
///
/// # Errors
/// Every file that cannot be read, or every filter that failed.
pub fn rendered(selection: &Selection) -> Result<Vec<(String, String)>, Vec<Problem>> {
    with_sources(selection, |sources, surroundings| {
        let texts = config::rendered(sources, surroundings)?;
        let names = sources.iter().map(|source| source.file.clone());
        Ok(names.zip(texts).collect())
    })
}

fn with_sources<T>(
    selection: &Selection,
    done: impl FnOnce(&[Source], &Surroundings<'_>) -> Result<T, Vec<Problem>>,
) -> Result<T, Vec<Problem>> {
    let sources = config::read(&selection.files)?;
    let host_name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let surroundings = Surroundings {
        variables: std::env::vars().collect(),
        host_name: &host_name,
        read_file: &config::read_secret,
        filters: &selection.filters,
    };
    done(&sources, &surroundings)
}

/// Opens the main listener.
pub(super) async fn bind(config: &Config) -> Result<Listener, Failure> {
    let server = &config.server;
    let tls = match &server.tls {
        Some(files) => {
            let acceptor = tls::acceptor(files).map_err(Failure::Tls)?;
            Some(Arc::new(Acceptors::new(acceptor)))
        }
        None => None,
    };
    let socket = listen(&server.address, "server.address").await?;
    Ok(Listener {
        socket,
        tls,
        head_bytes_max: server.read_buffer_bytes,
        idle_max: server.timeouts.idle,
        proxy_protocol: server
            .proxy_protocol
            .then(|| server.trusted_proxies.clone()),
    })
}

/// Opens a listener beside the `main` one, if there is to be one; it shows the same certificate.
pub(super) async fn bind_beside(
    main: &Listener,
    address: Option<&Listen>,
    key: &'static str,
) -> Result<Option<Listener>, Failure> {
    let Some(address) = address else {
        return Ok(None);
    };
    let socket = listen(address, key).await?;
    Ok(Some(Listener {
        socket,
        tls: main.tls.clone(),
        head_bytes_max: main.head_bytes_max,
        idle_max: main.idle_max,
        proxy_protocol: None,
    }))
}

/// Opens the listener for metrics, if there is to be one, with its path.
pub(super) async fn bind_metrics(config: &Config) -> Result<Option<(Socket, String)>, Failure> {
    let Some(metrics) = &config.telemetry.metrics else {
        return Ok(None);
    };
    let socket = listen(&metrics.address, "telemetry.metrics.address").await?;
    Ok(Some((socket, metrics.path.clone())))
}

/// Opens the admin socket. A node goes on without it: what it is for can be done on another one.
pub(super) fn bind_admin(app: &App) -> Option<AdminListener> {
    let path = admin::socket(&app.config.cluster.data_dir);
    match AdminListener::bind(path.clone()) {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!(
                socket = %path.display(), %error,
                "the admin socket cannot be opened, so `quorate cluster` and `quorate session` find no node here"
            );
            None
        }
    }
}

async fn listen(address: &Listen, key: &'static str) -> Result<Socket, Failure> {
    Socket::bind(address).await.map_err(|source| Failure::Bind {
        key,
        address: address.to_string(),
        source,
    })
}

/// Starts the replicated part and puts the whole together.
pub(super) async fn app(prepared: Prepared) -> Result<App, Failure> {
    let Prepared { config, users } = prepared;
    let node = Node::start(node_config(&config).await?).await;
    let node = node.map_err(Failure::Start)?;
    Ok(App::new(config, node, users))
}

/// What the replicated part has to be told.
///
/// # Errors
/// [`Failure::Bind`] for an address that means nothing on this machine.
pub(crate) async fn node_config(config: &Config) -> Result<NodeConfig, Failure> {
    Ok(NodeConfig {
        name: config.cluster.name.clone(),
        data_dir: config.cluster.data_dir.clone(),
        cluster: cluster(config).await?,
        max_staleness: config.cluster.max_staleness,
        budget: app::budget(&config.regulation),
        snapshot_after: SNAPSHOT_AFTER,
        log_bytes_max: LOG_BYTES_MAX,
        command_set: command_set(),
    })
}

/// The newest set of commands that this node says it knows. In builds with debug assertions `QUORATE_PRETEND_SET` makes
/// it less, so that tests can run members of two versions side by side.
fn command_set() -> u32 {
    if cfg!(debug_assertions)
        && let Ok(pretended) = std::env::var("QUORATE_PRETEND_SET")
        && let Ok(set) = pretended.parse()
    {
        tracing::warn!(set, "this node behaves like an older version");
        return set;
    }
    Command::SET
}

async fn cluster(config: &Config) -> Result<Option<ClusterConfig>, Failure> {
    let (Some(secret), false) = (&config.cluster.secret, config.cluster.members.is_empty()) else {
        return Ok(None);
    };
    let failed = |source| Failure::Bind {
        key: "cluster.address",
        address: config.cluster.address.to_string(),
        source,
    };
    let Listen::Tcp(host, port) = &config.cluster.address else {
        return Err(failed(io::Error::new(
            io::ErrorKind::Unsupported,
            "nodes talk over TCP only",
        )));
    };
    let listen = resolve(host, *port).await.map_err(failed)?;
    let member = |member: &crate::config::Member| Member {
        name: member.name.clone(),
        address: member.address.clone(),
    };
    Ok(Some(ClusterConfig {
        listen,
        advertise: config.cluster.advertise.clone(),
        members: config.cluster.members.iter().map(member).collect(),
        secret: Secret::new(secret.reveal().as_bytes().to_vec()),
    }))
}
