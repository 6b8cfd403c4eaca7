//! Why a data directory cannot be used: one line for the operator, saying what, where and what to do next.

use std::io;
use std::path::{Path, PathBuf};

use quorate_core::SnapshotError;
use quorate_core::codec::CodecError;

/// Why a data directory cannot be opened. Nothing in it has been thrown away.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path is a file, or leads through one.
    #[error("data directory `{}`: not a directory", path.display())]
    NotADirectory {
        /// The data directory.
        path: PathBuf,
    },
    /// The process may not read or write there.
    #[error(
        "data directory `{}`: permission denied; it must belong to the user that runs Quorate",
        path.display()
    )]
    PermissionDenied {
        /// The data directory.
        path: PathBuf,
    },
    /// Another living process holds the directory.
    #[error(
        "data directory `{}`: in use by another process ({holder}); every node needs a directory of its own",
        path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// What the holder wrote about itself, such as `pid 17`.
        holder: String,
    },
    /// It belongs to a node of another name.
    #[error(
        "data directory `{}`: belongs to node `{stored}`, but this node is `{configured}`; \
         set `cluster.name` back or give this node a directory of its own",
        path.display()
    )]
    OtherNode {
        /// The data directory.
        path: PathBuf,
        /// The name in the directory.
        stored: String,
        /// The name in the configuration.
        configured: String,
    },
    /// A newer program wrote it.
    #[error(
        "data directory `{}`: written by a newer Quorate (format {found}, this program knows {known}); \
         start that version again, or remove the directory and let this node join again",
        path.display()
    )]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// The format of the directory.
        found: u32,
        /// The newest format of this program.
        known: u32,
    },
    /// It holds what only a newer program can read.
    #[error(
        "data directory `{}`: holds {what}, which a newer version of Quorate has written and this one does not know; \
         start that version again, nothing is lost",
        path.display()
    )]
    NewerCommands {
        /// The data directory.
        path: PathBuf,
        /// What cannot be read.
        what: String,
    },
    /// What is there cannot be trusted.
    #[error(
        "data directory `{}`: damaged; run `quorate cluster heal`, which moves the files aside, and start again: the node \
         then joins anew and gets everything from the others (a cluster of one needs a backup)",
        path.display()
    )]
    Damaged {
        /// The data directory.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        damage: Damage,
    },
    /// A restore or recover was interrupted.
    #[error(
        "data directory `{}`: holds an unfinished `cluster restore` or `cluster recover` (`staged`); run \
         `cluster recover`, which finishes it",
        path.display()
    )]
    Unfinished {
        /// The data directory.
        path: PathBuf,
    },
    /// No space left.
    #[error("data directory `{}`: the disk is full; free some space and start again, nothing is lost", path.display())]
    DiskFull {
        /// The data directory.
        path: PathBuf,
    },
    /// Something else that the operating system refuses.
    #[error("data directory `{}`: cannot {action}", path.display())]
    Io {
        /// The data directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// The error of the operating system as the operator should see it.
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io {
                path,
                action,
                source,
            },
        }
    }

    /// How the operator sees `damage`: bytes that are as they were written are not damaged, only unknown.
    pub(crate) fn damaged(path: &Path, damage: Damage) -> Self {
        if let Some(what) = damage.newer() {
            let path = path.to_owned();
            return Self::NewerCommands { path, what };
        }
        Self::Damaged {
            path: path.to_owned(),
            damage,
        }
    }
}

/// What is wrong with a data directory.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A file that must be there is not.
    #[error("`{name}` is missing")]
    Missing {
        /// Its name in the directory.
        name: &'static str,
    },
    /// A small file does not hold what it should.
    #[error("`{name}` does not hold what it should")]
    File {
        /// Its name in the directory.
        name: &'static str,
        /// What is wrong with its content.
        #[source]
        source: CodecError,
    },
    /// The storage engine cannot make sense of its files.
    #[error("the files of the log make no sense: {detail}")]
    Engine {
        /// The engine's own words.
        detail: String,
    },
    /// A log entry does not decode.
    #[error("log entry {index} does not decode")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with its bytes.
        #[source]
        source: CodecError,
    },
    /// A record beside the log does not decode.
    #[error("the record `{name}` does not decode")]
    Record {
        /// Its key.
        name: &'static str,
        /// What is wrong with its bytes.
        #[source]
        source: CodecError,
    },
    /// Entries are missing in the middle of the log.
    #[error("the log has a hole: entry {expected} is missing, entry {found} is there")]
    Hole {
        /// The index that should be next.
        expected: u64,
        /// The index that is.
        found: u64,
    },
    /// Entries that were durable are gone from the end of the log.
    #[error("the log ends before entry {acknowledged}, which was durable")]
    TailLost {
        /// The index of the newest entry known to have been durable.
        acknowledged: u64,
    },
    /// The vote is missing or older than one that was durable.
    #[error("the vote of term {term} was durable and is gone")]
    VoteLost {
        /// The term of the vote that was durable.
        term: u64,
    },
    /// The log begins after what any sound snapshot holds.
    #[error("the log begins after entry {purged}, and no sound snapshot reaches that far")]
    SnapshotMissing {
        /// The index of the last entry that is no longer in the log.
        purged: u64,
    },
    /// The newest snapshot is damaged and nothing else covers what it holds.
    #[error("snapshot `{name}` is not sound")]
    Snapshot {
        /// Its file name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: SnapshotError,
    },
}

impl Damage {
    /// What it is that only a newer program can read, if that is all that is wrong.
    fn newer(&self) -> Option<String> {
        match self {
            Self::Entry { index, source } if source.is_newer() => {
                Some(format!("log entry {index}"))
            }
            Self::Record { name, source } if source.is_newer() => {
                Some(format!("the record `{name}`"))
            }
            Self::Snapshot { name, source } if source.is_newer() => {
                Some(format!("snapshot `{name}`"))
            }
            _ => None,
        }
    }
}
