//! Log lines that would repeat, said once in a while.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::boot_time;
use crate::lease::Boot;

/// The same complaint is logged again after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Complaints about one thing that are told apart; beyond it the oldest is forgotten and may come again early.
const KINDS_MAX: usize = 16;

/// Remembers the complaints about one thing, so that two that alternate do not fill the log either.
#[derive(Debug, Default)]
pub(crate) struct Repeated(Mutex<VecDeque<(String, Boot)>>);

impl Repeated {
    /// Calls `say` if `text` is news, or a minute old.
    pub(crate) fn warn(&self, text: &str, say: impl FnOnce()) {
        let now = boot_time();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|(_, at)| now.since(*at) <= AGAIN_AFTER);
        if said.iter().any(|(known, _)| known == text) {
            return;
        }
        if said.len() >= KINDS_MAX {
            said.pop_front();
        }
        said.push_back((text.to_owned(), now));
        say();
    }

    /// Calls `say` if there was a complaint, and forgets all.
    pub(crate) fn over(&self, say: impl FnOnce()) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.is_empty() {
            said.clear();
            say();
        }
    }
}
