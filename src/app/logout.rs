//! Logging out: final in the whole cluster when it returns (promise P2).

use quorate_raft::ProposeError;

use super::App;
use super::session::Authenticated;
use super::token::UnverifiedToken;

impl App {
    /// Ends the session. When this returns, no node allows a request with it any more.
    ///
    /// # Errors
    /// [`ProposeError`] if the cluster did not answer; the session may or may not have ended then.
    pub async fn log_out(&self, authenticated: &Authenticated) -> Result<(), ProposeError> {
        self.end(authenticated.key).await?;
        self.metrics.logout();
        let user = authenticated.user.name.as_str();
        tracing::info!(user, domain = authenticated.session.domain, "logged out");
        Ok(())
    }

    /// Ends every session that the cookie values name, as [`App::log_out`] does. One that this node takes for dead is
    /// ended as well, because a node with another clock may not; and one that has just been ended is ended once more,
    /// because the first end may not be final yet. Values that name no session cost no write.
    ///
    /// # Errors
    /// As [`App::log_out`].
    pub async fn log_out_of(&self, values: impl Iterator<Item = &str>) -> Result<(), ProposeError> {
        for token in values.filter_map(UnverifiedToken::parse) {
            let session = self.find(token).await?;
            if session.is_none() && !self.node.reader().has_ended_lately(&token.key) {
                continue;
            }
            self.end(token.key).await?;
            if let Some(session) = session {
                self.metrics.logout();
                let (user, domain) = (session.user.as_str(), &session.domain);
                tracing::info!(user, domain, "logged out");
            }
        }
        Ok(())
    }
}
