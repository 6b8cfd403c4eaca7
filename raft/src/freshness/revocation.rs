//! Waiting until a revocation is final, and how long that takes.

use super::{Attempt, Freshness};
use crate::clock::boot_time;
use crate::spread::SpreadNumbers;
use crate::types::LeaderTerm;

/// The buckets of how long a revocation waits: a round trip and a disk at best, a whole lease at worst.
pub(super) const WAIT_US: [u64; 12] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

impl Freshness {
    /// Waits until nobody can answer any more without the revocation at `index`, which is committed under `leader`.
    /// False if this node is deposed before that; then a later leader has to be asked.
    pub(crate) async fn barrier(&self, leader: LeaderTerm, index: u64) -> bool {
        let began_at = boot_time();
        let is_final = self.until_final(leader, index).await;
        if is_final {
            self.revocation_wait.record(boot_time().since(began_at));
        }
        is_final
    }

    /// How long revocations have waited in [`Freshness::barrier`].
    pub(crate) fn revocation_wait(&self) -> SpreadNumbers {
        self.revocation_wait.numbers()
    }

    async fn until_final(&self, leader: LeaderTerm, index: u64) -> bool {
        let mut is_noted = false;
        let mut applied = self.applied.clone();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = match self.try_barrier(leader, index, &mut is_noted) {
                Attempt::Final => return true,
                Attempt::Deposed => return false,
                Attempt::Wait(at_most) => at_most,
            };
            tokio::select! {
                () = changed => {}
                _ = applied.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
