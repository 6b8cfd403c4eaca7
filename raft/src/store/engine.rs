//! The seam between Raft's log and what keeps it on disk.
//!
//! An engine knows indexes, keys and bytes. It knows nothing of Raft: not what an entry or a vote is, nor when one may
//! be removed. Whatever implements this has to pass the storage, kill and power-cut tests.

use std::io;

/// Keys of the records beside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetaKey {
    /// The vote.
    Vote,
    /// The last log id that has been purged.
    Purged,
    /// A log id known to be committed; it may lag.
    Committed,
}

impl MetaKey {
    /// The key as it is stored.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Vote => "vote",
            Self::Purged => "purged",
            Self::Committed => "committed",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    /// Write the record of one log entry, of any length.
    Put {
        /// Its index.
        index: u64,
        /// Its bytes.
        record: Vec<u8>,
    },
    /// Remove the entries of this index and after it, the last one first.
    RemoveFrom(u64),
    /// Remove the entries up to this index, inclusive, the first one first.
    RemoveUpTo(u64),
    /// Write a record beside the log.
    SetMeta(MetaKey, Vec<u8>),
}

/// What is wrong with an engine's files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The operating system refused.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
    /// The files make no sense.
    #[error("{0}")]
    Damaged(String),
}

/// What keeps the log. One thread owns it.
pub(crate) trait LogEngine {
    /// Applies `batch` in order; all of it is on stable storage on return. After a crash within it, a prefix of the
    /// batch is there, and each entry as a whole or not at all.
    ///
    /// # Errors
    /// Afterwards nobody knows what the disk holds: the caller must stop and never try again.
    fn write(&mut self, batch: &[Op]) -> io::Result<()>;

    /// All entries, by index.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] if the files do not hold whole records.
    fn scan(&mut self) -> Result<Vec<(u64, Vec<u8>)>, EngineError>;

    /// A record beside the log.
    ///
    /// # Errors
    /// As [`LogEngine::scan`].
    fn meta(&mut self, key: MetaKey) -> Result<Option<Vec<u8>>, EngineError>;

    /// Bytes of its files, about; 0 if unknown.
    fn size(&self) -> u64;
}
