//! The unit in which sled uses its file.

use tempfile::TempDir;

use super::*;

#[test]
fn a_directory_of_an_older_program_keeps_its_segments_and_opens() {
    let dir = TempDir::new().unwrap();
    let mut opened = open_n1(dir.path()).unwrap();
    block_on(fill(&mut opened.log, 0, 50));
    drop(opened);
    let log = dir.path().join("log");
    assert_eq!(sled::segment_bytes(&log), 2 << 20);
    drop(Lock::take(dir.path()).unwrap());

    // As programs made it before segments were enlarged.
    let old = TempDir::new().unwrap();
    drop(
        ::sled::Config::new()
            .path(old.path().join("log"))
            .open()
            .unwrap(),
    );
    assert_eq!(sled::segment_bytes(&old.path().join("log")), 512 << 10);
    let mut engine = SledEngine::open(&old.path().join("log")).unwrap();
    engine
        .write(&[Op::Put {
            index: 0,
            record: vec![7; 9_000],
        }])
        .unwrap();
    assert_eq!(engine.scan().unwrap(), [(0, vec![7; 9_000])]);
}

#[test]
fn a_sync_comes_after_the_same_part_of_whatever_segments_there_are() {
    for (segment, expected) in [(512 << 10, 24 << 10), (2 << 20, 97 << 10)] {
        let dir = TempDir::new().unwrap();
        let log = dir.path().join("log");
        drop(
            ::sled::Config::new()
                .path(&log)
                .segment_size(segment)
                .open()
                .unwrap(),
        );
        let engine = SledEngine::open(&log).unwrap();
        assert_eq!(engine.synced_after() >> 10, expected >> 10);
    }
}
