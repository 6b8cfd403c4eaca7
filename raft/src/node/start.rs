//! How a node comes up: checks, port, data directory, Raft, tasks, in this order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::settings::settings;
use super::{Inner, Node, lead};
use crate::census::{self, Census};
use crate::clock::wall_time;
use crate::config::is_member_name;
use crate::election::{self, Election};
use crate::formation::{self, Formation, look_for_strangers};
use crate::freshness::Freshness;
use crate::lease::Incarnation;
use crate::log::Repeated;
use crate::proposer::{Proposer, Queue};
use crate::read::ReadRounds;
use crate::store::{self, OpenError, Opened, Options};
use crate::transport::authority::{Authority, AuthorityError, RENEW_AFTER};
use crate::transport::listener;
use crate::transport::message::ClusterId;
use crate::transport::network::Network;
use crate::transport::peers::Peers;
use crate::versions::Versions;
use crate::vote_watch::VoteWatch;
use crate::{ClusterConfig, Member, NodeConfig, expiry, random, read, trim};

/// How long a cluster of one may take to lead itself before `start` returns all the same.
const LONE_START: Duration = Duration::from_secs(5);

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The name, or a member's name, is not one.
    #[error(
        "`{name}` cannot be a member's name; it needs 1 to 63 letters, digits, `-`, `_` or `.` (`cluster.name`, \
         `cluster.members`)"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two members have the same name.
    #[error(
        "two members are named `{name}`; every member needs a name of its own (`cluster.members`)"
    )]
    SameName {
        /// The name.
        name: String,
    },
    /// The node-to-node listener could not bind.
    #[error(
        "cannot listen on {address} for the other members; is another process using the port? (`cluster.address`)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The secret is none, or TLS cannot be set up.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Raft did not start.
    #[error("Raft did not start on the data directory `{}`: {cause}", data_dir.display())]
    Raft {
        /// The data directory.
        data_dir: PathBuf,
        /// What Raft says.
        cause: String,
    },
}

/// See [`Node::start`].
pub(super) async fn start(config: NodeConfig) -> Result<Node, StartError> {
    check_names(&config)?;
    let listener = match &config.cluster {
        Some(cluster) => Some(bind(cluster.listen).await?),
        None => None,
    };
    let authority = match &config.cluster {
        Some(cluster) => Some(Arc::new(Authority::new(
            &cluster.secret,
            &config.name,
            wall_time(),
        )?)),
        None => None,
    };
    let opened = open_store(&config).await?;
    let life = random::incarnation();
    let peers = peers(&config, authority, &opened, listener.as_ref(), life);
    let peers = Arc::new(peers);
    let (inner, queue, rounds, fatal) =
        start_raft(&config, opened, (peers, life), &listener).await?;
    let node = Node(Arc::new(inner));
    let inner = &node.0;
    let freshness = Arc::clone(&inner.freshness);
    inner.spawn("the proposer", queue.run());
    inner.spawn("the read rounds", read::run(rounds, Arc::clone(inner)));
    inner.spawn("the clean-up", expiry::run(Arc::clone(inner)));
    inner.spawn(
        "the trimming of the log",
        trim::run(Arc::clone(inner), config.log_bytes_max),
    );
    inner.spawn(
        "the leader's watch",
        lead::watch_elections(Arc::clone(inner)),
    );
    inner.spawn("the leader's round", lead::tend(Arc::clone(inner)));
    inner.spawn("the heartbeats", lead::beat(Arc::clone(inner)));
    inner.spawn("the elections", election::run(Arc::clone(inner)));
    inner.spawn(
        "the reports",
        lead::report(Arc::clone(inner), freshness.revoking()),
    );
    inner.spawn(
        "the failure watch",
        watch_failures(Arc::clone(inner), fatal),
    );
    if let (Some((listener, _)), Some(authority)) = (listener, &inner.peers.authority) {
        let acceptor = TlsAcceptor::from(Arc::clone(&authority.server));
        let serving = listener::serve(listener, acceptor, Arc::clone(inner));
        inner.spawn("the listener", serving);
        inner.spawn("the certificate renewal", renew(Arc::clone(authority)));
        inner.spawn("the look-out", look_for_strangers(Arc::clone(inner)));
        inner.spawn("the census", census::run(Arc::clone(inner)));
    }
    begin(&node).await;
    Ok(node)
}

fn check_names(config: &NodeConfig) -> Result<(), StartError> {
    let members = config.cluster.iter().flat_map(|cluster| &cluster.members);
    let mut names: Vec<&str> = members.map(|member| member.name.as_str()).collect();
    let mut all = names.iter().copied().chain([config.name.as_str()]);
    if let Some(name) = all.find(|name| !is_member_name(name)) {
        let name = name.to_owned();
        return Err(StartError::Name { name });
    }
    names.sort_unstable_by_key(|name| name.to_ascii_lowercase());
    for pair in names.windows(2) {
        if let [one, other] = pair
            && one.eq_ignore_ascii_case(other)
        {
            let name = (*one).to_owned();
            return Err(StartError::SameName { name });
        }
    }
    Ok(())
}

/// The listener and the address it is really bound to.
async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn open_store(config: &NodeConfig) -> Result<Opened, StartError> {
    let (data_dir, options) = (
        config.data_dir.clone(),
        Options {
            name: config.name.clone(),
            node_id_if_new: random::node_id(),
            ballast_bytes: Options::BALLAST_BYTES,
        },
    );
    let opened = tokio::task::spawn_blocking(move || store::open(&data_dir, &options)).await;
    let opened = opened.map_err(|error| StartError::Raft {
        data_dir: config.data_dir.clone(),
        cause: error.to_string(),
    })??;
    opened.check_set(config.command_set, &config.data_dir)?;
    Ok(opened)
}

fn peers(
    config: &NodeConfig,
    authority: Option<Arc<Authority>>,
    opened: &Opened,
    listener: Option<&(TcpListener, SocketAddr)>,
    life: Incarnation,
) -> Peers {
    let cluster: Option<&ClusterConfig> = config.cluster.as_ref();
    let address = match (cluster, listener) {
        (Some(cluster), _) if !cluster.advertise.is_empty() => cluster.advertise.clone(),
        (_, Some((_, bound))) => bound.to_string(),
        _ => String::new(),
    };
    let member = Member {
        name: config.name.clone(),
        address,
    };
    let configured = cluster.map(|cluster| cluster.members.clone());
    let versions = Versions::new(config.command_set, opened.machine.reader());
    Peers::new(
        opened.identity.node_id(),
        member,
        configured.unwrap_or_default(),
        authority,
        opened.identity.cluster_id().map(ClusterId),
        (life, versions),
    )
}

type Rounds = tokio::sync::mpsc::Receiver<tokio::sync::oneshot::Sender<Result<u64, String>>>;

async fn start_raft(
    config: &NodeConfig,
    opened: Opened,
    (peers, life): (Arc<Peers>, Incarnation),
    listener: &Option<(TcpListener, SocketAddr)>,
) -> Result<(Inner, Queue, Rounds, store::Fatal), StartError> {
    let (reader, applied) = (opened.machine.reader(), opened.machine.applied());
    let views = opened.machine.views();
    let freshness = Arc::new(Freshness::new(
        peers.node,
        life,
        config.max_staleness,
        applied.clone(),
    ));
    let network = Network {
        peers: Arc::clone(&peers),
        freshness: Arc::clone(&freshness),
    };
    let log = VoteWatch::new(opened.log, Arc::clone(&freshness));
    let failed = |cause: String| StartError::Raft {
        data_dir: config.data_dir.clone(),
        cause,
    };
    let settings = settings(config).map_err(|error| failed(error.to_string()))?;
    let raft = openraft::Raft::new(peers.node, Arc::new(settings), network, log, opened.machine);
    let raft = raft.await.map_err(|error| failed(error.to_string()))?;
    freshness.attach(raft.server_metrics());
    let (proposer, queue) = Proposer::new(raft.clone(), Arc::clone(&freshness));
    let (reads, rounds) = ReadRounds::new();
    let inner = Inner {
        raft,
        peers,
        freshness,
        proposer,
        reads,
        reader,
        views,
        budget: config.budget,
        identity: opened.identity,
        formation: watch::Sender::new(Formation::Asking {
            waiting_for: Vec::new(),
        }),
        election: Election::default(),
        census: Census::default(),
        membership_turn: tokio::sync::Mutex::new(()),
        complaint: Repeated::default(),
        max_staleness: config.max_staleness,
        applied,
        outcomes: super::outcome::Outcomes::default(),
        store_metrics: opened.metrics,
        listening: listener.as_ref().map(|(_, bound)| *bound),
        is_leaving: AtomicBool::new(false),
        is_handing_over: AtomicBool::new(false),
        vote_wanted: Mutex::default(),
        failure: watch::Sender::new(None),
        tasks: Mutex::default(),
    };
    Ok((inner, queue, rounds, opened.fatal))
}

/// What has to happen before the node is of use: a cluster of one leads itself at once, others go on in the background.
async fn begin(node: &Node) {
    let inner = &node.0;
    let is_lone = inner
        .peers
        .configured
        .iter()
        .all(|m| m.name == inner.peers.member.name);
    if !is_lone || (inner.is_member() && !inner.is_only_voter()) {
        if inner.peers.authority.is_none() {
            tracing::warn!(
                "the data directory belongs to a cluster of several members, but none is configured (`cluster`); this \
                 node cannot decide anything alone"
            );
        }
        inner.spawn("the formation", formation::run(Arc::clone(inner)));
        return;
    }
    if inner.is_member() {
        // Alone, it need not wait for an election timeout. If it fails, the timeout comes.
        let _ = inner.raft.trigger().elect().await;
    }
    let leading = async {
        formation::run(Arc::clone(inner)).await;
        // Until it has won its election and applied everything there is.
        while !inner.freshness.may_read() {
            inner.freshness.tick();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(LONE_START, leading).await.is_err() {
        inner.spawn("the formation", formation::run(Arc::clone(inner)));
    }
}

async fn renew(authority: Arc<Authority>) {
    loop {
        tokio::time::sleep(RENEW_AFTER).await;
        if let Err(error) = authority.renew(wall_time()) {
            tracing::warn!(%error, "the certificate for the other members could not be renewed");
        }
    }
}

/// Makes a dead storage or a dead Raft the end of the node.
async fn watch_failures(node: Arc<Inner>, mut fatal: store::Fatal) {
    let mut metrics = node.raft.metrics();
    let raft = async move {
        match metrics
            .wait_for(|metrics| metrics.running_state.is_err())
            .await
        {
            Ok(metrics) => match &metrics.running_state {
                Err(fatal) => fatal.to_string(),
                Ok(()) => String::new(),
            },
            Err(_) => "it ended without saying why".to_owned(),
        }
    };
    let cause = tokio::select! {
        cause = fatal.wait() => cause.to_string(),
        cause = raft => format!("Raft has stopped: {cause}"),
    };
    if !node.is_leaving.load(std::sync::atomic::Ordering::Acquire) {
        node.fail(cause);
    }
}

impl Inner {
    /// Runs a task for as long as the node runs. One that ends by a panic is the end of the node.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = tokio::spawn(task);
        self.tasks().push(task.abort_handle());
        let node = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = task.await
                && error.is_panic()
            {
                node.fail(format!("{name} ended by a panic"));
            }
        });
    }

    fn is_only_voter(&self) -> bool {
        let membership = self.membership();
        let mut voters = membership.membership().voter_ids();
        voters.all(|id| id == self.peers.node)
    }
}
