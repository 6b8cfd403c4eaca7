//! How far a durable snapshot reaches, told by the state machine to the log.
//!
//! openraft purges the log while the snapshot that replaces it may still be on its way to the disk. A power cut between
//! the two would leave neither. So the log on disk is purged no further than a durable snapshot reaches.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Shared by the log's writer and the state machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Covered(Arc<(Mutex<Reach>, Condvar)>);

#[derive(Debug, Default)]
struct Reach {
    /// The first index that no durable snapshot holds.
    next_index: u64,
    /// No further snapshot will come.
    is_closed: bool,
}

impl Covered {
    /// A snapshot that holds `index` and all before it is durable.
    pub(crate) fn extend_to(&self, index: u64) {
        let (reach, changed) = &*self.0;
        let mut reach = reach.lock().unwrap_or_else(PoisonError::into_inner);
        reach.next_index = reach.next_index.max(index.saturating_add(1));
        changed.notify_all();
    }

    /// No further snapshot will come; whoever waits gives up.
    pub(crate) fn close(&self) {
        let (reach, changed) = &*self.0;
        reach
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_closed = true;
        changed.notify_all();
    }

    /// Whether a durable snapshot holds `index`.
    pub(crate) fn reaches(&self, index: u64) -> bool {
        let (reach, _) = &*self.0;
        index
            < reach
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next_index
    }

    /// Waits until a durable snapshot holds `index`; false if none will come.
    pub(crate) fn wait_for(&self, index: u64) -> bool {
        let (reach, changed) = &*self.0;
        let reach = changed
            .wait_while(
                reach.lock().unwrap_or_else(PoisonError::into_inner),
                |reach| reach.next_index <= index && !reach.is_closed,
            )
            .unwrap_or_else(PoisonError::into_inner);
        index < reach.next_index
    }
}
