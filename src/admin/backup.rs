//! `cluster backup`: the snapshot as it is, for the command line to seal. The socket is for root and the node's user.

use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

use super::refusal::Refusal;
use crate::app::App;

const PIECE_BYTES: usize = 64 << 10;
/// Where the answer says what it is a snapshot of.
pub(crate) const CLUSTER: &str = "quorate-cluster";
/// The newest log index in it.
pub(crate) const INDEX: &str = "quorate-index";

/// Everything that was acknowledged before the request, as a snapshot.
pub(super) async fn snapshot(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let mut taken = app.node.take_snapshot().await?;
    let (send, pieces) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = taken.file.read(&mut piece);
            if matches!(read, Ok(0)) {
                return;
            }
            let is_broken = read.is_err();
            let piece = read.map(|count| {
                piece.truncate(count);
                Bytes::from(piece)
            });
            if send.blocking_send(piece).is_err() || is_broken {
                return;
            }
        }
    });
    let mut response = Response::new(Body::new(Pieces(pieces)));
    let fields = [(CLUSTER, taken.cluster), (INDEX, taken.index.to_string())];
    for (name, value) in fields {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// A body of what comes through a channel. An error breaks the connection, so the other side knows.
struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
