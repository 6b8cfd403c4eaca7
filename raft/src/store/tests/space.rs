//! What a rolling log takes on disk: at most twice what it holds, and 64 MiB.
//!
//! `QUORATE_TEST_SPACE_ENTRIES=1000000 cargo test -p quorate-raft store::tests::space -- --nocapture` rolls a million
//! entries of each size through.

use std::path::Path;

use tempfile::TempDir;

use super::*;

/// Entries unless the variable says otherwise; enough for the log to be purged often.
const USUAL: u64 = 30_000;
const ENTRIES: &str = "QUORATE_TEST_SPACE_ENTRIES";
/// The bound beside twice the live data.
const ROOM: u64 = 64 << 20;

/// Bytes that the files below `dir` take on the disk.
fn disk_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let Ok(data) = path.metadata() else {
            continue;
        };
        sum += if data.is_dir() {
            disk_bytes(&path)
        } else {
            data.blocks() * 512
        };
    }
    sum
}

/// Rolls `count` entries through a log of which `kept` to twice as many stay, as a node with snapshots does.
fn roll(count: u64, kept: u64, touched: usize) {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let options = Options {
        ballast_bytes: Options::BALLAST_BYTES,
        ..options("n1")
    };
    let mut opened = open(&data, &options).unwrap();
    opened.machine.pretend_covered();
    let log = &mut opened.log;
    let mut most = (0, 0);
    let mut written = 0;
    block_on(async {
        log.save_vote(&Vote::new(1, NODE)).await.unwrap();
        let mut purged = 0;
        while written < count {
            let batch = (written..written + 64).map(|index| entry(1, index, touched));
            log.blocking_append(batch).await.unwrap();
            written += 64;
            if written - purged >= 2 * kept {
                purged = written - kept;
                log.purge(log_id(1, purged - 1)).await.unwrap();
            }
            if written.is_multiple_of(64 * 10) {
                let (live, used) = (opened.metrics.numbers().log_bytes, disk_bytes(&data));
                most = most.max((used, live));
                assert!(
                    used <= 2 * live + ROOM,
                    "{written} entries: {used} bytes for {live} live ones"
                );
            }
        }
    });
    let (used, live) = most;
    let each = opened.metrics.numbers().written_bytes / written;
    eprintln!(
        "{written} entries of {each} bytes: {used} bytes on disk at most, ballast included, for {live} live ones"
    );
    assert!(written - block_on(indexes(&mut opened.log)).len() as u64 > count / 2);
}

#[test]
fn a_rolling_log_takes_at_most_twice_what_is_live_and_64_mib() {
    let count = std::env::var(ENTRIES).map_or(USUAL, |count| count.parse().unwrap());
    // A node keeps 10,000 entries beyond a snapshot; the usual count is too small for that.
    let kept = (count / 10).min(10_000);
    roll(count, kept, 6);
    // Full groups are larger. So are the entries of a flood; they are rolled through a shorter log.
    roll(count / 10, kept / 10, 200);
}
