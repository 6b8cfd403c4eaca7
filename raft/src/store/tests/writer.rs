//! The writer against an engine that fails.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::engine::{EngineError, LogEngine, MetaKey, Op};
use super::*;

/// Writes nothing, and fails from the write on that `left` says.
struct Failing {
    left: u32,
    tried: Arc<AtomicU32>,
}

impl LogEngine for Failing {
    fn write(&mut self, _batch: &[Op]) -> io::Result<()> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the disk is on fire"))?;
        Ok(())
    }

    fn scan(&mut self) -> Result<Vec<(u64, Vec<u8>)>, EngineError> {
        Ok(Vec::new())
    }

    fn meta(&mut self, _key: MetaKey) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(None)
    }

    fn size(&self) -> u64 {
        0
    }
}

struct Bench {
    dir: TempDir,
    log: LogStore,
    fatal: Fatal,
    tried: Arc<AtomicU32>,
}

fn bench(writes: u32) -> Bench {
    let dir = TempDir::new().unwrap();
    let shared = Shared {
        covered: Covered::default(),
        metrics: Arc::new(StoreMetrics::new(dir.path().to_owned())),
        failures: Failures::new(),
    };
    let tried = Arc::new(AtomicU32::new(0));
    let engine = Failing {
        left: writes,
        tried: Arc::clone(&tried),
    };
    let mark = Mark::open(dir.path()).unwrap();
    let ballast = Ballast::new(dir.path(), 0);
    let writer = Writer::new(engine, mark, ballast, &Window::default(), shared.clone());
    let (queue, writes) = mpsc::channel();
    std::thread::spawn(move || writer.run(&writes));
    Bench {
        dir,
        log: LogStore::new(Window::default(), NODE, queue, shared.metrics),
        fatal: shared.failures.watch(),
        tried,
    }
}

#[test]
fn a_failed_write_fails_everything_that_waits_and_is_never_tried_again() {
    let mut bench = bench(1);
    block_on(async {
        bench.log.save_vote(&Vote::new(1, NODE)).await.unwrap();
        assert!(bench.log.blocking_append([entry(1, 0, 0)]).await.is_err());
        assert!(bench.log.blocking_append([entry(1, 1, 0)]).await.is_err());
        assert!(bench.log.save_vote(&Vote::new(2, NODE)).await.is_err());
        let failure = bench.fatal.wait().await;
        assert_eq!(
            failure.to_string(),
            "the log cannot be written any more: the disk is on fire"
        );
        assert_eq!(
            bench.log.read_vote().await.unwrap(),
            Some(Vote::new(1, NODE))
        );
    });
    assert_eq!(bench.tried.load(Ordering::Relaxed), 2);
}

#[test]
fn the_mark_goes_down_before_entries_are_removed() {
    let mut bench = bench(1);
    block_on(async {
        let entries = (0..=9).map(|index| entry(1, index, 0));
        bench.log.blocking_append(entries).await.unwrap();
        // The engine fails here, and may have removed some of them.
        bench.log.truncate(log_id(1, 5)).await.unwrap();
        bench.fatal.wait().await;
    });
    let mark = Mark::open(bench.dir.path()).unwrap();
    assert_eq!(mark.last(), Some(log_id(1, 4)));
}

#[test]
fn a_hole_is_never_written() {
    let mut bench = bench(9);
    block_on(async {
        bench.log.blocking_append([entry(1, 0, 0)]).await.unwrap();
        assert!(bench.log.blocking_append([entry(1, 2, 0)]).await.is_err());
        let failure = bench.fatal.wait().await;
        assert!(
            failure.to_string().contains("entry 2 does not follow"),
            "{failure}"
        );
    });
}

#[test]
fn closing_in_good_order_is_no_failure() {
    let Bench { log, mut fatal, .. } = bench(9);
    drop(log);
    block_on(async {
        let limit = std::time::Duration::from_millis(100);
        assert!(tokio::time::timeout(limit, fatal.wait()).await.is_err());
    });
}

#[test]
fn a_panic_of_the_writer_is_told() {
    let failures = Failures::new();
    let mut fatal = failures.watch();
    let thread = std::thread::spawn(move || {
        let _alarm = failures.alarm("the log's writer");
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    assert_eq!(
        block_on(fatal.wait()).to_string(),
        "the log's writer ended by a panic"
    );
}
