//! The access rules as this node has them now: those of the start, or of the last reload.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::config::{AccessControl, Config};

/// The rules, and the digest of what this node runs with.
#[derive(Debug)]
pub(super) struct Rules {
    current: RwLock<Arc<AccessControl>>,
    digest: watch::Sender<[u8; 32]>,
}

impl Rules {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            current: RwLock::new(Arc::new(config.access.clone())),
            digest: watch::Sender::new(config.digest),
        }
    }

    pub(super) fn current(&self) -> Arc<AccessControl> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What this node runs with, for members to compare.
    pub(super) fn digest(&self) -> watch::Receiver<[u8; 32]> {
        self.digest.subscribe()
    }

    /// From the return on, no decision that begins is made by the rules before.
    pub(super) fn replace(&self, access: AccessControl, digest: [u8; 32]) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access);
        self.digest.send_replace(digest);
    }
}
