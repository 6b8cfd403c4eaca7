//! What an operator may do: end sessions, ban, and set up second factors.

use quorate_core::{Command, NewTotp, Rejection, Reply, SessionKey, Subject, UserName};
use quorate_raft::ProposeError;

use super::App;

impl App {
    /// Ends all sessions of a user, and refuses every login of theirs that is under way. When this returns, no node
    /// allows a request with one of them any more. How many there were.
    ///
    /// # Errors
    /// [`ProposeError`] if the cluster did not answer; they may or may not have ended then.
    pub async fn kill_user(&self, user: UserName) -> Result<u64, ProposeError> {
        let name = user.to_string();
        let ended = self.end_by(Command::KillUser { user, keep: None }).await?;
        tracing::info!(
            user = name,
            ended,
            "all sessions of a user ended by an operator"
        );
        Ok(ended)
    }

    /// Ends one session, as [`App::kill_user`] does all of a user's. 0 if it had ended already.
    ///
    /// # Errors
    /// As [`App::kill_user`].
    pub async fn kill_session(&self, key: SessionKey) -> Result<u64, ProposeError> {
        let ended = self.end_by(Command::EndSession { key }).await?;
        tracing::info!(session = ?key, ended, "session ended by an operator");
        Ok(ended)
    }

    /// Bans a subject for `for_ms` milliseconds, or until it is lifted. A user's sessions end, as in
    /// [`App::kill_user`]; how many.
    ///
    /// # Errors
    /// As [`App::kill_user`].
    pub async fn ban(&self, subject: Subject, for_ms: Option<u64>) -> Result<u64, ProposeError> {
        let banned = format!("{subject:?}");
        let ended = self.end_by(Command::Ban { subject, for_ms }).await?;
        tracing::info!(subject = banned, for_ms, ended, "banned by an operator");
        Ok(ended)
    }

    /// Lifts a ban and forgets the failures; false if there was none.
    ///
    /// # Errors
    /// [`ProposeError`] if the cluster did not answer.
    pub async fn lift_ban(&self, subject: Subject) -> Result<bool, ProposeError> {
        let banned = format!("{subject:?}");
        let reply = self.propose(Command::LiftBan { subject }).await?.reply;
        let was_banned = reply == Reply::Done;
        if was_banned {
            tracing::info!(subject = banned, "ban lifted by an operator");
        }
        Ok(was_banned)
    }

    /// Gives a user a one-time password device in place of any older one.
    ///
    /// # Errors
    /// As [`App::lift_ban`].
    pub async fn set_totp(&self, user: UserName, device: NewTotp) -> Result<(), ProposeError> {
        let name = user.to_string();
        self.propose(Command::SetTotp { user, device }).await?;
        tracing::info!(
            user = name,
            "one-time password device set up by an operator"
        );
        Ok(())
    }

    /// Takes a user's one-time password device away; false if there was none.
    ///
    /// # Errors
    /// As [`App::lift_ban`].
    pub async fn remove_totp(&self, user: UserName) -> Result<bool, ProposeError> {
        let name = user.to_string();
        let reply = self.propose(Command::RemoveTotp { user }).await?.reply;
        let is_removed = reply != Reply::Rejected(Rejection::Missing);
        if is_removed {
            tracing::info!(
                user = name,
                "one-time password device removed by an operator"
            );
        }
        Ok(is_removed)
    }

    async fn end_by(&self, command: Command) -> Result<u64, ProposeError> {
        match self.propose(command).await?.reply {
            Reply::Ended { count } => Ok(count),
            _ => Ok(0),
        }
    }
}
