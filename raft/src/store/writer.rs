//! The one thread that owns the log on disk.
//!
//! It takes whatever waits in its queue, writes it as one group, and answers only when the group is durable. The first
//! error ends it: everything that waits is failed, the failure is reported, nothing is tried again.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use openraft::storage::LogFlushed;
use quorate_core::codec::{self, Kind};
use serde::Serialize;
use tokio::sync::oneshot;

use super::ballast::Ballast;
use super::covered::Covered;
use super::engine::{LogEngine, MetaKey, Op};
use super::failure::{Failures, StoreFailure};
use super::mark::Mark;
use super::metrics::StoreMetrics;
use super::window::Window;
use super::{LogId, Vote};
use crate::types::TypeConfig;

/// The most writes in one group; openraft waits for each, so there are never many.
const GROUP_MAX: usize = 256;

/// One change of the log, in the order openraft asked for them.
pub(crate) enum Write {
    /// Add entries, given as encoded records.
    Append {
        records: Vec<(LogId, Vec<u8>)>,
        done: LogFlushed<TypeConfig>,
    },
    /// Save the vote.
    Vote {
        vote: Vote,
        done: oneshot::Sender<io::Result<()>>,
    },
    /// Remove the entry at `since` and all after it; `last` is the one before.
    Truncate { since: u64, last: Option<LogId> },
    /// Remove the entries up to this one, inclusive.
    Purge(LogId),
    /// Note what is committed, along with the next group.
    Committed(LogId),
}

/// Who waits for a write.
enum Waiter {
    Append(LogFlushed<TypeConfig>),
    Vote(oneshot::Sender<io::Result<()>>),
}

impl Waiter {
    fn answer(self, result: &io::Result<()>) {
        let result = match result {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        match self {
            Self::Append(done) => done.log_io_completed(result),
            // Whoever asked may have gone.
            Self::Vote(done) => drop(done.send(result)),
        }
    }
}

impl Write {
    /// Tells whoever waits that it will not be done.
    pub(crate) fn fail(self, error: &io::Error) {
        let result = Err(io::Error::new(error.kind(), error.to_string()));
        match self {
            Self::Append { done, .. } => Waiter::Append(done).answer(&result),
            Self::Vote { done, .. } => Waiter::Vote(done).answer(&result),
            Self::Truncate { .. } | Self::Purge(_) | Self::Committed(_) => {}
        }
    }
}

/// What one group does.
#[derive(Default)]
struct Plan {
    ops: Vec<Op>,
    /// Where the mark must be before entries are removed from the end.
    lowered_to: Option<Option<LogId>>,
    bytes: u64,
    purges: bool,
    waiters: Vec<Waiter>,
}

/// See the [module](self).
pub(crate) struct Writer<E> {
    engine: E,
    mark: Mark,
    ballast: Ballast,
    covered: Covered,
    metrics: Arc<StoreMetrics>,
    failures: Failures,
    /// The vote, the last log id and the last purged one, as they are on disk after the current group.
    vote: Option<Vote>,
    last: Option<LogId>,
    purged: Option<LogId>,
    /// A purge that waits for the snapshot that replaces the entries.
    deferred: Option<LogId>,
    /// A committed log id that waits for the next group.
    committed: Option<LogId>,
}

/// What the writer shares with the rest of the store.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) covered: Covered,
    pub(crate) metrics: Arc<StoreMetrics>,
    pub(crate) failures: Failures,
}

impl<E: LogEngine> Writer<E> {
    /// A writer for the log in `engine`, which holds what `recovered` says.
    pub(crate) fn new(
        engine: E,
        mark: Mark,
        ballast: Ballast,
        recovered: &Window,
        shared: Shared,
    ) -> Self {
        Self {
            engine,
            mark,
            ballast,
            covered: shared.covered,
            metrics: shared.metrics,
            failures: shared.failures,
            vote: recovered.vote,
            last: recovered.last(),
            purged: recovered.purged,
            deferred: None,
            committed: None,
        }
    }

    /// Works until the queue is closed or a write fails.
    pub(crate) fn run(mut self, queue: &Receiver<Write>) {
        let alarm = self.failures.alarm("the log's writer");
        self.metrics.engine_is(self.engine.size());
        while let Ok(first) = queue.recv() {
            let rest = queue.try_iter().take(GROUP_MAX - 1);
            let group: Vec<Write> = std::iter::once(first).chain(rest).collect();
            if let Err(error) = self.commit(group) {
                self.failures.report(StoreFailure::Log {
                    detail: error.to_string(),
                });
                queue.try_iter().for_each(|write| write.fail(&error));
                break;
            }
        }
        alarm.disarm();
    }

    fn commit(&mut self, group: Vec<Write>) -> io::Result<()> {
        let begun = Instant::now();
        let mut plan = Plan::default();
        let mut result = Ok(());
        for write in group {
            match &result {
                Ok(()) => result = self.plan(&mut plan, write),
                Err(error) => write.fail(error),
            }
        }
        if result.is_ok() {
            result = self.perform(&mut plan);
        }
        if result.is_ok() && !plan.ops.is_empty() {
            self.metrics.flushed(begun.elapsed(), plan.bytes);
        }
        for waiter in plan.waiters {
            waiter.answer(&result);
        }
        if result.is_ok() && plan.purges {
            self.metrics.engine_is(self.engine.size());
            self.ballast.restore();
        }
        result
    }

    fn perform(&mut self, plan: &mut Plan) -> io::Result<()> {
        if plan.ops.is_empty() {
            return Ok(());
        }
        if let Some(committed) = self.committed.take() {
            let record = encode(Kind::LogId, &committed)?;
            plan.ops.push(Op::SetMeta(MetaKey::Committed, record));
        }
        // The mark must never be ahead of the log: it goes down before entries go, and up after others have come.
        if let Some(last) = plan.lowered_to {
            self.mark.lower(last)?;
        }
        self.engine.write(&plan.ops)?;
        self.mark.raise(self.vote, self.last)
    }

    fn plan(&mut self, plan: &mut Plan, write: Write) -> io::Result<()> {
        match write {
            Write::Append { records, done } => {
                plan.waiters.push(Waiter::Append(done));
                self.append(plan, records)
            }
            Write::Vote { vote, done } => {
                plan.waiters.push(Waiter::Vote(done));
                let record = encode(Kind::Vote, &vote)?;
                plan.ops.push(Op::SetMeta(MetaKey::Vote, record));
                self.vote = Some(vote);
                Ok(())
            }
            Write::Truncate { since, last } => {
                self.truncate(plan, since, last);
                Ok(())
            }
            Write::Purge(upto) => {
                self.deferred = self.deferred.max(Some(upto));
                if self.covered.reaches(upto.index) {
                    self.purge(plan)?;
                }
                Ok(())
            }
            Write::Committed(committed) => {
                self.committed = Some(committed);
                Ok(())
            }
        }
    }

    fn append(&mut self, plan: &mut Plan, records: Vec<(LogId, Vec<u8>)>) -> io::Result<()> {
        for (log_id, record) in records {
            let is_purged = |purged: LogId| log_id.index <= purged.index;
            if self.purged.is_some_and(is_purged) {
                continue;
            }
            // An empty log has no end that would show that something is left out.
            let is_after_snapshot = self.last.is_none() && self.deferred.is_some();
            if is_after_snapshot || !self.is_next(log_id.index) {
                self.await_snapshot(plan)?;
            }
            if !self.is_next(log_id.index) {
                return Err(io::Error::other(format!(
                    "entry {} does not follow the last one on disk ({:?})",
                    log_id.index, self.last
                )));
            }
            plan.bytes += record.len() as u64;
            plan.ops.push(Op::Put {
                index: log_id.index,
                record,
            });
            self.last = Some(log_id);
        }
        Ok(())
    }

    fn is_next(&self, index: u64) -> bool {
        self.last.is_none_or(|last| index == last.index + 1)
    }

    /// An entry that does not follow the last one on disk follows a snapshot that is being installed. The entries
    /// before it may only go when the snapshot is durable.
    fn await_snapshot(&mut self, plan: &mut Plan) -> io::Result<()> {
        let Some(upto) = self.deferred else {
            return Ok(());
        };
        if self.covered.wait_for(upto.index) {
            self.purge(plan)
        } else {
            Err(io::Error::other(
                "the snapshot that the log continues was never installed",
            ))
        }
    }

    /// Plans the purge that was put off. The record comes first: entries that outlive it are removed at the next open.
    fn purge(&mut self, plan: &mut Plan) -> io::Result<()> {
        let Some(upto) = self.deferred.take() else {
            return Ok(());
        };
        let record = encode(Kind::LogId, &upto)?;
        plan.ops.push(Op::SetMeta(MetaKey::Purged, record));
        plan.ops.push(Op::RemoveUpTo(upto.index));
        plan.purges = true;
        self.purged = Some(upto);
        if self.last.is_none_or(|last| last.index < upto.index) {
            self.last = Some(upto);
        }
        Ok(())
    }

    fn truncate(&mut self, plan: &mut Plan, since: u64, last: Option<LogId>) {
        if self.last.is_none_or(|last| last.index < since) {
            return;
        }
        plan.ops.push(Op::RemoveFrom(since));
        let is_marked = self.mark.last().is_some_and(|marked| marked.index >= since);
        let is_lowest = plan
            .lowered_to
            .is_none_or(|lowest| index_of(last) < index_of(lowest));
        if is_marked && is_lowest {
            plan.lowered_to = Some(last);
        }
        self.last = last;
    }
}

fn index_of(log_id: Option<LogId>) -> Option<u64> {
    log_id.map(|log_id| log_id.index)
}

fn encode<T: Serialize>(kind: Kind, value: &T) -> io::Result<Vec<u8>> {
    codec::encode(kind, value).map_err(io::Error::other)
}
