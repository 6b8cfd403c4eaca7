//! Logging out: final in the whole cluster when it returns (promise P2).

use quorate_raft::ProposeError;

use super::App;
use super::session::Authenticated;

impl App {
    /// Ends the session. When this returns, no node allows a request with it any more.
    ///
    /// # Errors
    /// [`ProposeError`] if the cluster did not answer; the session may or may not have ended then.
    pub async fn log_out(&self, authenticated: &Authenticated) -> Result<(), ProposeError> {
        self.end(authenticated.key).await?;
        let user = authenticated.user.name.as_str();
        tracing::info!(user, domain = authenticated.session.domain, "logged out");
        Ok(())
    }
}
