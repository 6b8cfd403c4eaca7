//! The connection to one member: dialled when needed, kept, dialled anew when it breaks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::{Authority, server_name, tls_cause};
use super::frame;
use super::lives::Presence;
use super::message::{Answer, Envelope, Greeting, Question, Refusal, Request, Response};
use super::peers::Peers;
use super::{DIAL_TIMEOUT, REQUESTS_MAX, SILENCE_MAX};
use crate::Member;
use crate::clock::boot_time;
use crate::log::Repeated;

/// Why a question has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// It was not sent.
    #[error("{0}")]
    Unreachable(String),
    /// It was sent, and the connection broke before the answer.
    #[error("the connection to `{0}` broke")]
    Lost(String),
    /// It was sent, and no answer came in time.
    #[error("`{0}` did not answer in time")]
    Timeout(String),
    /// It was not sent: the other node is a member that runs, but one of the two does not talk to the other.
    #[error("{0}")]
    Declined(String),
    /// The other node says no.
    #[error(transparent)]
    Refused(Refusal),
}

/// Why there is no connection.
#[derive(Debug, Clone)]
enum DialError {
    /// Nobody is there, or nobody who proves to be the member.
    Failed(String),
    /// The member is there; one greeting was not to the liking of the other side.
    Declined(String),
}

impl From<String> for DialError {
    fn from(cause: String) -> Self {
        Self::Failed(cause)
    }
}

/// What came of dialling; `None` while it is under way.
type Dialled = Option<Result<Arc<Connection>, CallError>>;

/// The way to one member.
#[derive(Debug)]
pub(crate) struct Link {
    member: Member,
    /// Whose link it is; it holds this.
    peers: Weak<Peers>,
    authority: Arc<Authority>,
    way: Mutex<Way>,
    warned: Repeated,
}

/// The connection, or the attempt to make one. Everybody who calls meanwhile waits for the same attempt.
#[derive(Debug, Default)]
struct Way {
    current: Option<Arc<Connection>>,
    dialling: Option<watch::Receiver<Dialled>>,
}

impl Link {
    pub(crate) fn new(member: Member, peers: Weak<Peers>, authority: Arc<Authority>) -> Self {
        Self {
            member,
            peers,
            authority,
            way: Mutex::default(),
            warned: Repeated::default(),
        }
    }

    /// Asks and waits for the answer, dialling first if need be. Dialling goes on when the caller gives up, so that a
    /// member far away is reached although every single call is shorter than it takes to connect.
    pub(crate) async fn call(
        self: &Arc<Self>,
        envelope: Envelope,
        request: Request,
        at_most: Duration,
    ) -> Result<Answer, CallError> {
        let deadline = Instant::now() + at_most;
        let connection = timeout_at(deadline, self.connection())
            .await
            .map_err(|_| {
                let name = &self.member.name;
                CallError::Unreachable(format!("`{name}` cannot be reached in time"))
            })??;
        connection.ask(envelope, request, deadline).await
    }

    /// Closes the connection; the next call dials.
    pub(crate) fn close(&self) {
        if let Some(connection) = self.way().current.take() {
            connection.shared.close();
        }
    }

    async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, CallError> {
        let mut dialling = {
            let mut way = self.way();
            if let Some(connection) = way.current.as_ref().filter(|c| !c.shared.is_closed()) {
                return Ok(Arc::clone(connection));
            }
            match &way.dialling {
                Some(dialling) => dialling.clone(),
                None => way.dialling.insert(self.start_dialling()).clone(),
            }
        };
        let dialled = dialling.wait_for(Option::is_some).await;
        match dialled.ok().and_then(|dialled| dialled.clone()) {
            Some(dialled) => dialled,
            None => Err(CallError::Unreachable("the node is stopping".to_owned())),
        }
    }

    fn start_dialling(self: &Arc<Self>) -> watch::Receiver<Dialled> {
        let (done, dialling) = watch::channel(None);
        let link = Arc::clone(self);
        tokio::spawn(async move {
            let dialled = timeout(DIAL_TIMEOUT, link.dial()).await;
            let dialled =
                dialled.unwrap_or_else(|_| Err("no answer to connecting".to_owned().into()));
            let dialled = link.tell(dialled.map(Arc::new));
            let mut way = link.way();
            way.dialling = None;
            way.current = dialled.as_ref().ok().cloned();
            done.send_replace(Some(dialled));
        });
        dialling
    }

    /// Logs when the member is lost and when it is back.
    fn tell(
        &self,
        dialled: Result<Arc<Connection>, DialError>,
    ) -> Result<Arc<Connection>, CallError> {
        let Member { name, address } = &self.member;
        match &dialled {
            Ok(_) => self.warned.over(|| {
                tracing::info!(member = %name, %address, "the member can be reached again");
            }),
            Err(DialError::Failed(cause) | DialError::Declined(cause)) => {
                self.warned.warn(cause, || {
                    tracing::warn!(member = %name, %address, %cause, "the member cannot be reached");
                });
            }
        }
        let why = |cause| format!("`{name}` at {address} cannot be reached: {cause}");
        dialled.map_err(|error| match error {
            DialError::Failed(cause) => CallError::Unreachable(why(cause)),
            DialError::Declined(cause) => CallError::Declined(why(cause)),
        })
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn dial(&self) -> Result<Connection, DialError> {
        let peers = self.peers.upgrade();
        let peers = peers.ok_or_else(|| "the node is stopping".to_owned())?;
        let name = server_name(&self.member.name).map_err(|error| error.to_string())?;
        let tcp = TcpStream::connect(&self.member.address)
            .await
            .map_err(|error| error.to_string())?;
        // A heartbeat must not wait for more bytes. An error here shows in the first use anyway.
        let _ = tcp.set_nodelay(true);
        let connector = TlsConnector::from(Arc::clone(&self.authority.client));
        let mut tls = connector
            .connect(name, tcp)
            .await
            .map_err(|error| tls_cause(&error))?;
        let greeting = frame::encode(&peers.greeting()).map_err(|error| error.to_string())?;
        tls.write_all(&greeting)
            .await
            .map_err(|error| tls_cause(&error))?;
        tls.flush().await.map_err(|error| tls_cause(&error))?;
        let theirs: Option<Greeting> = frame::read(&mut tls)
            .await
            .map_err(|error| tls_cause(&error))?;
        let theirs =
            theirs.ok_or_else(|| "it closed the connection instead of greeting".to_owned())?;
        let met = peers.meet(&theirs, self.member.address.clone());
        let presence = met.map_err(DialError::Declined)?;
        if let Some(refusal) = theirs.refusal {
            peers.tell(Some(refusal.clone()));
            return Err(DialError::Declined(refusal));
        }
        Ok(Connection::start(theirs, presence, tls))
    }
}

/// One live connection.
#[derive(Debug)]
struct Connection {
    /// The name of the other node.
    name: String,
    /// The newest version of the protocol that it speaks.
    protocol: u16,
    out: mpsc::Sender<Vec<u8>>,
    turns: Semaphore,
    shared: Arc<Shared>,
}

/// What the tasks of a connection and those who ask on it have in common.
#[derive(Debug, Default)]
struct Shared {
    next_id: AtomicU64,
    closed: AtomicBool,
    pending: Mutex<HashMap<u64, oneshot::Sender<Result<Answer, Refusal>>>>,
    /// Since when questions are unanswered and nothing has come; nanoseconds of boot time, 0 if there is nothing to
    /// complain about.
    silent_since: AtomicU64,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Connection {
    fn start(theirs: Greeting, presence: Presence, tls: TlsStream<TcpStream>) -> Self {
        let (input, output) = tokio::io::split(tls);
        let (out, queue) = mpsc::channel(64);
        let shared = Arc::new(Shared::default());
        let reader = tokio::spawn(read_answers(input, presence, Arc::clone(&shared)));
        let writer_shared = Arc::clone(&shared);
        let writer = tokio::spawn(async move {
            write_frames(output, queue).await;
            writer_shared.close();
        });
        shared
            .tasks()
            .extend([reader.abort_handle(), writer.abort_handle()]);
        Self {
            name: theirs.name,
            protocol: theirs.protocol,
            out,
            turns: Semaphore::new(REQUESTS_MAX),
            shared,
        }
    }

    async fn ask(
        &self,
        envelope: Envelope,
        request: Request,
        deadline: Instant,
    ) -> Result<Answer, CallError> {
        let name = &self.name;
        if request.since() > self.protocol {
            let why = format!("`{name}` runs an older version, which does not know this");
            return Err(CallError::Unreachable(why));
        }
        let lost = || CallError::Lost(name.clone());
        let late = |_| CallError::Timeout(name.clone());
        let turn = timeout_at(deadline, self.turns.acquire()).await;
        let _turn = turn.map_err(late)?.map_err(|_| lost())?;
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let question = Question {
            id,
            envelope,
            request,
        };
        let bytes = frame::encode(&question).map_err(|error| {
            CallError::Unreachable(format!("the message to `{name}` cannot be sent: {error}"))
        })?;
        let (sender, answer) = oneshot::channel();
        let _pending = self.shared.expect(id, sender);
        timeout_at(deadline, self.out.send(bytes))
            .await
            .map_err(late)?
            .map_err(|_| lost())?;
        timeout_at(deadline, answer)
            .await
            .map_err(late)?
            .map_err(|_| lost())?
            .map_err(CallError::Refused)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn expect(
        self: &Arc<Self>,
        id: u64,
        sender: oneshot::Sender<Result<Answer, Refusal>>,
    ) -> Pending {
        let mut pending = self.pending();
        // Under the lock, or `close` could clear before this is in and nobody would ever answer it.
        if !self.is_closed() {
            pending.insert(id, sender);
        }
        drop(pending);
        let now = boot_time().0;
        let _ = self
            .silent_since
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        Pending {
            id,
            shared: Arc::clone(self),
        }
    }

    fn answered(&self, response: Response) {
        self.silent_since.store(0, Ordering::Relaxed);
        if let Some(sender) = self.pending().remove(&response.id) {
            // Whoever asked may have given up.
            let _ = sender.send(response.outcome);
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.pending().clear();
        for task in self.tasks().drain(..) {
            task.abort();
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Result<Answer, Refusal>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that waits. Dropped unanswered, it looks whether the connection has been silent for too long.
struct Pending {
    id: u64,
    shared: Arc<Shared>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.shared.pending().remove(&self.id).is_none() {
            return;
        }
        let since = self.shared.silent_since.load(Ordering::Relaxed);
        let silence = boot_time().0.saturating_sub(since);
        if since != 0 && u128::from(silence) > SILENCE_MAX.as_nanos() {
            self.shared.close();
        }
    }
}

async fn read_answers(
    mut input: ReadHalf<TlsStream<TcpStream>>,
    presence: Presence,
    shared: Arc<Shared>,
) {
    while let Ok(Some(response)) = frame::read::<Response>(&mut input).await {
        presence.heard();
        shared.answered(response);
    }
    shared.close();
}

/// Writes what comes, and flushes whenever nothing more is waiting.
pub(crate) async fn write_frames(
    mut output: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Vec<u8>>,
) {
    while let Some(bytes) = queue.recv().await {
        if output.write_all(&bytes).await.is_err() {
            return;
        }
        if queue.is_empty() && output.flush().await.is_err() {
            return;
        }
    }
    let _ = output.shutdown().await;
}
