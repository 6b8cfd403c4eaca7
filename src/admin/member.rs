//! `cluster add`, `remove`, `promote`, `demote`, `transfer-leader` and `members`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use quorate_raft::{ChangeError, Changed, MemberStatus};

use super::answer::MemberChange;
use super::refusal::Refusal;
use crate::app::App;

/// Everybody, as the leader's log has them at this moment or later.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<MemberStatus>>, Refusal> {
    app.node.read_index().await?;
    Ok(Json(app.node.status().members))
}

/// Any member can be asked; the leader makes the change.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Json(asked): Json<MemberChange>,
) -> Result<Json<Changed>, Refusal> {
    let changed = app.node.change_members(asked.change, asked.force).await?;
    Ok(Json(changed))
}

/// 409 if the leader says no, 503 if nobody could be asked, 504 if nobody knows.
impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match &error {
            ChangeError::Refused(_) => Self::conflict(error.to_string()),
            ChangeError::Unavailable { .. } => Self::unavailable(error.to_string()),
            ChangeError::Unknown => Self::unknown(error.to_string()),
        }
    }
}
