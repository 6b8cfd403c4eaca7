//! An operator's bans.

use crate::{Attempts, Reply, State, Subject, Timestamp};

impl State {
    /// A ban without an end holds until it is lifted. A banned user's sessions end as well.
    pub(super) fn ban(&mut self, subject: &Subject, for_ms: Option<u64>) -> Reply {
        let until = for_ms.map_or(Timestamp(u64::MAX), |ms| self.now().plus_ms(ms));
        let mut attempts = self
            .reader
            .attempts
            .get(subject)
            .map(|attempts| (*attempts).clone())
            .unwrap_or_default();
        attempts.ban_until(until);
        self.reader.attempts.insert(subject.clone(), attempts);
        match subject {
            Subject::User(user) => self.kill_user(user, None),
            Subject::Address(_) | Subject::SecondFactor(_) => Reply::Ended { count: 0 },
        }
    }

    /// Forgets the ban and the failures that led to it; guesses under way still count when they end.
    pub(super) fn lift_ban(&mut self, subject: &Subject) -> Reply {
        let Some(attempts) = self.reader.attempts.get(subject) else {
            return Reply::Rejected(crate::Rejection::Missing);
        };
        if attempts.ban(self.now()).is_none() {
            return Reply::Rejected(crate::Rejection::Missing);
        }
        let mut attempts = Attempts::clone(&attempts);
        attempts.lift();
        if attempts == Attempts::default() {
            self.reader.attempts.remove(subject);
        } else {
            self.reader.attempts.insert(subject.clone(), attempts);
        }
        Reply::Done
    }
}
