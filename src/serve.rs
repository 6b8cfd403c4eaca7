//! `quorate serve`: from configuration files to a node that answers, and to its orderly end.

mod logging;
mod reload;
mod start;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::admin;
use crate::app::App;
use crate::config::Selection;
use crate::http::front::Front;
use crate::http::grpc::Authorization;
use crate::http::listen::{self, Listener, Socket};
use crate::http::router::MetricsPage;
use crate::http::spoe as agent;
use logging::Logging;

pub(crate) use reload::Reloader;
pub(crate) use start::node_config;
pub use start::{Failure, Prepared, configuration, prepare, rendered};

/// Runs a node until it is told to stop (SIGTERM, SIGINT) or fails.
///
/// # Errors
/// [`Failure`]: all mistakes of the configuration at once, before any port opens; or why the node had to stop.
pub async fn run(selection: Selection) -> Result<(), Failure> {
    let prepared = prepare(&selection)?;
    let logging = logging::start(&prepared.config.log)?;
    for notice in &prepared.config.notices {
        tracing::warn!("{notice}");
    }
    for notice in prepared.users.notices() {
        tracing::warn!("{notice}");
    }
    if prepared.config.server.trusts_by_default {
        tracing::info!(
            "server.trusted_proxies is not set: forwarded headers count from loopback and private networks"
        );
    }
    listen::raise_file_limit();
    let listener = start::bind(&prepared.config).await?;
    let server = &prepared.config.server;
    let grpc = start::bind_beside(&listener, server.grpc.as_ref(), "server.grpc.address").await?;
    let spoe = start::bind_beside(&listener, server.spoe.as_ref(), "server.spoe.address").await?;
    let acceptors = listener.tls.clone();
    let metrics = start::bind_metrics(&prepared.config).await?;
    let app = Arc::new(start::app(prepared).await?);
    let reloader = Arc::new(Reloader::new(Arc::clone(&app), selection, acceptors));
    let (stop, stopping) = watch::channel(false);
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(listen::serve(
        listener,
        Front::new(Arc::clone(&app)),
        stopping.clone(),
    ));
    let judge = Authorization::new(Arc::clone(&app));
    if let Some(listener) = spoe {
        servers.spawn(agent::serve(listener, judge.clone(), stopping.clone()));
    }
    if let Some(listener) = grpc {
        servers.spawn(listen::serve(listener, judge, stopping.clone()));
    }
    if let Some((socket, path)) = metrics {
        let page = MetricsPage::new(Arc::clone(&app), &path);
        servers.spawn(listen::serve(plain(socket), page, stopping));
    }
    if let Some(listener) = start::bind_admin(&app) {
        let router = admin::router(Arc::clone(&app), Arc::clone(&reloader));
        servers.spawn(admin::serve(listener, router, stop.subscribe()));
    }
    spawn_background(&app);
    tracing::info!(address = %app.config.server.address, node = app.config.cluster.name, "serving");
    let outcome = until_stopped(&app, &reloader, &logging).await;
    app.drain();
    tokio::time::sleep(app.config.cluster.drain_delay).await;
    let _ = stop.send(true);
    while servers.join_next().await.is_some() {}
    // Last, so that what is still in flight is answered by a node that has its place in the cluster.
    app.node.shutdown().await;
    outcome
}

fn plain(socket: Socket) -> Listener {
    Listener {
        socket,
        tls: None,
        head_bytes_max: 16 * 1024,
        idle_max: Duration::from_secs(120),
        proxy_protocol: None,
    }
}

fn spawn_background(app: &Arc<App>) {
    let touching = Arc::clone(app);
    tokio::spawn(async move { touching.replicate_touches().await });
    let file = app.config.users.file.as_ref();
    if file.is_some_and(|file| file.watch) {
        let watching = Arc::clone(app);
        tokio::spawn(async move {
            if let Some(file) = watching.users.file() {
                file.watch().await;
            }
        });
    }
}

/// Waits for a signal to stop, or for the node to fail. SIGHUP reads the files again, and opens the log file anew.
async fn until_stopped(
    app: &App,
    reloader: &Arc<Reloader>,
    logging: &Logging,
) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Signals)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Failure::Signals)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => {
                logging.reopen();
                let reloader = Arc::clone(reloader);
                // It logs what comes of it.
                tokio::task::spawn_blocking(move || reloader.reload());
            }
            reason = app.node.stopped() => return Err(Failure::Node(reason)),
        }
    }
    tracing::info!("stopping: requests in flight finish, leadership is handed over");
    Ok(())
}
