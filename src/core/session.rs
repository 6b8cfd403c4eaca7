//! A session: who is logged in on which cookie domain, how far, and until when.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, UserName};

/// How far a visitor has proven who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Nobody is known.
    Anonymous,
    /// One factor.
    OneFactor,
    /// Two factors.
    TwoFactor,
}

/// One logged-in browser. There are no sessions of anonymous visitors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose session it is.
    pub user: UserName,
    /// The cookie domain it was opened on; it is worth nothing on another.
    pub domain: String,
    /// How far the visitor has proven who they are; at least [`Level::OneFactor`].
    pub level: Level,
    /// When it was opened, in replicated time.
    pub opened_at: Timestamp,
    /// From this instant on it is dead, whatever happens in between.
    pub expires_at: Timestamp,
    /// How long it outlives its last use, in milliseconds; `None` for a remembered session.
    pub inactivity_ms: Option<u64>,
    /// The newest use that has been replicated. The true last use may be later by at most one touch interval.
    pub seen_at: Timestamp,
}

impl Session {
    /// Whether the session still counts at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        let idle_end = match self.inactivity_ms {
            Some(inactivity_ms) => self.seen_at.plus_ms(inactivity_ms),
            None => self.expires_at,
        };
        now < self.expires_at && now < idle_end
    }
}
