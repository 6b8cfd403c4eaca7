//! What became of this node's commands, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::ProposeError;
use crate::proposer::Committed;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    committed: AtomicU64,
    unavailable: AtomicU64,
    unknown: AtomicU64,
}

impl Outcomes {
    pub(super) fn count(&self, outcome: &Result<Committed, ProposeError>) {
        let count = match outcome {
            Ok(_) => &self.committed,
            Err(ProposeError::Unavailable { .. } | ProposeError::NotKnown { .. }) => {
                &self.unavailable
            }
            Err(ProposeError::Unknown) => &self.unknown,
        };
        count.fetch_add(1, Relaxed);
    }

    /// Committed, unavailable, unknown.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let [committed, unavailable, unknown] =
            [&self.committed, &self.unavailable, &self.unknown].map(|count| count.load(Relaxed));
        (committed, unavailable, unknown)
    }
}
