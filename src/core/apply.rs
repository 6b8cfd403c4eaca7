//! The state transition: total, deterministic, and the only place that changes the state.

mod account;
mod ban;
mod factor;
mod guess;
mod session;

use crate::{Command, Proposal, Reply, State};

impl State {
    /// Applies one proposal and says what came of it. A retry of a remembered request gets the first answer again.
    ///
    /// Total: a refusal is a [`Reply::Rejected`], there is no error and no panic. Deterministic: see the rules at the
    /// top of this crate.
    pub fn apply(&mut self, proposal: &Proposal) -> Reply {
        self.set_now(self.now().max(proposal.at));
        if let Some(reply) = self.requests.reply(proposal.id) {
            return reply.clone();
        }
        self.set_in_force(self.reader.set().max(proposal.command.set()));
        let reply = self.execute(&proposal.command);
        self.requests
            .remember(proposal.id, self.now(), reply.clone());
        reply
    }

    fn execute(&mut self, command: &Command) -> Reply {
        match command {
            Command::Reserve {
                reservation,
                user,
                subjects,
                budget,
            } => self.reserve(*reservation, user.as_ref(), subjects, budget),
            Command::Resolve {
                reservation,
                subjects,
                budget,
                outcome,
            } => {
                self.resolve(*reservation, subjects, *outcome, budget);
                Reply::Done
            }
            Command::OpenSession {
                key,
                replaces,
                session,
                reservation,
                subjects,
                epoch,
                budget,
            } => {
                self.resolve(*reservation, subjects, crate::Outcome::Right, budget);
                self.open_session(*key, *replaces, session, *epoch)
            }
            Command::EndSession { key } => Reply::Ended {
                count: u64::from(self.end_session(key)),
            },
            Command::KillUser { user, keep } => self.kill_user(user, *keep),
            Command::TouchSessions { seen } => self.touch_sessions(seen),
            Command::ExpireSessions { keys } => self.expire_sessions(keys),
            Command::ExpireAttempts { subjects, budget } => self.expire_attempts(subjects, budget),
            Command::SetTotp { user, device } => self.set_totp(user, device),
            Command::RemoveTotp { user } => self.remove_totp(user),
            Command::UseTotp(totp) => self.use_totp(totp),
            Command::Ban { subject, for_ms } => self.ban(subject, *for_ms),
            Command::LiftBan { subject } => self.lift_ban(subject),
            Command::PutUser { account, replaces } => self.put_user(account, replaces.as_ref()),
            Command::SetPassword {
                user,
                password,
                keep,
            } => self.set_password(user, password, *keep),
            Command::DisableUser { user } => self.disable_user(user),
            Command::EnableUser { user } => self.enable_user(user),
            Command::RemoveUser { user } => self.remove_user(user),
            Command::OverridePassword {
                user,
                replaces,
                password,
                keep,
            } => self.override_password(user, *replaces, password, *keep),
        }
    }
}
