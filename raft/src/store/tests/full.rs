//! A full disk.

use openraft::StorageError;
use tempfile::TempDir;

use super::mount::Disk;
use super::*;

/// Appends until the disk is full; the last acknowledged index.
async fn append_until_full(log: &mut LogStore) -> (u64, StorageError<u64>) {
    log.save_vote(&Vote::new(1, NODE)).await.unwrap();
    for index in 0.. {
        if let Err(error) = log.blocking_append([entry(1, index, 700)]).await {
            return (index - 1, error);
        }
    }
    panic!("the disk is never full");
}

/// Uses up the space that is left.
fn stuff(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for size in [1 << 16, 4096, 512, 1] {
        while file
            .write_all(&vec![1; size])
            .and_then(|()| file.sync_all())
            .is_ok()
        {}
    }
}

/// Fills the disk of a new node through its log, and what is left from outside; the last index that was acknowledged.
fn filled(disk: &Disk, options: &Options) -> u64 {
    std::fs::write(disk.path().join("other"), vec![1; 4 << 20]).unwrap();
    let mut opened = open(&disk.path().join("data"), options).unwrap();
    let (last, failure) = block_on(async {
        let (last, error) = append_until_full(&mut opened.log).await;
        assert!(error.to_string().contains("No space left"), "{error}");
        // Once failed, for ever failed: a sync is never tried again.
        assert!(opened.log.save_vote(&Vote::new(2, NODE)).await.is_err());
        (last, opened.fatal.wait().await)
    });
    assert!(failure.to_string().contains("No space left"), "{failure}");
    drop(opened);
    drop(Lock::take(&disk.path().join("data")).unwrap());
    stuff(&disk.path().join("other"));
    last
}

fn holds_all(opened: &mut Opened, last: u64) -> bool {
    let indexes = block_on(indexes(&mut opened.log));
    indexes
        .into_iter()
        .take_while(|index| *index <= last)
        .eq(0..=last)
}

#[test]
fn a_full_disk_stops_the_node_and_says_so_and_loses_nothing() {
    let Some(disk) = Disk::mounted(32 << 20) else {
        return;
    };
    let dir = disk.path().join("data");
    let without = Options {
        ballast_bytes: 0,
        ..options("n1")
    };
    let last = filled(&disk, &without);
    let refused = open(&dir, &without).unwrap_err();
    assert!(
        matches!(refused, OpenError::DiskFull { .. }),
        "{}",
        chain(&refused)
    );
    std::fs::remove_file(disk.path().join("other")).unwrap();
    assert!(holds_all(&mut open(&dir, &without).unwrap(), last));
}

#[test]
fn the_ballast_lets_a_node_open_on_a_full_disk() {
    let Some(disk) = Disk::mounted(32 << 20) else {
        return;
    };
    let dir = disk.path().join("data");
    let with = Options {
        ballast_bytes: 4 << 20,
        ..options("n1")
    };
    let last = filled(&disk, &with);
    assert!(dir.join("ballast").exists());
    let mut opened = open(&dir, &with).unwrap();
    assert!(!dir.join("ballast").exists());
    assert!(holds_all(&mut opened, last));
    block_on(opened.log.save_vote(&Vote::new(3, NODE))).unwrap();
    drop(opened);
    std::fs::remove_file(disk.path().join("other")).unwrap();
    drop(open(&dir, &with).unwrap());
    let is_back = dir.join("ballast").exists();
    assert_eq!(
        is_back,
        crate::store::ballast::free_bytes(&dir).unwrap() >= 12 << 20
    );
}

#[test]
fn the_ballast_is_as_large_as_asked_and_optional() {
    let dir = TempDir::new().unwrap();
    drop(open_n1(dir.path()).unwrap());
    assert_eq!(
        dir.path().join("ballast").metadata().unwrap().len(),
        1 << 20
    );
    let options = Options {
        ballast_bytes: 0,
        ..options("n1")
    };
    drop(open(dir.path(), &options).unwrap());
    assert!(!dir.path().join("ballast").exists());
}
