//! The storage against openraft's suite, kills, power cuts, full disks and damage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set itself up must stop"
)]

pub(super) mod child;
mod damage;
mod directory;
mod format;
mod full;
mod kill;
mod mount;
mod power;
mod restart;
mod segment;
mod space;
mod speed;
mod suite;
mod writer;

use std::future::Future;
use std::path::Path;

use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
use openraft::{CommittedLeaderId, EntryPayload, RaftLogReader};
use quorate_core::{Command, Proposal, RequestId, SessionKey, Timestamp};

use super::*;
use crate::types::Batch;

const NODE: u64 = 7;

fn options(name: &str) -> Options {
    Options {
        name: name.to_owned(),
        node_id_if_new: NODE,
        ballast_bytes: 1 << 20,
    }
}

fn open_n1(dir: &Path) -> Result<Opened, OpenError> {
    open(dir, &options("n1"))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, NODE), index)
}

/// The entry that tests expect at this place: about `50 + 40 * touched` bytes.
fn entry(term: u64, index: u64, touched: usize) -> Entry {
    let seen = (0..touched)
        .map(|n| {
            let mut key = [n as u8; 32];
            key[..8].copy_from_slice(&index.to_be_bytes());
            (SessionKey(key), Timestamp(term))
        })
        .collect();
    let proposal = Proposal {
        id: RequestId(u128::from(index)),
        at: Timestamp(index),
        command: Command::TouchSessions { seen },
    };
    Entry {
        log_id: log_id(term, index),
        payload: EntryPayload::Normal(Batch(vec![proposal])),
    }
}

/// Appends the entries `from..=to` of term 1, and saves the vote of term 1.
async fn fill(log: &mut LogStore, from: u64, to: u64) {
    log.save_vote(&Vote::new(1, NODE)).await.unwrap();
    log.blocking_append((from..=to).map(|index| entry(1, index, 5)))
        .await
        .unwrap();
}

/// The indexes of the entries in the log.
async fn indexes(log: &mut LogStore) -> Vec<u64> {
    let entries = log.try_get_log_entries(..).await.unwrap();
    entries.iter().map(|entry| entry.log_id.index).collect()
}

/// A small generator for fault timing; the seed is printed by whoever fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// sled itself, without the store around it.
fn behind_the_store(log: &Path) -> ::sled::Db {
    let config = ::sled::Config::new().path(log);
    config
        .segment_size(sled::segment_bytes(log))
        .open()
        .unwrap()
}

/// The chain of causes, as a node would log it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
