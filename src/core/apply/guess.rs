//! Guesses: reserve, resolve, forget.

use crate::{Attempts, Budget, Outcome, Reply, ReservationId, State, Subject, UserName};

impl State {
    /// All subjects allow the guess, or none is charged.
    pub(super) fn reserve(
        &mut self,
        reservation: ReservationId,
        user: Option<&UserName>,
        subjects: &[Subject],
        budget: &Budget,
    ) -> Reply {
        let now = self.now();
        let mut charged = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let mut attempts = self.attempts(subject);
            if let Err(rejection) = attempts.check(budget, now) {
                return Reply::Rejected(rejection);
            }
            attempts.reserve(reservation, budget, now);
            charged.push(attempts);
        }
        for (subject, attempts) in subjects.iter().zip(charged) {
            self.reader.attempts.insert(subject.clone(), attempts);
        }
        let epoch = user
            .and_then(|user| self.users.get(user))
            .map_or(0, |user| user.epoch);
        Reply::Reserved { epoch }
    }

    /// A right guess forgives the user's failures at the same factor, never the address's: whoever has one account could
    /// else guess at all others for ever.
    pub(super) fn resolve(
        &mut self,
        id: ReservationId,
        subjects: &[Subject],
        outcome: Outcome,
        budget: &Budget,
    ) {
        for subject in subjects {
            let mut attempts = self.attempts(subject);
            attempts.resolve(id, outcome, budget, self.now());
            if outcome == Outcome::Right && !matches!(subject, Subject::Address(_)) {
                attempts.forgive();
            }
            self.store_attempts(subject, attempts, budget);
        }
    }

    pub(super) fn expire_attempts(&mut self, subjects: &[Subject], budget: &Budget) -> Reply {
        for subject in subjects {
            let mut attempts = self.attempts(subject);
            attempts.advance(budget, self.now());
            self.store_attempts(subject, attempts, budget);
        }
        Reply::Done
    }

    fn attempts(&self, subject: &Subject) -> Attempts {
        self.reader
            .attempts
            .get(subject)
            .map(|attempts| (*attempts).clone())
            .unwrap_or_default()
    }

    /// An empty record is no record, so that the state holds only subjects that something is known of.
    fn store_attempts(&mut self, subject: &Subject, attempts: Attempts, budget: &Budget) {
        if attempts.is_empty(budget, self.now()) {
            self.reader.attempts.remove(subject);
        } else {
            self.reader.attempts.insert(subject.clone(), attempts);
        }
    }
}
