//! `config reload`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::answer::Reloaded;
use super::refusal::Refusal;
use crate::serve::Reloader;

/// Reads the files again, on a thread that may block. 400 with all mistakes if nothing was taken over.
pub(super) async fn reload(
    State(reloader): State<Arc<Reloader>>,
) -> Result<Json<Reloaded>, Refusal> {
    let done = tokio::task::spawn_blocking(move || reloader.reload()).await;
    let done =
        done.map_err(|_| Refusal::unknown("reading the files broke off: see the node's log"))?;
    done.map(Json).map_err(|problems| {
        let mistakes = crate::serve::Failure::Mistakes(problems);
        Refusal::wrong(format!("everything stays as it was: {mistakes}"))
    })
}
