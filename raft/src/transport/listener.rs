//! The node-to-node listener: TLS, greeting, then questions, each answered in a task of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::authority::tls_cause;
use super::frame;
use super::link::write_frames;
use super::lives::Presence;
use super::message::{Greeting, Question, Refusal, Response};
use super::{CONNECTIONS_MAX, DIAL_TIMEOUT, IDLE_TIMEOUT, REQUESTS_MAX};
use crate::log::Repeated;
use crate::node::Inner;

/// Accepts connections until it is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, node: Arc<Inner>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let complaint = Arc::new(Repeated::default());
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let (tcp, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back instead of spinning.
                tracing::warn!(%error, "the node-to-node listener cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let (acceptor, node, complaint) =
            (acceptor.clone(), Arc::clone(&node), Arc::clone(&complaint));
        connections.spawn(async move {
            let _slot = slot;
            if let Err(cause) = converse(tcp, acceptor, &node).await {
                let refusals = &node.peers.connections_refused;
                refusals.fetch_add(1, Ordering::Relaxed);
                complaint.warn(&format!("{} {cause}", from.ip()), || refused(from, &cause));
            }
        });
    }
}

fn refused(from: SocketAddr, cause: &str) {
    tracing::warn!(%from, %cause, "refused a connection to the node-to-node listener");
}

/// One connection, from TLS to its end. An error is a connection that was never one of a member.
async fn converse(tcp: TcpStream, acceptor: TlsAcceptor, node: &Arc<Inner>) -> Result<(), String> {
    let _ = tcp.set_nodelay(true);
    let introduced = timeout(DIAL_TIMEOUT, introduce(tcp, &acceptor, node)).await;
    let (tls, theirs, presence) = introduced.map_err(|_| "no greeting of a member in time")??;
    tracing::debug!(member = %theirs.name, node = %format!("{:08x}", theirs.node), "a member has connected");
    if let Err(error) = answer_questions(tls, &presence, node).await {
        node.peers.misread(&theirs.name, &error);
        tracing::debug!(member = %theirs.name, %error, "the connection of a member has ended");
    }
    Ok(())
}

async fn introduce(
    tcp: TcpStream,
    acceptor: &TlsAcceptor,
    node: &Inner,
) -> Result<(TlsStream<TcpStream>, Greeting, Presence), String> {
    let place = tcp.peer_addr().map_err(|error| error.to_string())?;
    let mut tls = acceptor
        .accept(tcp)
        .await
        .map_err(|error| tls_cause(&error))?;
    let theirs: Option<Greeting> = frame::read(&mut tls)
        .await
        .map_err(|error| error.to_string())?;
    let theirs = theirs.ok_or("it closed the connection instead of greeting")?;
    let met = node.peers.meet(&theirs, place.to_string());
    let ours = Greeting {
        refusal: met.as_ref().err().cloned(),
        ..node.peers.greeting()
    };
    let ours = frame::encode(&ours).map_err(|error| error.to_string())?;
    tls.write_all(&ours)
        .await
        .map_err(|error| error.to_string())?;
    tls.flush().await.map_err(|error| error.to_string())?;
    Ok((tls, theirs, met?))
}

async fn answer_questions(
    tls: TlsStream<TcpStream>,
    presence: &Presence,
    node: &Arc<Inner>,
) -> io::Result<()> {
    let (mut input, output) = tokio::io::split(tls);
    let (out, queue) = mpsc::channel(64);
    let turns = Arc::new(Semaphore::new(REQUESTS_MAX));
    // Dropped with this function, so that no answer outlives its connection.
    let mut tasks = JoinSet::new();
    tasks.spawn(write_frames(output, queue));
    loop {
        let question = match timeout(IDLE_TIMEOUT, frame::read::<Question>(&mut input)).await {
            Ok(Ok(Some(question))) => question,
            Ok(Ok(None)) | Err(_) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        };
        presence.heard();
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return Ok(());
        };
        while tasks.try_join_next().is_some() {}
        let (node, out) = (Arc::clone(node), out.clone());
        tasks.spawn(async move {
            let _turn = turn;
            let Question {
                id,
                envelope,
                request,
            } = question;
            let outcome = node.answer(envelope, request).await;
            if let Ok(bytes) = encode_response(Response { id, outcome }) {
                let _ = out.send(bytes).await;
            }
        });
    }
}

/// No answer is longer than a frame; should one be, the asking node is told instead of left waiting.
fn encode_response(response: Response) -> io::Result<Vec<u8>> {
    let id = response.id;
    frame::encode(&response).or_else(|error| {
        let outcome = Err(Refusal::Unknown(error.to_string()));
        frame::encode(&Response { id, outcome })
    })
}
