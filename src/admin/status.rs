//! `cluster status`: what this node sees, without asking any other.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sha2::{Digest, Sha256};

use super::answer::StateDigest;
use super::refusal::Refusal;
use crate::app::{App, NodeReport};

pub(super) async fn report(State(app): State<Arc<App>>) -> Json<NodeReport> {
    Json(app.report())
}

/// Hashes the whole state: about a second for a million sessions, on a thread of its own.
pub(super) async fn digest(State(app): State<Arc<App>>) -> Result<Json<StateDigest>, Refusal> {
    let (applied, view) = app.node.view();
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hasher = Hasher(Sha256::new());
        view.write_to(&mut hasher).map(|()| hasher.0.finalize())
    })
    .await;
    let Ok(Ok(hash)) = hashed else {
        return Err(Refusal::wrong("the state cannot be written"));
    };
    let digest = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Json(StateDigest { applied, digest }))
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
