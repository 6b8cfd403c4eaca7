//! A power cut loses nothing that was said to be durable. A kill cannot show this: the page cache outlives a process.

use super::child::{Promises, Syncing, Writing};
use super::mount::Disk;
use super::*;

const CUTS: u32 = 40;

/// Writes on `disk` until its power is cut, and mounts it again.
fn cut(
    promises: &mut Promises,
    disk: &mut Disk,
    dice: &mut Dice,
    how: Syncing,
) -> Result<(), String> {
    let dir = disk.path().join("data");
    let kept = promises.round(&dir, dice, how, |child: &mut Writing| {
        disk.cut_power();
        child.kill();
    });
    disk.unmount();
    disk.mount();
    kept
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let Some(mut disk) = Disk::mounted(256 << 20) else {
        return;
    };
    let mut dice = Dice(0x51ab_11a5_0000_0002);
    let mut promises = Promises::default();
    for number in 1..=CUTS {
        let kept = cut(&mut promises, &mut disk, &mut dice, Syncing::Full);
        assert_eq!(kept, Ok(()), "cut {number}");
    }
    let dir = disk.path().join("data");
    let kept = promises.round(&dir, &mut Dice(1), Syncing::Full, Writing::kill);
    assert_eq!(kept, Ok(()), "after the last cut");
    assert!(
        promises.count > 1000,
        "only {} entries were written",
        promises.count
    );
}

/// The test above can fail, and what it would find is what the `fdatasync` is for.
#[test]
fn without_the_fdatasync_power_cuts_lose_what_was_acknowledged() {
    let mut dice = Dice(0x51ab_11a5_0000_0003);
    let mut losses = Vec::new();
    let mut cuts = 0;
    while cuts < CUTS && losses.len() < 2 {
        let Some(mut disk) = Disk::mounted(256 << 20) else {
            return;
        };
        let mut promises = Promises::default();
        // What a cut has lost is found when the store is opened again.
        while cuts < CUTS {
            cuts += 1;
            let kept = cut(&mut promises, &mut disk, &mut dice, Syncing::SledAlone);
            if let Err(loss) = kept {
                losses.push(loss);
                break;
            }
        }
    }
    eprintln!(
        "sled alone: {} losses in {cuts} power cuts: {losses:#?}",
        losses.len()
    );
    assert_eq!(
        losses.len(),
        2,
        "the loss of {CUTS} power cuts was not found"
    );
}
