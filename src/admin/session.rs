//! `session list` and `session kill`.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use quorate_core::{Session, SessionKey, UserName};

use super::answer::{Ended, SessionFilter, SessionLine};
use super::refusal::Refusal;
use crate::app::App;

/// Bytes of a session's key that are shown: enough to tell sessions apart.
const ID_BYTES: usize = 8;
/// Fewer digits could mean a session the operator did not think of.
const ID_DIGITS_MIN: usize = 8;

/// The sessions that count now, oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Json(filter): Json<SessionFilter>,
) -> Result<Json<Vec<SessionLine>>, Refusal> {
    let mut found = find(&app, &filter).await?;
    found.sort_by_key(|(key, session)| (session.opened_at, *key));
    let lines = found.iter().map(|(key, session)| line(key, session));
    Ok(Json(lines.collect()))
}

/// Ends the sessions of one user, one session, or all; no node lets any of them pass once this has answered.
pub(super) async fn kill(
    State(app): State<Arc<App>>,
    Json(filter): Json<SessionFilter>,
) -> Result<Json<Ended>, Refusal> {
    let ended = match &filter {
        SessionFilter {
            user: Some(user),
            id: None,
        } => {
            let user = UserName::parse(user).map_err(|error| Refusal::wrong(error.to_string()))?;
            app.kill_user(user).await?
        }
        _ => {
            let mut ended = 0;
            for (key, _) in find(&app, &filter).await? {
                ended += app.kill_session(key).await?;
            }
            ended
        }
    };
    if ended == 0 && (filter.user.is_some() || filter.id.is_some()) {
        return Err(Refusal::missing(
            "there is no such session; `quorate session list` shows all",
        ));
    }
    Ok(Json(Ended { ended }))
}

/// Read behind everything that was acknowledged before.
async fn find(
    app: &App,
    filter: &SessionFilter,
) -> Result<Vec<(SessionKey, Arc<Session>)>, Refusal> {
    if let Some(id) = &filter.id
        && (id.len() < ID_DIGITS_MIN || !id.bytes().all(|digit| digit.is_ascii_hexdigit()))
    {
        return Err(Refusal::wrong(format!(
            "`{id}` is no session id: give {ID_DIGITS_MIN} hexadecimal digits at least, as `quorate session list` shows them"
        )));
    }
    app.node.read_index().await?;
    let now = app.now();
    let sessions = app.node.reader().sessions();
    let found = sessions.iter().filter(|(key, session)| {
        let by_user = filter
            .user
            .as_deref()
            .is_none_or(|user| user == session.user.as_str());
        let by_id = filter
            .id
            .as_deref()
            .is_none_or(|id| hex(&key.0).starts_with(&id.to_ascii_lowercase()));
        session.is_live(now) && by_user && by_id
    });
    Ok(found
        .map(|(key, session)| (*key, Arc::clone(session)))
        .collect())
}

fn line(key: &SessionKey, session: &Session) -> SessionLine {
    SessionLine {
        id: hex(key.0.get(..ID_BYTES).unwrap_or_default()),
        user: session.user.to_string(),
        domain: session.domain.clone(),
        factors: session.level as u8,
        opened_at_ms: session.opened_at.0,
        seen_at_ms: session.seen_at.0,
        expires_at_ms: session.expires_at.0,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
