//! Where guesses at one subject wait for those that are being checked.
//!
//! One login of each subject and node asks the cluster at a time, and first come is first served: fifty right passwords
//! at once then all get their turn, and cost the log no more questions than there are nodes.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use quorate_core::Subject;
use tokio::sync::{Mutex, MutexGuard};

/// Lines in which subjects wait. Two subjects may share one, which costs time and nothing else; the hash is random, so
/// nobody can choose whom to wait with.
const LINES: usize = 64;

/// The lines of this node.
#[derive(Debug)]
pub(super) struct Line {
    hasher: RandomState,
    lines: [Mutex<()>; LINES],
}

impl Default for Line {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            lines: std::array::from_fn(|_| Mutex::new(())),
        }
    }
}

impl Line {
    /// Waits for the turn of a guess at `subjects`, until `give_up` at the latest; `None` if it did not come. Others
    /// wait as long as the turn is held.
    pub(super) async fn turn(
        &self,
        subjects: &[Subject],
        give_up: Instant,
    ) -> Option<MutexGuard<'_, ()>> {
        let first = subjects.first()?;
        let place = self.hasher.hash_one(first) % LINES as u64;
        let line = self.lines.get(usize::try_from(place).ok()?)?;
        tokio::time::timeout_at(give_up.into(), line.lock())
            .await
            .ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use std::time::Duration;

    use quorate_core::UserName;

    use super::*;

    fn subject(name: &str) -> Vec<Subject> {
        vec![Subject::User(UserName::parse(name).unwrap())]
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_no_longer_than_it_may() {
        let line = Line::default();
        let soon = || Instant::now() + Duration::from_millis(20);
        let first = line.turn(&subject("john"), soon()).await;
        assert!(first.is_some());
        assert!(line.turn(&subject("john"), soon()).await.is_none());
        drop(first);
        assert!(line.turn(&subject("john"), soon()).await.is_some());
    }

    #[tokio::test]
    async fn a_guess_that_nobody_counts_has_no_line() {
        assert!(Line::default().turn(&[], Instant::now()).await.is_none());
    }
}
