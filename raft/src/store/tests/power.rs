//! A power cut loses nothing that was said to be durable. A kill cannot show this: the page cache outlives a process.

use super::child::{Promises, Writing};
use super::mount::Disk;
use super::*;

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let Some(mut disk) = Disk::mounted(256 << 20) else {
        return;
    };
    let dir = disk.path().join("data");
    let mut dice = Dice(0x51ab_11a5_0000_0002);
    let mut promises = Promises::default();
    for _ in 0..20 {
        promises.round(&dir, &mut dice, |child: &mut Writing| {
            disk.cut_power();
            child.kill();
        });
        disk.unmount();
        disk.mount();
    }
    promises.round(&dir, &mut Dice(1), Writing::kill);
    assert!(
        promises.count > 1000,
        "only {} entries were written",
        promises.count
    );
}
