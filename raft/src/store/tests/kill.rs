//! A killed process loses nothing that it said was durable.

use tempfile::TempDir;

use super::child::{Promises, Syncing, Writing};
use super::*;

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = TempDir::new().unwrap();
    let mut dice = Dice(0x51ab_11a5_0000_0001);
    let mut promises = Promises::default();
    for _ in 0..30 {
        let kept = promises.round(dir.path(), &mut dice, Syncing::Full, Writing::kill);
        kept.unwrap();
    }
    let kept = promises.round(dir.path(), &mut Dice(1), Syncing::Full, Writing::kill);
    kept.unwrap();
    assert!(
        promises.count > 1000,
        "only {} entries were written",
        promises.count
    );
}
