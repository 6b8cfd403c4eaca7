//! Keeps the log short where entries are large. Raft counts entries, and takes a snapshot after so many of them; memory
//! and disk count bytes, and under a flood of writes one entry holds hundreds of commands.

use std::sync::Arc;
use std::time::Duration;

use crate::node::Inner;

const EVERY: Duration = Duration::from_secs(1);
/// How long a snapshot may take before it is asked for again.
const SNAPSHOT_MAX: Duration = Duration::from_secs(60);

/// Shortens the log whenever it takes more than `bytes_max`.
pub(crate) async fn run(node: Arc<Inner>, bytes_max: u64) {
    loop {
        tokio::time::sleep(EVERY).await;
        if node.store_metrics.numbers().log_bytes > bytes_max {
            shorten(&node).await;
        }
    }
}

/// Takes a snapshot of what is applied by now and drops what is in it. A member that needs what was dropped gets the
/// snapshot instead. Raft itself says what it cannot do just now; the next look asks again.
async fn shorten(node: &Inner) {
    let Some(applied) = node.raft.metrics().borrow().last_applied else {
        return;
    };
    let _ = node.raft.trigger().snapshot().await;
    let taken = node.raft.wait(Some(SNAPSHOT_MAX));
    let taken = taken.metrics(|metrics| metrics.snapshot >= Some(applied), "a snapshot");
    if let Ok(metrics) = taken.await
        && let Some(snapshot) = metrics.snapshot
    {
        let _ = node.raft.trigger().purge_log(snapshot.index).await;
    }
}
