//! The cluster as this node sees it, its disk, and what it runs with: read off at each scrape.

use prometheus::proto::MetricFamily;
use quorate_raft::{
    FLUSH_BUCKETS_US, Numbers, Role, SpreadNumbers, Status, StoreNumbers, Suffrage,
};

use super::family::{Sample, counter, gauge, histogram, seconds, spread};
use crate::app::App;

/// Everything of this module. `server_certificate_ends_at` is in seconds since the Unix epoch.
pub(super) fn families(app: &App, server_certificate_ends_at: Option<i64>) -> Vec<MetricFamily> {
    let status = app.node.status();
    let numbers = app.node.numbers();
    let mut families = here(app, &status);
    families.extend(raft(&status));
    families.extend(outcomes(&numbers));
    families.extend(members(&status, &numbers));
    families.extend(store(&status.store, &numbers));
    families.push(certificates(&numbers, server_certificate_ends_at));
    families
}

fn one(value: u64) -> [Sample; 1] {
    [Sample::new(value as f64)]
}

fn here(app: &App, status: &Status) -> Vec<MetricFamily> {
    let reader = app.node.reader();
    let build = Sample::new(1.0).with("version", env!("CARGO_PKG_VERSION"));
    vec![
        gauge(
            "quorate_build_info",
            "What this binary is; always 1.",
            [build],
        ),
        gauge(
            "quorate_ready",
            "1 if proxies should send requests here.",
            [Sample::flag(app.is_ready())],
        ),
        gauge(
            "quorate_failed",
            "1, with the cause, once this node has failed for good and is about to end.",
            [status.failure.as_ref().map_or_else(
                || Sample::new(0.0).with("cause", ""),
                |cause| Sample::new(1.0).with("cause", cause.as_str()),
            )],
        ),
        gauge(
            "quorate_sessions",
            "Sessions in the replicated state.",
            one(reader.session_count() as u64),
        ),
        counter(
            "quorate_touch_batches_total",
            "Batches of sessions' last uses that this node has replicated, each one log entry.",
            one(app.touch_batches()),
        ),
        gauge(
            "quorate_bans",
            "Users and addresses that are banned now.",
            one(reader.ban_count(app.now()) as u64),
        ),
        gauge(
            "quorate_lease_remaining_seconds",
            "How long this node may answer from its memory if nothing more is heard.",
            [Sample::new(status.lease_ms as f64 / 1e3)],
        ),
    ]
}

fn raft(status: &Status) -> Vec<MetricFamily> {
    let voters = status.members.iter();
    let voters = voters.filter(|member| member.suffrage == Suffrage::Voter);
    let flag = |is_so| [Sample::flag(is_so)];
    vec![
        gauge(
            "quorate_raft_is_leader",
            "1 if this node leads.",
            flag(status.role == Role::Leader),
        ),
        gauge(
            "quorate_raft_has_leader",
            "1 if this node knows a leader.",
            flag(status.leader.is_some()),
        ),
        gauge(
            "quorate_raft_has_quorum",
            "1 if this node sees a majority of the voters, itself or through its leader.",
            flag(status.has_quorum),
        ),
        gauge(
            "quorate_raft_voters",
            "Members that vote.",
            one(voters.count() as u64),
        ),
        gauge(
            "quorate_raft_term",
            "The number of the leadership.",
            one(status.term),
        ),
        gauge(
            "quorate_raft_last_log_index",
            "The newest entry in the log of this node.",
            one(status.last_log),
        ),
        gauge(
            "quorate_raft_committed_index",
            "The newest entry that this node knows to be committed.",
            one(status.committed),
        ),
        gauge(
            "quorate_raft_applied_index",
            "The newest entry whose effect readers of this node see.",
            one(status.applied),
        ),
        gauge(
            "quorate_raft_snapshot_index",
            "The newest entry in the newest snapshot; 0 without one.",
            one(status.snapshot),
        ),
    ]
}

/// What became of what was asked of the cluster.
fn outcomes(numbers: &Numbers) -> Vec<MetricFamily> {
    let proposals = [
        ("committed", numbers.proposals_committed),
        ("unavailable", numbers.proposals_unavailable),
        ("unknown", numbers.proposals_unknown),
    ];
    let proposals =
        proposals.map(|(result, count)| Sample::new(count as f64).with("result", result));
    vec![
        counter(
            "quorate_raft_elections_total",
            "How often this node stood for election.",
            one(numbers.elections),
        ),
        counter(
            "quorate_raft_leader_changes_total",
            "How often a leader took over, as seen here.",
            one(numbers.leader_changes),
        ),
        counter(
            "quorate_raft_proposals_total",
            "Commands of this node by what became of them.",
            proposals,
        ),
        counter(
            "quorate_peer_connections_refused_total",
            "Connections to the node-to-node listener that were refused, because none of a member.",
            one(numbers.connections_refused),
        ),
        histogram(
            "quorate_revocation_wait_seconds",
            "How long revocations waited after their commit until no node could allow any more what they ended.",
            [spread(&[], &numbers.revocation_wait)],
        ),
    ]
}

fn members(status: &Status, numbers: &Numbers) -> Vec<MetricFamily> {
    let lag = status.members.iter().filter_map(|member| {
        Some(Sample::new(member.lag? as f64).with("member", member.name.as_str()))
    });
    let silence = status.members.iter().filter_map(|member| {
        let silent = member.silent_ms? as f64 / 1e3;
        Some(Sample::new(silent).with("member", member.name.as_str()))
    });
    let of = |measure: fn(&quorate_raft::MemberNumbers) -> Option<f64>| {
        numbers.members.iter().filter_map(move |member| {
            Some(Sample::new(measure(member)?).with("member", member.name.as_str()))
        })
    };
    vec![
        gauge(
            "quorate_raft_lag_entries",
            "How many entries a member is behind; known to the leader only.",
            lag,
        ),
        gauge(
            "quorate_member_silence_seconds",
            "For how long a member has not been heard here.",
            silence,
        ),
        gauge(
            "quorate_member_reachable",
            "1 if a member answered the last question of this node, which asks every five seconds.",
            of(|member| Some(f64::from(u8::from(member.round_trip.is_some())))),
        ),
        gauge(
            "quorate_peer_round_trip_seconds",
            "From the last question to a member to its answer, without any disk.",
            of(|member| Some(member.round_trip?.as_secs_f64())),
        ),
        gauge(
            "quorate_peer_clock_offset_seconds",
            "The wall clock of a member minus that of this node.",
            of(|member| Some(member.clock_offset_ms? as f64 / 1e3)),
        ),
        gauge(
            "quorate_configuration_agrees",
            "1 if a member is configured as this node is.",
            of(|member| {
                member
                    .same_configuration
                    .map(|same| f64::from(u8::from(same)))
            }),
        ),
        gauge(
            "quorate_users_agree",
            "1 if a member has read the same users.",
            of(|member| member.same_users.map(|same| f64::from(u8::from(same)))),
        ),
    ]
}

fn store(store: &StoreNumbers, numbers: &Numbers) -> Vec<MetricFamily> {
    let (buckets, beyond) = store.flush_buckets.split_at(FLUSH_BUCKETS_US.len());
    let flushes = SpreadNumbers {
        buckets: FLUSH_BUCKETS_US
            .iter()
            .copied()
            .zip(buckets.iter().copied())
            .collect(),
        beyond: beyond.iter().sum(),
        sum_us: store.flush_us_sum,
    };
    let snapshot = numbers.snapshot;
    vec![
        histogram(
            "quorate_store_flush_duration_seconds",
            "How long it took to put a group of log records on disk for good.",
            [spread(&[], &flushes)],
        ),
        gauge(
            "quorate_store_flush_slowest_seconds",
            "The slowest flush since the start.",
            [Sample::new(seconds(store.flush_us_max))],
        ),
        counter(
            "quorate_store_written_bytes_total",
            "Bytes of log records written.",
            one(store.written_bytes),
        ),
        gauge(
            "quorate_store_log_entries",
            "Entries of the log that are kept.",
            one(store.log_entries),
        ),
        gauge(
            "quorate_store_log_bytes",
            "The encoded size of the log that is kept.",
            one(store.log_bytes),
        ),
        gauge(
            "quorate_store_engine_bytes",
            "The size of the log's files, as of the start and the newest purge.",
            one(store.engine_bytes),
        ),
        gauge(
            "quorate_store_free_bytes",
            "Bytes free on the file system of the data directory.",
            store.free_bytes.map(|free| Sample::new(free as f64)),
        ),
        gauge(
            "quorate_snapshot_timestamp_seconds",
            "When the newest snapshot was finished.",
            snapshot.map(|snapshot| Sample::new(snapshot.taken_at_ms as f64 / 1e3)),
        ),
        gauge(
            "quorate_snapshot_bytes",
            "The size of the newest snapshot.",
            snapshot.map(|snapshot| Sample::new(snapshot.bytes as f64)),
        ),
    ]
}

fn certificates(numbers: &Numbers, server_ends_at: Option<i64>) -> MetricFamily {
    let cluster = numbers.certificate_ends_at_ms;
    let cluster = cluster.map(|at| Sample::new(at as f64 / 1e3).with("certificate", "cluster"));
    let server = server_ends_at.map(|at| Sample::new(at as f64).with("certificate", "server"));
    gauge(
        "quorate_certificate_expiry_timestamp_seconds",
        "When a certificate ends: that of the main listener, and the one for other members, which renews itself.",
        cluster.into_iter().chain(server),
    )
}
