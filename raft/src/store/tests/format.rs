//! Bytes on disk do not change by accident, such as an update of openraft.

use openraft::{Membership, StoredMembership};
use quorate_core::codec::{self, Kind};

use super::*;

const NORMAL: &str = "5152540101007000000037b36c5a02000000000000000700000000000000050000000000000001000000010000\
     0000000000050000000000000000000000000000000500000000000000050000000100000000000000000000000000000500000000000000\
     00000000000000000000000000000000000200000000000000";
const MEMBERSHIP: &str = "515254010100740000003808101402000000000000000700000000000000060000000000000002000000010000\
     00000000000100000000000000010000000000000002000000000000000100000000000000010000000000000061030000000000000068\
     3a3102000000000000000100000000000000620300000000000000683a31";
const META: &str = "515254010c00940000001808cc6801020000000000000007000000000000000600000000000000010100000000000000\
     07000000000000000000000000000000010000000000000001000000000000000100000000000000020000000000000001000000000000000\
     100000000000000610300000000000000683a3102000000000000000100000000000000620300000000000000683a310200000000000000\
     6964";

/// Checks that `value` is written as `hex` and read back from it.
fn check<T>(kind: Kind, value: &T, hex: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = codec::encode(kind, value).unwrap();
    let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, hex.replace(char::is_whitespace, ""));
    assert_eq!(codec::decode::<T>(kind, &bytes).unwrap(), *value);
}

fn membership() -> Membership<u64, Member> {
    let member = |name: &str| Member {
        name: name.to_owned(),
        address: "h:1".to_owned(),
    };
    let nodes: std::collections::BTreeMap<u64, Member> =
        [(1, member("a")), (2, member("b"))].into();
    Membership::new(vec![[1].into()], nodes)
}

#[test]
fn votes_and_log_ids_keep_their_bytes() {
    check(
        Kind::Vote,
        &Vote::new_committed(3, 9),
        "5152540102001100000096bb36c30300000000000000090000000000000001",
    );
    check(
        Kind::LogId,
        &log_id(3, 12),
        "5152540103001800000087661da0030000000000000007000000000000000c00000000000000",
    );
}

#[test]
fn entries_keep_their_bytes() {
    check(Kind::LogEntry, &entry(2, 5, 1), NORMAL);
    let entry = Entry {
        log_id: log_id(2, 6),
        payload: EntryPayload::Membership(membership()),
    };
    check(Kind::LogEntry, &entry, MEMBERSHIP);
    let entry = Entry {
        log_id: log_id(2, 7),
        payload: EntryPayload::Blank,
    };
    check(
        Kind::LogEntry,
        &entry,
        "5152540101001c000000adc8837c02000000000000000700000000000000070000000000000000000000",
    );
}

#[test]
fn the_metadata_of_snapshots_keep_their_bytes() {
    let meta = SnapshotMeta {
        last_log_id: Some(log_id(2, 6)),
        last_membership: StoredMembership::new(Some(log_id(1, 0)), membership()),
        snapshot_id: "id".to_owned(),
    };
    check(Kind::SnapshotMeta, &meta, META);
}
