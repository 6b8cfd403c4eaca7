//! The test stand: clusters of named nodes that can be started, killed, wiped and waited for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use quorate_core::{
    Budget, Command, Level, NewSession, Reply, RequestId, ReservationId, SessionKey, UserName,
};
use quorate_raft::{
    Change, ChangeError, Changed, ClusterConfig, Committed, Formation, Member, Node, NodeConfig,
    ProposeError, Role, Secret, StartError, Status,
};
use tokio::runtime::Runtime;

/// The longest any wait for a state may take. A loaded machine needs some patience; a healthy one is far quicker.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const BUDGET: Budget = Budget {
    guesses_max: 5,
    window_ms: 600_000,
    ban_ms: 600_000,
    reservation_ms: 600_000,
};

/// The names and addresses of one cluster, its directories, and what runs of it.
pub(crate) struct Cluster {
    pub(crate) members: Vec<Member>,
    /// Those in every node's configuration.
    listed: Vec<Member>,
    pub(crate) secret: String,
    pub(crate) snapshot_after: u64,
    pub(crate) log_bytes_max: u64,
    dir: tempfile::TempDir,
    running: BTreeMap<String, Running>,
}

/// One node and the runtime it lives on.
pub(crate) struct Running {
    pub(crate) node: Node,
    runtime: Runtime,
}

impl Cluster {
    /// `count` members `n1`, `n2`, … at addresses nobody else has; none runs yet.
    pub(crate) fn new(count: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        logs();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // All of 127.0.0.0/8 is this machine: a network per test and process instead of luck with free ports.
        let (high, low) = (std::process::id() % 250 + 1, number % 250 + 1);
        let members: Vec<Member> = (1..=count)
            .map(|n| Member {
                name: format!("n{n}"),
                address: format!("127.{high}.{low}.{n}:9092"),
            })
            .collect();
        Self {
            listed: members.clone(),
            members,
            secret: format!("the secret of test cluster {number}"),
            snapshot_after: 10_000,
            log_bytes_max: 32 << 20,
            dir: tempfile::tempdir().unwrap(),
            running: BTreeMap::new(),
        }
    }

    /// A cluster of `count` that has formed.
    pub(crate) fn formed(count: usize) -> Self {
        let mut cluster = Self::new(count);
        for name in cluster.names() {
            cluster.start(&name);
        }
        cluster.wait_until_all_are_members();
        cluster
    }

    /// Starts one more node, which no configuration lists; its name and address.
    pub(crate) fn start_newcomer(&mut self) -> Member {
        let number = self.members.len() + 1;
        let first = self.members.first().unwrap().address.clone();
        let network = first.strip_suffix("1:9092").unwrap();
        let newcomer = Member {
            name: format!("n{number}"),
            address: format!("{network}{number}:9092"),
        };
        self.members.push(newcomer.clone());
        self.start(&newcomer.name);
        newcomer
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.members.iter().map(|m| m.name.clone()).collect()
    }

    pub(crate) fn data_dir(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self, name: &str) -> NodeConfig {
        let member = self.members.iter().find(|m| m.name == name).unwrap();
        NodeConfig {
            name: name.to_owned(),
            data_dir: self.data_dir(name),
            cluster: Some(ClusterConfig {
                listen: member.address.parse().unwrap(),
                advertise: member.address.clone(),
                members: self.listed.clone(),
                secret: Secret::new(self.secret.clone().into_bytes()),
            }),
            max_staleness: Duration::from_secs(3),
            budget: BUDGET,
            snapshot_after: self.snapshot_after,
            log_bytes_max: self.log_bytes_max,
            command_set: Command::SET,
        }
    }

    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        let member = self.members.iter().find(|m| m.name == name).unwrap();
        member.address.parse().unwrap()
    }

    pub(crate) fn start(&mut self, name: &str) {
        let running = Running::start(self.config(name)).expect("the node starts");
        self.running.insert(name.to_owned(), running);
    }

    /// The end of a node as `kill -9` makes it: nothing is said to anybody.
    pub(crate) fn kill(&mut self, name: &str) {
        let Running { node, runtime } = self.running.remove(name).expect("the node runs");
        drop(node);
        // Every task is dropped where it stands; the wait is for the disk to be let go of.
        runtime.shutdown_timeout(PATIENCE);
    }

    /// The orderly end.
    pub(crate) fn stop(&mut self, name: &str) {
        let running = self.running.remove(name).expect("the node runs");
        let node = running.node.clone();
        running.on(async move { node.shutdown().await });
    }

    pub(crate) fn wipe(&self, name: &str) {
        std::fs::remove_dir_all(self.data_dir(name)).unwrap();
    }

    pub(crate) fn node(&self, name: &str) -> &Running {
        self.running.get(name).expect("the node runs")
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &Running> {
        self.running.values()
    }

    /// Waits until one leads and every running node follows it; says who.
    pub(crate) fn wait_for_leader(&self) -> String {
        wait_for("a leader that all running nodes follow", || {
            let mut leaders = self.running().map(|r| r.node.status().leader);
            let first = leaders.next()??;
            leaders
                .all(|other| other.as_ref() == Some(&first))
                .then_some(())?;
            let leads = self.running.get(&first)?.node.status().role == Role::Leader;
            leads.then_some(first)
        })
    }

    /// A running node that does not lead.
    pub(crate) fn follower(&self) -> String {
        let leader = self.wait_for_leader();
        let mut names = self.running.keys();
        names.find(|name| **name != leader).unwrap().clone()
    }

    pub(crate) fn wait_until_all_are_members(&self) {
        wait_for("all running nodes to be members", || {
            let mut statuses = self.running().map(|r| r.node.status());
            statuses
                .all(|s| is_settled(&s, self.members.len()))
                .then_some(())
        });
        self.wait_for_leader();
    }

    /// Waits until every running node has applied `index`.
    pub(crate) fn wait_until_applied_everywhere(&self, index: u64) {
        wait_for("every node to apply the newest entry", || {
            self.running()
                .all(|r| r.node.applied() >= index)
                .then_some(())
        });
    }
}

/// A member of a cluster with so many voters.
fn is_settled(status: &Status, voters: usize) -> bool {
    let voting = status
        .members
        .iter()
        .filter(|m| m.suffrage == quorate_raft::Suffrage::Voter)
        .count();
    status.formation == Formation::Member && voting == voters && status.members.len() == voters
}

impl Running {
    pub(crate) fn start(config: NodeConfig) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let node = runtime.block_on(Node::start(config))?;
        Ok(Self { node, runtime })
    }

    /// Runs something on the node's own runtime, so that it dies with the node.
    pub(crate) fn on<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.runtime.spawn(work)).unwrap()
    }

    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    pub(crate) fn propose(&self, command: Command) -> Result<Committed, ProposeError> {
        self.propose_as(request_id(), command)
    }

    pub(crate) fn propose_as(
        &self,
        id: RequestId,
        command: Command,
    ) -> Result<Committed, ProposeError> {
        let node = self.node.clone();
        self.on(async move { node.propose(id, command).await })
    }

    /// Opens a session of `user` and returns its key and log index.
    pub(crate) fn open_session(&self, user: &str) -> (SessionKey, u64) {
        let (key, command) = open_session(user);
        let committed = self.propose(command).expect("a session can be opened");
        assert_eq!(committed.reply, Reply::Done);
        (key, committed.index)
    }

    pub(crate) fn change(&self, change: Change) -> Result<Changed, ChangeError> {
        let node = self.node.clone();
        self.on(async move { node.change_members(change, false).await })
    }

    /// Ends a session and says how long the reply took.
    pub(crate) fn end_session(&self, key: SessionKey) -> Duration {
        let begun = Instant::now();
        let ended = self.propose(Command::EndSession { key });
        assert_eq!(ended.unwrap().reply, Reply::Ended { count: 1 });
        begun.elapsed()
    }

    pub(crate) fn has_session(&self, key: &SessionKey) -> bool {
        self.node.reader().session(key).is_some()
    }
}

pub(crate) fn request_id() -> RequestId {
    RequestId(unique())
}

pub(crate) fn unique() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (u128::from(std::process::id()) << 64) | u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn open_session(user: &str) -> (SessionKey, Command) {
    let key = SessionKey::of_token(&format!("{user} {}", unique()));
    let command = Command::OpenSession {
        key,
        replaces: None,
        session: NewSession {
            user: UserName::parse(user).unwrap(),
            domain: "example.com".to_owned(),
            level: Level::OneFactor,
            lifetime_ms: 3_600_000,
            inactivity_ms: None,
        },
        reservation: ReservationId(unique()),
        subjects: Vec::new(),
        budget: BUDGET,
        epoch: 0,
    };
    (key, command)
}

/// Looks again and again until there is something; fails the test after [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Every log line of this process, from the first call on.
pub(crate) fn logs() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = std::env::var("RUST_LOG")
            .unwrap_or_else(|_| "quorate_raft=debug,openraft=off".to_owned());
        // Somebody else's subscriber would only hide lines from the tests that look for them, and these would say so.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .try_init();
        lines
    })
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<String>>);

impl Lines {
    /// Whether there is a line that has all of `parts`.
    pub(crate) fn has(&self, parts: &[&str]) -> bool {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.lines()
            .any(|line| parts.iter().all(|part| line.contains(part)))
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        print!("{text}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
