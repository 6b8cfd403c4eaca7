//! An agent for HAProxy: it asks about a request over SPOP and gets the decision as variables of the transaction.
//!
//! The arguments `method`, `scheme`, `host`, `uri` and `source` say what is asked for; every other one is a header of
//! that name. They are judged as a request of the ext-authz dialect, by the same code as Envoy's checks.

mod frame;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::authz::client::is_trusted;
use super::grpc::Authorization;
use super::grpc::check::CheckRequest;
use super::listen::{Listener, Peer, Stream, connections_max};
use frame::{Data, FRAME_BYTES_MAX, Frame};

/// Connections open at once, or fewer where descriptors are scarce; HAProxy keeps some for each of its threads.
const CONNECTIONS_MAX: usize = 1_000;
/// Messages of one connection that are being judged; HAProxy waits with more.
const MESSAGES_MAX: usize = 128;
/// How long a handshake, a hello or a frame that has begun may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long messages in flight may go on once the listener closes.
const DRAIN_MAX: Duration = Duration::from_millis(2_500);

/// Headers of an answer, and the variables that they become.
const ALLOWED: [(&str, &str); 4] = [
    ("user", "remote-user"),
    ("groups", "remote-groups"),
    ("name", "remote-name"),
    ("email", "remote-email"),
];
const REFUSED: [(&str, header::HeaderName); 4] = [
    ("location", header::LOCATION),
    ("cookie", header::SET_COOKIE),
    ("challenge", header::WWW_AUTHENTICATE),
    ("proxy_challenge", header::PROXY_AUTHENTICATE),
];

/// Serves until `stop` turns true.
pub async fn serve(listener: Listener, judge: Authorization, mut stop: watch::Receiver<bool>) {
    let listener = Arc::new(listener);
    let places = Arc::new(Semaphore::new(connections_max().min(CONNECTIONS_MAX)));
    let mut open = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            Ok((stream, address)) => {
                let (listener, judge, stop) = (Arc::clone(&listener), judge.clone(), stop.clone());
                open.spawn(async move {
                    connection(&listener, stream, address, judge, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    let _ = tokio::time::timeout(DRAIN_MAX, async {
        while open.join_next().await.is_some() {}
    })
    .await;
}

async fn connection(
    listener: &Listener,
    stream: Stream,
    address: IpAddr,
    judge: Authorization,
    stop: watch::Receiver<bool>,
) {
    let peer = Peer {
        address,
        over_tls: listener.tls.is_some(),
    };
    if !is_trusted(peer.address, judge.trusted()) {
        tracing::debug!(peer = %peer.address, "an agent's connection came from outside server.trusted_proxies");
        return;
    }
    let Some(tls) = &listener.tls else {
        return conversation(stream, peer, judge, stop, listener.idle_max).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, tls.current().accept(stream)).await {
        Ok(Ok(stream)) => conversation(stream, peer, judge, stop, listener.idle_max).await,
        Ok(Err(error)) => {
            tracing::debug!(peer = %peer.address, error = %error, "TLS handshake failed")
        }
        Err(_) => tracing::debug!(peer = %peer.address, "TLS handshake took too long"),
    }
}

/// A frame without its length; `None` at the end of the connection, or for one that is too large or too slow.
async fn next(stream: &mut (impl AsyncRead + Unpin), idle_max: Duration) -> Option<Vec<u8>> {
    let length = tokio::time::timeout(idle_max, stream.read_u32())
        .await
        .ok()?
        .ok()?;
    if length > FRAME_BYTES_MAX {
        return None;
    }
    let mut frame = vec![0; usize::try_from(length).ok()?];
    let read = tokio::time::timeout(HANDSHAKE_MAX, stream.read_exact(&mut frame));
    read.await.ok()?.ok()?;
    Some(frame)
}

async fn conversation(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: Peer,
    judge: Authorization,
    mut stop: watch::Receiver<bool>,
    idle_max: Duration,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let Some(hello) = next(&mut reader, HANDSHAKE_MAX).await else {
        return;
    };
    let Ok(Frame::Hello {
        speaks_2_0: true,
        frame_bytes_max,
        is_health_check,
    }) = frame::parse(&hello)
    else {
        tracing::debug!(peer = %peer.address, "a connection does not begin with a hello of SPOP 2.0");
        return;
    };
    // A node that cannot decide is no agent: HAProxy takes another one.
    if !judge.is_ready() {
        let _ = writer
            .write_all(&frame::agent_disconnect(99, "this node cannot decide now"))
            .await;
        return;
    }
    let frame_bytes_max = frame_bytes_max.min(FRAME_BYTES_MAX);
    let agreed = frame::agent_hello(frame_bytes_max);
    if writer.write_all(&agreed).await.is_err() || is_health_check {
        return;
    }
    let (replies, waiting) = mpsc::channel(MESSAGES_MAX);
    let writing = tokio::spawn(write(writer, waiting));
    let places = Arc::new(Semaphore::new(MESSAGES_MAX));
    let last = loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break (0, "");
        };
        let frame = tokio::select! {
            frame = next(&mut reader, idle_max) => frame,
            _ = stop.wait_for(|stop| *stop) => break (0, "this node stops"),
        };
        let Some(bytes) = frame else {
            break (0, "nothing was asked");
        };
        match frame::parse(&bytes) {
            Ok(Frame::Notify { .. }) => {
                tokio::spawn(acknowledge(
                    (bytes, frame_bytes_max),
                    judge.clone(),
                    peer,
                    replies.clone(),
                    place,
                ));
            }
            Ok(Frame::Disconnect) => break (0, ""),
            Ok(Frame::Hello { .. }) | Err(_) => break (4, "the frame cannot be read"),
        }
    };
    // Behind the replies to all that is in flight: every place is free again then.
    let in_flight = places.acquire_many(u32::try_from(MESSAGES_MAX).unwrap_or(u32::MAX));
    let _ = tokio::time::timeout(DRAIN_MAX, in_flight).await;
    let (status, message) = last;
    let _ = replies.send(frame::agent_disconnect(status, message)).await;
    drop(replies);
    let _ = tokio::time::timeout(DRAIN_MAX, writing).await;
}

async fn write(mut writer: WriteHalf<impl AsyncWrite>, mut replies: mpsc::Receiver<Vec<u8>>) {
    while let Some(mut reply) = replies.recv().await {
        // What is ready goes in one piece.
        while let Ok(more) = replies.try_recv() {
            reply.extend_from_slice(&more);
        }
        if writer.write_all(&reply).await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

/// Answers a message with a frame of `frame_bytes_max` bytes at most.
async fn acknowledge(
    (bytes, frame_bytes_max): (Vec<u8>, u32),
    judge: Authorization,
    peer: Peer,
    replies: mpsc::Sender<Vec<u8>>,
    place: OwnedSemaphorePermit,
) {
    let Ok(Frame::Notify {
        stream,
        frame,
        arguments,
    }) = frame::parse(&bytes)
    else {
        return;
    };
    let response = judge.respond(question(&arguments), peer).await;
    let _ = replies
        .send(acknowledgement(stream, frame, &response, frame_bytes_max))
        .await;
    drop(place);
}

/// What HAProxy asks about.
fn question<'a>(arguments: &[(&'a str, Data<'a>)]) -> CheckRequest<'a> {
    let mut request = CheckRequest::default();
    for (name, data) in arguments {
        match (*name, data) {
            ("source", Data::Address(address)) => request.source = Some(*address),
            ("method", Data::Bytes(method)) => request.method = method,
            ("scheme", Data::Bytes(scheme)) => request.scheme = scheme,
            ("host", Data::Bytes(host)) => request.host = host,
            ("uri", Data::Bytes(uri)) => request.path = uri,
            ("portal", Data::Bytes(portal)) => request.portal = portal,
            (name, Data::Bytes(value)) => request.headers.push((name.as_bytes(), value)),
            // A header that the request does not have.
            _ => {}
        }
    }
    request
}

/// An answer that does not fit into `frame_bytes_max` becomes a 500 alone: HAProxy ends a connection on a frame that is
/// too large, and with it every question in flight there. It may ask elsewhere, or refuse.
fn acknowledgement(stream: u64, frame: u64, response: &Response, frame_bytes_max: u32) -> Vec<u8> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let value =
        |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.as_bytes().to_vec());
    let mut found: Vec<(&str, Vec<u8>)> = Vec::new();
    if status == 200 {
        found.extend(
            ALLOWED
                .iter()
                .map(|(variable, name)| (*variable, value(headers, name).unwrap_or_default())),
        );
    } else {
        found.extend(
            REFUSED
                .iter()
                .filter_map(|(variable, name)| Some((*variable, value(headers, name.as_str())?))),
        );
    }
    let texts: Vec<(&str, &[u8])> = found
        .iter()
        .map(|(name, value)| (*name, value.as_slice()))
        .collect();
    let whole = frame::acknowledgement(stream, frame, status, &texts);
    if whole.len() - frame::LENGTH_BYTES <= frame_bytes_max as usize {
        return whole;
    }
    tracing::debug!(
        bytes = whole.len(),
        frame_bytes_max,
        "an answer is larger than what HAProxy takes"
    );
    let too_long = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
    frame::acknowledgement(stream, frame, too_long, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: StatusCode, name: &'static str, length: usize) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = status;
        let value = "a".repeat(length).parse().expect("a value");
        response.headers_mut().insert(name, value);
        response
    }

    #[test]
    fn an_answer_that_is_too_large_for_haproxy_becomes_a_refusal() {
        for (status, name) in [
            (StatusCode::FOUND, "location"),
            (StatusCode::OK, "remote-groups"),
        ] {
            let short = acknowledgement(7, 1, &answer(status, name, 100), 256);
            assert!(short.len() > 100 && short.len() <= 256 + 4);
            let fits = u32::try_from(short.len() - 4).expect("short");
            assert_eq!(
                acknowledgement(7, 1, &answer(status, name, 100), fits),
                short
            );
            let refused = frame::acknowledgement(7, 1, 500, &[]);
            for (length, frame_bytes_max) in [(100, fits - 1), (100_000, FRAME_BYTES_MAX)] {
                let response = answer(status, name, length);
                assert_eq!(acknowledgement(7, 1, &response, frame_bytes_max), refused);
            }
        }
    }
}
