//! How the node learns that its storage has failed for good.
//!
//! A failed write is never tried again: after a failed `fdatasync` nobody knows what the disk holds. The first failure
//! is kept, everything that waits for the disk is failed, and the node has to stop.

use tokio::sync::watch;

/// Why the storage of a running node has stopped for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// Writing or syncing the log failed.
    #[error("the log cannot be written any more: {detail}")]
    Log {
        /// What the operating system or the engine says.
        detail: String,
    },
    /// Building, receiving or installing a snapshot failed.
    #[error("the snapshot cannot be written or read: {detail}")]
    Snapshot {
        /// What the operating system or the decoder says.
        detail: String,
    },
    /// A part ended by a panic.
    #[error("{part} ended by a panic")]
    Panic {
        /// Which part.
        part: &'static str,
    },
}

/// Where failures are reported. The first one counts.
#[derive(Debug, Clone)]
pub(crate) struct Failures(watch::Sender<Option<StoreFailure>>);

impl Failures {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn report(&self, failure: StoreFailure) {
        self.0.send_if_modified(|first| {
            if first.is_some() {
                return false;
            }
            tracing::error!(cause = %failure, "storage has failed; this node must stop");
            *first = Some(failure);
            true
        });
    }

    /// A handle for the one who stops the node.
    pub(crate) fn watch(&self) -> Fatal {
        Fatal(self.0.subscribe())
    }

    /// Reports a panic of `part` unless [`Alarm::disarm`] is called before the alarm goes out of scope.
    pub(crate) fn alarm(&self, part: &'static str) -> Alarm {
        Alarm {
            failures: self.clone(),
            part,
            is_armed: true,
        }
    }
}

/// Waits for the first failure.
#[derive(Debug, Clone)]
pub(crate) struct Fatal(watch::Receiver<Option<StoreFailure>>);

impl Fatal {
    /// Resolves with the first failure; never, if storage is closed in good order. Cancel safe.
    pub(crate) async fn wait(&mut self) -> StoreFailure {
        let failure = self.0.wait_for(Option::is_some).await;
        // Cloned before the next await: the guard must not live across it.
        match failure.map(|failure| failure.clone()) {
            Ok(failure) => failure.unwrap_or(StoreFailure::Panic {
                part: "the storage",
            }),
            Err(_) => std::future::pending().await,
        }
    }
}

/// See [`Failures::alarm`].
#[derive(Debug)]
pub(crate) struct Alarm {
    failures: Failures,
    part: &'static str,
    is_armed: bool,
}

impl Alarm {
    pub(crate) fn disarm(mut self) {
        self.is_armed = false;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if self.is_armed {
            self.failures
                .report(StoreFailure::Panic { part: self.part });
        }
    }
}
