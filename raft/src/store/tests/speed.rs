//! What a durable write costs beside one `fdatasync`. Prints, judges nothing.

use std::io::Write;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

const ROUNDS: u64 = 200;

fn p50(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn the_cost_of_a_durable_write_is_printed() {
    let dir = TempDir::new().unwrap();
    let mut file = std::fs::File::create(dir.path().join("floor")).unwrap();
    let sync = |file: &mut std::fs::File| {
        let begun = Instant::now();
        file.write_all(&[7; 200]).unwrap();
        file.sync_data().unwrap();
        begun.elapsed()
    };
    let floor = p50((0..ROUNDS).map(|_| sync(&mut file)).collect());
    let mut log = open_n1(&dir.path().join("data")).unwrap().log;
    let stored = block_on(async {
        let mut times = Vec::new();
        for index in 0..ROUNDS {
            let begun = Instant::now();
            log.blocking_append([entry(1, index, 4)]).await.unwrap();
            times.push(begun.elapsed());
        }
        p50(times)
    });
    eprintln!("append and fdatasync p50 {floor:?}, durable log entry p50 {stored:?}");
    assert_eq!(block_on(indexes(&mut log)).len() as u64, ROUNDS);
}
