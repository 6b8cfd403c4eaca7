//! A process that writes until it is killed, and says on standard output what the disk has promised to keep.
//!
//! | line | meaning |
//! |---|---|
//! | `@opening` | the data directory is about to be opened |
//! | `@vote T`, `@purged I`, `@run F L T` | what it holds: the vote's term, the last purged index, entries `F..=L` of term `T` |
//! | `@ready` | everything it holds has been checked and told |
//! | `@acked F L T` | entries `F..=L` of term `T` are durable |
//! | `@voted T` | the vote of term `T` is durable |
//! | `@cutting I` | entries from `I` on are about to be removed |
//! | `@failed TEXT` | the end |

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use openraft::RaftSnapshotBuilder;
use openraft::storage::RaftStateMachine;

use super::*;

const DIRECTORY: &str = "QUORATE_TEST_STORE_CHILD";
const SEED: &str = "QUORATE_TEST_STORE_SEED";
const SLED_ALONE: &str = "QUORATE_TEST_STORE_SLED_ALONE";

/// What the children put between a write and the word that it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syncing {
    /// What every node does.
    Full,
    /// sled's own `flush` and no `fdatasync` after it.
    SledAlone,
}

/// Whether this process is a child that goes without the `fdatasync`.
pub(in crate::store) fn is_sled_alone() -> bool {
    std::env::var_os(SLED_ALONE).is_some()
}

/// Not a test of its own: does nothing unless it is started by [`Writing::start`].
#[test]
fn child_process_that_writes() {
    let Ok(dir) = std::env::var(DIRECTORY) else {
        return;
    };
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    if let Err(text) = block_on(write_for_ever(Path::new(&dir), Dice(seed))) {
        say(&format!("failed {text}"));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runner must not go on in the child"
    )]
    std::process::exit(0);
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The leading line break ends what the test harness may have begun.
    write!(out, "\n@{line}\n").unwrap();
    out.flush().unwrap();
}

/// Sizes vary: every 16th entry needs several parts, every 128th has 200 KB.
fn expected(term: u64, index: u64) -> Entry {
    let touched = match index {
        _ if index.is_multiple_of(128) => 5000,
        _ if index.is_multiple_of(16) => 150 + index % 700,
        _ => index % 9,
    };
    entry(term, index, usize::try_from(touched).unwrap())
}

async fn write_for_ever(dir: &Path, mut dice: Dice) -> Result<(), String> {
    say("opening");
    let Opened {
        mut log,
        mut machine,
        ..
    } = open_n1(dir).map_err(|error| chain(&error))?;
    let mut term = tell(&mut log, &mut machine).await?;
    say("ready");
    loop {
        if dice.roll(12) == 0 {
            term += 1;
            let vote = Vote::new(term, NODE);
            log.save_vote(&vote).await.map_err(|e| e.to_string())?;
            say(&format!("voted {term}"));
        }
        if dice.roll(10) == 0 {
            cut(&mut log, &mut machine, &mut dice).await?;
        }
        append(&mut log, term, &mut dice).await?;
        if dice.roll(25) == 0 {
            compact(&mut log, &mut machine).await?;
        }
    }
}

async fn append(log: &mut LogStore, term: u64, dice: &mut Dice) -> Result<(), String> {
    let last = log.get_log_state().await.unwrap().last_log_id;
    let first = last.map_or(0, |last| last.index + 1);
    let upto = first + dice.roll(32);
    log.blocking_append((first..=upto).map(|index| expected(term, index)))
        .await
        .map_err(|e| e.to_string())?;
    say(&format!("acked {first} {upto} {term}"));
    Ok(())
}

/// Removes a few entries that have not been applied, as a new leader makes a follower do.
async fn cut(log: &mut LogStore, machine: &mut Machine, dice: &mut Dice) -> Result<(), String> {
    let last = log.get_log_state().await.unwrap().last_log_id;
    let applied = machine.applied_state().await.unwrap().0;
    let from = applied.map_or(0, |applied| applied.index + 1);
    let upto = last.map_or(0, |last| last.index + 1);
    let since = upto.saturating_sub(1 + dice.roll(8)).max(from);
    say(&format!("cutting {since}"));
    log.truncate(log_id(0, since))
        .await
        .map_err(|e| e.to_string())
}

/// Applies what is there, takes a snapshot and purges most of what it holds.
async fn compact(log: &mut LogStore, machine: &mut Machine) -> Result<(), String> {
    apply_all(log, machine).await?;
    let mut builder = machine.get_snapshot_builder().await;
    let snapshot = builder.build_snapshot().await.map_err(|e| e.to_string())?;
    let Some(last) = snapshot.meta.last_log_id else {
        return Ok(());
    };
    let upto = last.index.saturating_sub(40);
    let kept = log.try_get_log_entries(upto..=upto).await.unwrap();
    let Some(entry) = kept.first() else {
        return Ok(());
    };
    log.purge(entry.log_id).await.map_err(|e| e.to_string())
}

async fn apply_all(log: &mut LogStore, machine: &mut Machine) -> Result<(), String> {
    let applied = machine.applied_state().await.unwrap().0;
    let from = applied.map_or(0, |applied| applied.index + 1);
    let entries = log.try_get_log_entries(from..).await.unwrap();
    machine.apply(entries).await.map_err(|e| e.to_string())?;
    Ok(())
}

/// Checks what was opened against itself, tells it, and answers the term of the vote.
async fn tell(log: &mut LogStore, machine: &mut Machine) -> Result<u64, String> {
    let vote = log.read_vote().await.unwrap();
    let term = vote.map_or(1, |vote| vote.leader_id.term);
    say(&format!("vote {term}"));
    let applied = machine.applied_state().await.unwrap().0;
    if let Some(applied) = applied
        && machine.reader().now() != Timestamp(applied.index)
    {
        return Err(format!("the snapshot at {applied} holds another state"));
    }
    if let Some(purged) = log.get_log_state().await.unwrap().last_purged_log_id {
        say(&format!("purged {}", purged.index));
        if applied.map(|applied| applied.index) < Some(purged.index) {
            return Err("the snapshot does not reach the log".to_owned());
        }
    }
    let mut runs: Vec<(u64, u64, u64)> = Vec::new();
    for entry in log.try_get_log_entries(..).await.unwrap() {
        let (index, term) = (entry.log_id.index, entry.log_id.leader_id.term);
        if entry != expected(term, index) {
            return Err(format!("entry {index} is not what was written"));
        }
        match runs.last_mut() {
            Some((_, last, of)) if *last + 1 == index && *of == term => *last = index,
            _ => runs.push((index, index, term)),
        }
    }
    for (first, last, term) in runs {
        say(&format!("run {first} {last} {term}"));
    }
    Ok(term)
}

/// A child process that writes to a data directory.
pub(super) struct Writing {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Writing {
    pub(super) fn start(dir: &Path, seed: u64, syncing: Syncing) -> Self {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        if syncing == Syncing::SledAlone {
            command.env(SLED_ALONE, "1");
        }
        let mut process = command
            .args(["--exact", "store::tests::child::child_process_that_writes"])
            .args(["--nocapture", "--test-threads=1"])
            .env(DIRECTORY, dir)
            .env(SEED, seed.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    /// The next thing it says; `None` when it has ended.
    pub(super) fn next_line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            if !line.ends_with('\n') {
                return None;
            }
            if let Some(told) = line.strip_prefix('@') {
                return Some(told.trim_end().to_owned());
            }
        }
    }

    pub(super) fn wait_until_ready(&mut self) {
        while self.next_line().expect("the child ended early") != "ready" {}
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the children have been promised by the disk, over all rounds.
#[derive(Default)]
pub(super) struct Promises {
    /// Index to term.
    acked: BTreeMap<u64, u64>,
    vote: u64,
    purged: Option<u64>,
    held: BTreeMap<u64, u64>,
    /// Entries acknowledged in all rounds.
    pub(super) count: u64,
}

impl Promises {
    /// One round: a child opens `dir`, which must hold what was promised, and writes for a while; then `strike` falls,
    /// sometimes while the child still opens. It always falls, also after an error.
    ///
    /// # Errors
    /// The promise that is broken.
    pub(super) fn round(
        &mut self,
        dir: &Path,
        dice: &mut Dice,
        syncing: Syncing,
        strike: impl FnOnce(&mut Writing),
    ) -> Result<(), String> {
        let mut child = Writing::start(dir, dice.roll(u64::MAX - 1) + 1, syncing);
        let kept = self.listen(&mut child, dice);
        strike(&mut child);
        kept?;
        while let Some(line) = child.next_line() {
            // By now it must fail.
            if !line.starts_with("failed") {
                self.note(&line)?;
            }
        }
        Ok(())
    }

    fn listen(&mut self, child: &mut Writing, dice: &mut Dice) -> Result<(), String> {
        let is_early = dice.roll(5) == 0;
        let mut left = 1 + dice.roll(80);
        while let Some(line) = child.next_line() {
            self.note(&line)?;
            if is_early && line == "opening" {
                // Somewhere within the few milliseconds that opening takes.
                std::thread::sleep(Duration::from_micros(dice.roll(15_000)));
                break;
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    fn note(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with("failed") {
            return Err(line.to_owned());
        }
        let mut words = line.split(' ');
        let what = words.next().unwrap();
        let mut number = || words.next().unwrap().parse::<u64>().unwrap();
        match what {
            "opening" => {
                self.held.clear();
                self.purged = None;
            }
            "vote" => {
                let term = number();
                if term < self.vote {
                    return Err(format!("vote {term}, but {} was durable", self.vote));
                }
            }
            "purged" => self.purged = Some(number()),
            "run" => {
                let (first, last, term) = (number(), number(), number());
                self.held.extend((first..=last).map(|index| (index, term)));
            }
            "ready" => self.check()?,
            "acked" => {
                let (first, last, term) = (number(), number(), number());
                self.acked.extend((first..=last).map(|index| (index, term)));
                self.count += last + 1 - first;
            }
            "voted" => self.vote = number(),
            "cutting" => drop(self.acked.split_off(&number())),
            _ => {}
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        let first_kept = self.purged.map_or(0, |purged| purged + 1);
        for (index, term) in self.acked.range(first_kept..) {
            let held = self.held.get(index);
            if held != Some(term) {
                return Err(format!(
                    "entry {index} was durable with term {term}, and now is {held:?}"
                ));
            }
        }
        let first = self.held.keys().next();
        if first.is_some_and(|first| *first != first_kept) {
            return Err(format!("a hole after {first_kept}"));
        }
        let is_dense = self
            .held
            .keys()
            .zip(first_kept..)
            .all(|(index, next)| *index == next);
        if !is_dense {
            return Err(format!("a hole in {:?}", self.held));
        }
        self.acked.clone_from(&self.held);
        Ok(())
    }
}
