//! Damaged files: a node starts with everything or says clearly that it cannot.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const LAST: u64 = 300;

/// A directory with entries 0 to [`LAST`], copied for every experiment.
struct Template(TempDir);

impl Template {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let mut opened = open_n1(&dir.path().join("data")).unwrap();
        block_on(async {
            for index in (0..LAST).step_by(20) {
                fill(&mut opened.log, index, index + 19).await;
            }
            fill(&mut opened.log, LAST, LAST).await;
        });
        drop(opened);
        // Once more, so that sled has a `snap.*` to damage, and all is closed.
        drop(open_n1(&dir.path().join("data")).unwrap());
        drop(Lock::take(&dir.path().join("data")).unwrap());
        Self(dir)
    }

    fn copy(&self) -> Copy {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("data");
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(self.0.path().join("data"))
            .arg(&path)
            .status();
        assert!(status.unwrap().success());
        Copy { _dir: dir, path }
    }
}

struct Copy {
    _dir: TempDir,
    path: PathBuf,
}

impl Copy {
    /// Opens; true if everything is there, false if it is refused as damaged. Anything else fails the test.
    fn is_whole(&self, what: &str) -> bool {
        match open_n1(&self.path) {
            Ok(mut opened) => {
                let indexes = block_on(indexes(&mut opened.log));
                assert!(indexes.into_iter().eq(0..=LAST), "{what}: entries are gone");
                let vote = block_on(opened.log.read_vote()).unwrap();
                assert_eq!(vote, Some(Vote::new(1, NODE)), "{what}: the vote is gone");
                true
            }
            Err(error @ OpenError::Damaged { .. }) => {
                let text = chain(&error);
                assert!(
                    text.contains("damaged; run `quorate cluster heal`"),
                    "{text}"
                );
                assert!(
                    text.contains(self.path.to_str().unwrap()) && !text.contains('\n'),
                    "{text}"
                );
                false
            }
            Err(other) => panic!("{what}: {other:?}"),
        }
    }

    fn refusal(&self) -> String {
        chain(&open_n1(&self.path).unwrap_err())
    }

    /// sled's trees, changed behind the store's back.
    fn behind(&self, change: impl FnOnce(&::sled::Tree, &::sled::Tree)) {
        let db = behind_the_store(&self.path.join("log"));
        change(
            &db.open_tree("log").unwrap(),
            &db.open_tree("meta").unwrap(),
        );
        db.flush().unwrap();
    }
}

fn key(index: u64) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&index.to_be_bytes());
    key
}

#[test]
fn a_cut_or_garbled_log_is_whole_or_refused() {
    let template = Template::new();
    let data = fs::read(template.0.path().join("data/log/db")).unwrap();
    let used = data.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for step in 0..12 {
        let place = used * step / 12 + 3;
        let copy = template.copy();
        let mut garbled = data.clone();
        garbled[place..place + 8]
            .iter_mut()
            .for_each(|byte| *byte ^= 0x5a);
        fs::write(copy.path.join("log/db"), garbled).unwrap();
        refused += usize::from(!copy.is_whole(&format!("garbled at {place}")));

        let copy = template.copy();
        fs::write(copy.path.join("log/db"), &data[..place]).unwrap();
        refused += usize::from(!copy.is_whole(&format!("cut at {place}")));
    }
    assert!(refused > 6, "only {refused} of 24 were noticed");
}

#[test]
fn a_missing_log_is_refused() {
    let template = Template::new();
    let copy = template.copy();
    fs::remove_file(copy.path.join("log/db")).unwrap();
    assert!(!copy.is_whole("without db"));
    let copy = template.copy();
    fs::remove_dir_all(copy.path.join("log")).unwrap();
    assert!(
        copy.refusal().ends_with("`log` is missing"),
        "{}",
        copy.refusal()
    );
}

#[test]
fn the_files_that_only_shorten_the_start_may_be_damaged() {
    let template = Template::new();
    let snaps = |copy: &Copy| -> Vec<PathBuf> {
        let entries = fs::read_dir(copy.path.join("log")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with("snap.")
            })
            .collect()
    };
    let copy = template.copy();
    assert!(!snaps(&copy).is_empty(), "sled has written no `snap.*`");
    fs::write(
        copy.path.join("log/snap.00000000000F0000.generating"),
        "half",
    )
    .unwrap();
    assert!(copy.is_whole("a leftover of a killed open"));
    for content in [&b""[..], b"garbage that is long enough to be taken for one"] {
        let copy = template.copy();
        for path in snaps(&copy) {
            fs::write(path, content).unwrap();
        }
        assert!(copy.is_whole("a damaged snap"));
    }
}

#[test]
fn small_files_that_are_missing_or_damaged_are_named() {
    let template = Template::new();
    for name in ["identity", "mark"] {
        let copy = template.copy();
        fs::remove_file(copy.path.join(name)).unwrap();
        assert!(
            copy.refusal().ends_with(&format!("`{name}` is missing")),
            "{}",
            copy.refusal()
        );
        let copy = template.copy();
        fs::write(copy.path.join(name), "QRT").unwrap();
        assert!(
            copy.refusal()
                .contains(&format!("`{name}` does not hold what it should")),
            "{}",
            copy.refusal()
        );
    }
}

#[test]
fn one_torn_slot_of_the_mark_is_no_damage() {
    let template = Template::new();
    for slot in [0, 4096] {
        let copy = template.copy();
        let mut bytes = fs::read(copy.path.join("mark")).unwrap();
        bytes[slot + 20] ^= 1;
        fs::write(copy.path.join("mark"), bytes).unwrap();
        assert!(copy.is_whole("a torn slot"));
    }
}

#[test]
fn every_kind_of_loss_behind_the_engine_is_noticed_and_named() {
    let template = Template::new();
    let check = |words: &str, change: &dyn Fn(&::sled::Tree, &::sled::Tree)| {
        let copy = template.copy();
        copy.behind(change);
        assert!(copy.refusal().contains(words), "{}", copy.refusal());
    };
    check(
        "a hole: entry 100 is missing, entry 101 is there",
        &|log, _| {
            log.remove(key(100)).unwrap();
        },
    );
    check("the log has a hole: entry 0 is missing", &|log, _| {
        log.remove(key(0)).unwrap();
    });
    check(
        "the log ends before entry 300, which was durable",
        &|log, _| {
            log.remove(key(300)).unwrap();
        },
    );
    check("log entry 7 does not decode: the checksum is", &|log, _| {
        let mut record = log.get(key(7)).unwrap().unwrap().to_vec();
        record[30] ^= 1;
        log.insert(key(7), record).unwrap();
    });
    check("part 1 of entry 7 is missing", &|log, _| {
        let mut part = key(7);
        part[9] = 2;
        log.insert(part, b"part").unwrap();
    });
    check("the vote of term 1 was durable and is gone", &|_, meta| {
        meta.remove("vote").unwrap();
    });
    check("the record `vote` does not decode", &|_, meta| {
        meta.insert("vote", b"?").unwrap();
    });
    check(
        "the log begins after entry 4, and no sound snapshot reaches that far",
        &|_, meta| {
            let purged =
                quorate_core::codec::encode(quorate_core::codec::Kind::LogId, &log_id(1, 4));
            meta.insert("purged", purged.unwrap()).unwrap();
        },
    );
}
