//! A killed process loses nothing that it said was durable.

use tempfile::TempDir;

use super::child::{Promises, Writing};
use super::*;

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = TempDir::new().unwrap();
    let mut dice = Dice(0x51ab_11a5_0000_0001);
    let mut promises = Promises::default();
    for _ in 0..30 {
        promises.round(dir.path(), &mut dice, Writing::kill);
    }
    promises.round(dir.path(), &mut Dice(1), Writing::kill);
    assert!(
        promises.count > 1000,
        "only {} entries were written",
        promises.count
    );
}
