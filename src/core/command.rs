//! The replicated vocabulary: what can be asked of the cluster, and what it answers.
//!
//! The order of the variants is part of the format: a new one goes at the end, none is ever removed or changed.

use serde::{Deserialize, Serialize};

use crate::{
    Account, NewTotp, PasswordHash, RequestId, ReservationId, SessionKey, Subject, Timestamp,
    UserName,
};

/// One command on its way through the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The same in every retry of the same request.
    pub id: RequestId,
    /// Stamped by the leader as the proposal enters its log.
    pub at: Timestamp,
    /// What to do.
    pub command: Command,
}

/// What to do. Every id, hash and limit is already chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Reserve one guess for all of `subjects`, or for none. Answers [`Reply::Reserved`], [`Rejection::Banned`] or
    /// [`Rejection::Busy`].
    Reserve {
        /// Names the guess in the command that resolves it.
        reservation: ReservationId,
        /// The user whose credentials are to be checked, if there is one of that name; the reply tells their epoch.
        user: Option<UserName>,
        /// Whose guess records change by it; at most [`Command::SUBJECTS_MAX`], none for an unknown name.
        subjects: Vec<Subject>,
        /// What is allowed.
        budget: Budget,
    },
    /// Say how a reserved guess ended. Answers [`Reply::Done`], also when the reservation has expired already.
    Resolve {
        /// The guess.
        reservation: ReservationId,
        /// The subjects it was reserved for.
        subjects: Vec<Subject>,
        /// What is allowed.
        budget: Budget,
        /// How it ended.
        outcome: Outcome,
    },
    /// Open a session after a right guess, which is resolved by the same command. Answers [`Reply::Done`] or
    /// [`Rejection::Outdated`].
    OpenSession {
        /// SHA-256 of the new token.
        key: SessionKey,
        /// The session this one takes the place of; it ends.
        replaces: Option<SessionKey>,
        /// The session.
        session: NewSession,
        /// The guess that earned it.
        reservation: ReservationId,
        /// The subjects it was reserved for.
        subjects: Vec<Subject>,
        /// What is allowed.
        budget: Budget,
        /// The user's epoch when the credentials were checked. If it has risen since, nothing is opened.
        epoch: u64,
    },
    /// End one session. Revoking. Answers [`Reply::Ended`].
    EndSession {
        /// The session.
        key: SessionKey,
    },
    /// End every session of a user, but for `keep`, and refuse every login that is under way. Revoking. Answers
    /// [`Reply::Ended`].
    KillUser {
        /// The user.
        user: UserName,
        /// The session that asked for it, if it may stay.
        keep: Option<SessionKey>,
    },
    /// Tell when sessions were last used. Answers [`Reply::Done`].
    TouchSessions {
        /// At most [`Command::TOUCHES_MAX`] sessions, with the time of their last use.
        seen: Vec<(SessionKey, Timestamp)>,
    },
    /// Remove those of the sessions that have ended by themselves. Answers [`Reply::Ended`].
    ExpireSessions {
        /// At most [`Command::BATCH_MAX`] sessions that the leader found expired.
        keys: Vec<SessionKey>,
    },
    /// Bring the guess records of the subjects up to date and drop those that say nothing more. Answers
    /// [`Reply::Done`].
    ExpireAttempts {
        /// At most [`Command::BATCH_MAX`] subjects that the leader found outdated.
        subjects: Vec<Subject>,
        /// What is allowed.
        budget: Budget,
    },
    /// Give a user a one-time password device in place of any older one. Answers [`Reply::Done`].
    SetTotp {
        /// The user.
        user: UserName,
        /// The device.
        device: NewTotp,
    },
    /// Take a user's one-time password device away; sessions stay as they are. Answers [`Reply::Done`] or
    /// [`Rejection::Missing`].
    RemoveTotp {
        /// The user.
        user: UserName,
    },
    /// Accept a one-time password that was found right, once in the cluster, and open a session of two factors in place
    /// of the one it was given in. Revoking: the old session ends. Answers [`Reply::Done`], [`Rejection::Used`] or
    /// [`Rejection::Outdated`]; the guess is resolved in any case.
    UseTotp(TotpUse),
    /// Ban a subject by an operator's will; a user's sessions end. Revoking. Answers [`Reply::Ended`].
    Ban {
        /// Who is banned.
        subject: Subject,
        /// For how long, in milliseconds; `None`: until it is lifted.
        for_ms: Option<u64>,
    },
    /// Lift a ban, whoever imposed it, and forget the failures. Answers [`Reply::Done`] or [`Rejection::Missing`].
    LiftBan {
        /// Who is banned.
        subject: Subject,
    },
    /// Put a user into the cluster. Revoking if in place of what the cluster knows of them: nobody decides by the older
    /// groups when it is answered, and sessions end if the password changes or the user becomes disabled. Answers
    /// [`Reply::Ended`] or [`Rejection::Outdated`].
    PutUser {
        /// The user.
        account: Account,
        /// [`Account::digest`] of what it takes the place of; `None`: there must be nobody of that name.
        replaces: Option<[u8; 32]>,
    },
    /// Change the password of one of the cluster's users; all sessions but `keep` end. Revoking. Answers
    /// [`Reply::Ended`] or [`Rejection::Missing`].
    SetPassword {
        /// The user.
        user: UserName,
        /// The new password.
        password: PasswordHash,
        /// The session that asked for it, if it may stay.
        keep: Option<SessionKey>,
    },
    /// Let one of the cluster's users not log in any more; all sessions end. Revoking. Answers [`Reply::Ended`] or
    /// [`Rejection::Missing`].
    DisableUser {
        /// The user.
        user: UserName,
    },
    /// Let one of the cluster's users log in again. Answers [`Reply::Done`] or [`Rejection::Missing`].
    EnableUser {
        /// The user.
        user: UserName,
    },
    /// Forget one of the cluster's users, second factors included; all sessions end. Revoking. Answers
    /// [`Reply::Ended`] or [`Rejection::Missing`].
    RemoveUser {
        /// The user.
        user: UserName,
    },
    /// Put a password in place of the one that the users file declares; all sessions but `keep` end. Revoking. Answers
    /// [`Reply::Ended`].
    OverridePassword {
        /// The user.
        user: UserName,
        /// [`PasswordHash::digest`] of the password in the file.
        replaces: [u8; 32],
        /// The new password.
        password: PasswordHash,
        /// The session that asked for it, if it may stay.
        keep: Option<SessionKey>,
    },
}

/// A one-time password that was found right, and the session it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpUse {
    /// SHA-256 of the new token.
    pub key: SessionKey,
    /// The session in which the password was given; it ends, and must be live until then.
    pub replaces: SessionKey,
    /// The session.
    pub session: NewSession,
    /// The guess that earned it.
    pub reservation: ReservationId,
    /// The subjects it was reserved for.
    pub subjects: Vec<Subject>,
    /// What is allowed.
    pub budget: Budget,
    /// The user's epoch when the password was checked.
    pub epoch: u64,
    /// The revision of the device that the password was checked against.
    pub revision: u64,
    /// The second, since the Unix epoch, in which the password's period began.
    pub start_s: u64,
    /// Whether a password that was used before is accepted again, as the operator may wish.
    pub may_repeat: bool,
}

impl Command {
    /// The most subjects of one guess.
    pub const SUBJECTS_MAX: usize = 2;
    /// The most items of one bulk command.
    pub const BATCH_MAX: usize = 256;
    /// The most sessions of one [`Command::TouchSessions`]: 160 KiB, so that one log entry holds it.
    pub const TOUCHES_MAX: usize = 4_096;
    /// The newest set of commands that this program can apply; it rises with every release that adds one.
    pub const SET: u32 = 2;

    /// The set that brought this command. It is proposed only when every member knows that set, and from then on the
    /// set is in force: a program that does not know it can be no member any more.
    #[must_use]
    pub const fn set(&self) -> u32 {
        match self {
            Self::Reserve { .. }
            | Self::Resolve { .. }
            | Self::OpenSession { .. }
            | Self::EndSession { .. }
            | Self::KillUser { .. }
            | Self::TouchSessions { .. }
            | Self::ExpireSessions { .. }
            | Self::ExpireAttempts { .. }
            | Self::SetTotp { .. }
            | Self::RemoveTotp { .. }
            | Self::UseTotp(_)
            | Self::Ban { .. }
            | Self::LiftBan { .. } => 1,
            Self::PutUser { .. }
            | Self::SetPassword { .. }
            | Self::DisableUser { .. }
            | Self::EnableUser { .. }
            | Self::RemoveUser { .. }
            | Self::OverridePassword { .. } => 2,
        }
    }

    /// Whether the reply has to wait until no node allows any more what this command ends.
    #[must_use]
    pub const fn is_revoking(&self) -> bool {
        matches!(
            self,
            Self::EndSession { .. }
                | Self::KillUser { .. }
                | Self::UseTotp(_)
                | Self::Ban { .. }
                | Self::SetPassword { .. }
                | Self::DisableUser { .. }
                | Self::RemoveUser { .. }
                | Self::OverridePassword { .. }
        ) || matches!(
            self,
            Self::OpenSession {
                replaces: Some(_),
                ..
            } | Self::PutUser {
                replaces: Some(_),
                ..
            }
        )
    }
}

/// What is allowed to a subject; carried in the command, because `apply` knows no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The most guesses that may be open or have failed within `window_ms`; at least 1.
    pub guesses_max: u32,
    /// How long a failure counts, in milliseconds.
    pub window_ms: u64,
    /// How long a ban lasts from the failure that filled the budget, in milliseconds.
    pub ban_ms: u64,
    /// After this many milliseconds an unresolved reservation counts as a failure.
    pub reservation_ms: u64,
}

/// How a guess ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was right: the user's failures are forgotten, an address's are not.
    Right,
    /// It was wrong and counts.
    Wrong,
    /// It was never looked at (no worker was free, the directory was down) and does not count.
    NotChecked,
}

/// A session to be opened. Its times are relative, so that replicated time decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSession {
    /// Whose session it is.
    pub user: UserName,
    /// The cookie domain it is good for.
    pub domain: String,
    /// How far the visitor has proven who they are.
    pub level: crate::Level,
    /// Its longest life, in milliseconds.
    pub lifetime_ms: u64,
    /// How long it outlives its last use, in milliseconds; `None` for a remembered session.
    pub inactivity_ms: Option<u64>,
}

/// What the cluster answers to one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Done as asked.
    Done,
    /// The guess is reserved.
    Reserved {
        /// The epoch of the command's user at this point of the log; 0 without a user.
        epoch: u64,
    },
    /// Sessions have ended.
    Ended {
        /// How many.
        count: u64,
    },
    /// Nothing changed, for this reason.
    Rejected(Rejection),
}

/// Why a command changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejection {
    /// A subject is banned.
    #[error("banned until {} ms", until.0)]
    Banned {
        /// When the ban ends, in replicated time.
        until: Timestamp,
    },
    /// The budget is used up by guesses that are still open; a later try may succeed.
    #[error("every guess that is left is being checked")]
    Busy,
    /// What the command was checked against has changed since.
    #[error("the user changed while the credentials were checked")]
    Outdated,
    /// The one-time password was right and has been accepted before.
    #[error("the one-time password was used before")]
    Used,
    /// There is nothing of that name.
    #[error("there is no such thing")]
    Missing,
}
