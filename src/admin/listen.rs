//! The unix socket: bound anew at every start, and open to root and to the node's own user only.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// How long a command may take to be sent.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long commands under way may go on once the node is asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// A bound socket; its file goes away with it.
pub(crate) struct AdminListener {
    socket: UnixListener,
    path: PathBuf,
}

impl AdminListener {
    /// Binds the socket at `path`. Whoever calls this holds the lock of the data directory, so a file that is there
    /// already was left behind by a process that is gone.
    ///
    /// # Errors
    /// As the operating system says; a path of more than 107 bytes is one reason.
    pub(crate) fn bind(path: PathBuf) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }
}

impl Drop for AdminListener {
    fn drop(&mut self) {
        // What is left behind is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers commands until `stop` turns true.
pub(crate) async fn serve(
    listener: AdminListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = %error, "a connection to the admin socket could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if !is_allowed(&stream) {
            tracing::warn!(
                "a connection to the admin socket was refused: it is for root and the node's own user"
            );
            continue;
        }
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_MAX);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(error = %error, "a connection to the admin socket ended with an error");
            }
        });
    }
    let _ = tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await;
}

/// The file's mode is set only after it is bound, so the kernel is asked who is there.
fn is_allowed(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own)
}
