//! What can be done: the use cases, without a word of HTTP. Each reads, decides and proposes.

mod account;
mod guess;
mod known;
mod line;
pub mod login;
pub mod logout;
mod operator;
mod pace;
mod readiness;
pub mod redirect;
mod rules;
mod second_factor;
pub mod session;
mod throttle;
pub mod token;
mod touch;

pub use account::{AccountChange, AccountError, Import};
pub use readiness::NodeReport;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use quorate_core::{Budget, Command};
use quorate_raft::{Node, ProposeError};

use crate::authn::memory;
use crate::authn::password::PasswordPool;
use crate::authn::seal::Sealer;
use crate::authn::users::UserSource;
use crate::config::{AccessControl, Config};
use crate::random;

/// Everything the use cases need. One per process, shared by all requests.
pub struct App {
    /// The validated configuration of the start. What a reload may change since then is asked of the methods here.
    pub config: Config,
    /// This node's part of the cluster.
    pub node: Node,
    /// The users.
    pub users: UserSource,
    /// The password checks.
    pub passwords: PasswordPool,
    /// What is counted for the metrics page.
    pub metrics: crate::metrics::Metrics,
    rules: rules::Rules,
    pace: pace::Pace,
    throttle: throttle::Throttle,
    second_factors: throttle::Throttle,
    line: line::Line,
    known: known::KnownCredentials,
    touches: touch::Touches,
    /// What unknown names are checked against.
    decoy: Arc<str>,
    /// Seals and opens the secrets of one-time password devices.
    pub(crate) sealer: Sealer,
    /// How many requests may wait for this node to catch up.
    catch_up: tokio::sync::Semaphore,
    is_draining: AtomicBool,
}

/// How many requests may wait for this node to catch up with a session's log index; more are answered at once.
const CATCH_UP_MAX: usize = 256;

impl App {
    /// Puts the parts together and starts the threads that check passwords.
    #[must_use]
    pub fn new(config: Config, node: Node, users: UserSource) -> Self {
        let metrics = crate::metrics::Metrics::default();
        if let Some(files) = &config.server.tls {
            metrics.watch_certificate(&files.certificate);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let passwords =
            PasswordPool::start(threads, memory::for_checks(), &metrics.password_checks);
        let decoy = crate::authn::password::decoy(&config.users.password);
        let rules = rules::Rules::new(&config);
        node.describe(rules.digest(), users.digest());
        let sealer = Sealer::for_totp(&config.storage.encryption_key);
        let second_factors =
            throttle::Throttle::new(config.server.rate_limits.second_factor_totp.clone());
        Self {
            config,
            node,
            users,
            passwords,
            metrics,
            rules,
            pace: pace::Pace::default(),
            throttle: throttle::Throttle::of_logins(),
            second_factors,
            line: line::Line::default(),
            known: known::KnownCredentials::new(random::bytes()),
            touches: touch::Touches::default(),
            decoy,
            sealer,
            catch_up: tokio::sync::Semaphore::new(CATCH_UP_MAX),
            is_draining: AtomicBool::new(false),
        }
    }

    /// Proposes the collected uses of sessions, for as long as the process lives.
    pub async fn replicate_touches(&self) {
        let inactivity = self
            .config
            .session
            .cookies
            .iter()
            .map(|cookie| cookie.inactivity)
            .filter(|i| !i.is_zero());
        let Some(shortest) = inactivity.min() else {
            return;
        };
        let interval_ms =
            touch::interval_ms(u64::try_from(shortest.as_millis()).unwrap_or(u64::MAX));
        let mut tick = tokio::time::interval(Duration::from_millis(interval_ms));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = tokio::time::Instant::now();
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.touches.urgent(last) => {}
            }
            last = tokio::time::Instant::now();
            for seen in self.touches.drain(self.node.reader()) {
                let command = Command::TouchSessions { seen: seen.clone() };
                match self.node.propose(random::request_id(), command).await {
                    Ok(_) => self.touches.replicated(),
                    Err(error) => {
                        tracing::debug!(error = %error, "uses of sessions were not replicated");
                        self.touches.put_back(seen);
                    }
                }
            }
        }
    }

    /// How many batches of sessions' uses this node has replicated.
    #[must_use]
    pub fn touch_batches(&self) -> u64 {
        self.touches.count()
    }

    /// What is allowed to one subject, as the commands carry it.
    #[must_use]
    pub fn budget(&self) -> Budget {
        budget(&self.config.regulation)
    }

    /// The access rules as this node has them now.
    #[must_use]
    pub fn access(&self) -> Arc<AccessControl> {
        self.rules.current()
    }

    /// Takes other access rules over; `digest` is that of the configuration with them. No decision that begins after
    /// the return is made by the ones before.
    pub fn replace_rules(&self, access: AccessControl, digest: [u8; 32]) {
        self.rules.replace(access, digest);
    }

    async fn propose(&self, command: Command) -> Result<quorate_raft::Committed, ProposeError> {
        self.node.propose(random::request_id(), command).await
    }
}

/// After this long a guess that nobody resolved counts as a failure: longer than any queue before a password check.
const RESERVATION: Duration = Duration::from_secs(30);

/// The guess budget that a configuration asks for.
#[must_use]
pub fn budget(regulation: &crate::config::Regulation) -> Budget {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Budget {
        guesses_max: regulation.max_retries.max(1),
        window_ms: ms(regulation.find_time),
        ban_ms: ms(regulation.ban_time),
        reservation_ms: ms(RESERVATION),
    }
}
