//! What openraft is told.

use std::time::Duration;

use openraft::{Config, SnapshotPolicy};

use crate::NodeConfig;
use crate::election::LEADER_SILENCE;

/// openraft's settings.
///
/// The heartbeat interval is mostly a time limit: a member that takes longer to answer, its disk included, cannot be
/// reached. Heartbeats are sent more often than openraft would, see [`lead`](super::lead), and elections are begun by
/// [`crate::election`] alone. A voter refuses candidates until `election_timeout_max` after the leader's last message.
#[expect(
    clippy::result_large_err,
    reason = "openraft's own error, once at the start"
)]
pub(super) fn settings(config: &NodeConfig) -> Result<Config, openraft::ConfigError> {
    let keep = config.snapshot_after.max(1);
    Config {
        cluster_name: "quorate".to_owned(),
        heartbeat_interval: 200,
        election_timeout_min: 300,
        election_timeout_max: ms(LEADER_SILENCE),
        enable_elect: false,
        install_snapshot_timeout: 10_000,
        snapshot_max_chunk_size: 1 << 20,
        max_payload_entries: 64,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(keep),
        max_in_snapshot_log_to_keep: keep,
        replication_lag_threshold: keep.saturating_mul(2),
        purge_batch_size: keep.min(256),
        ..Config::default()
    }
    .validate()
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
