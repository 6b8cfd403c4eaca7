//! Who a data directory belongs to.
//!
//! | file | content |
//! |---|---|
//! | `identity` | frame `Identity` of `(format: u32, body: bytes)`; in format 1 the body is a frame `Identity` of [`Identity`] |
//!
//! The body is nested so that every later program can read the format of every earlier and later one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use quorate_core::codec::{self, CodecError, Kind};
use serde::{Deserialize, Serialize};

use super::directory::{read_file, replace_file};
use super::error::Damage;
use super::{OpenError, Options};

const FILE: &str = "identity";
/// The format this program writes.
pub(crate) const FORMAT: u32 = 1;

/// Who a data directory belongs to. Frozen as format 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    node_id: u64,
    name: String,
    cluster_id: Option<u128>,
}

/// Why the cluster id could not be set.
#[derive(Debug, thiserror::Error)]
pub enum ClusterIdError {
    /// The directory belongs to another cluster already.
    #[error(
        "the data directory belongs to cluster {stored:032x}, not to {offered:032x}; remove it to let this node join"
    )]
    OtherCluster {
        /// The cluster id in the directory.
        stored: u128,
        /// The one that was to be set.
        offered: u128,
    },
    /// It could not be written.
    #[error("the cluster id cannot be written to the data directory")]
    Io(#[from] io::Error),
    /// It could not be encoded.
    #[error("the cluster id cannot be encoded")]
    Codec(#[from] CodecError),
}

/// The identity of an opened data directory. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct IdentityHandle {
    path: PathBuf,
    identity: Arc<Mutex<Identity>>,
}

impl IdentityHandle {
    /// The identity in `dir`; a new one if there is none. Durable on return.
    ///
    /// # Errors
    /// [`OpenError::OtherNode`], [`OpenError::NewerFormat`], [`OpenError::Damaged`], or what the disk says.
    pub(crate) fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let stored =
            read_file(&path).map_err(|error| OpenError::io(dir, "read `identity`", error))?;
        let identity = match stored {
            Some(bytes) => decode(dir, &bytes)?,
            None => create(dir, &path, options)?,
        };
        if identity.name != options.name {
            return Err(OpenError::OtherNode {
                path: dir.to_owned(),
                stored: identity.name,
                configured: options.name.clone(),
            });
        }
        Ok(Self {
            path,
            identity: Arc::new(Mutex::new(identity)),
        })
    }

    /// The Raft node id; never reused for another directory.
    pub(crate) fn node_id(&self) -> u64 {
        self.read(|identity| identity.node_id)
    }

    /// The configured name of the node.
    #[cfg(test)]
    pub(crate) fn name(&self) -> String {
        self.read(|identity| identity.name.clone())
    }

    /// The cluster it has joined, if any.
    pub(crate) fn cluster_id(&self) -> Option<u128> {
        self.read(|identity| identity.cluster_id)
    }

    /// Binds the directory to a cluster, once and for all; durable on return. Setting the same id again is no error.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`ClusterIdError::OtherCluster`] if it is bound to another one, or what the disk says; then nothing changed.
    pub(crate) fn set_cluster_id(&self, cluster_id: u128) -> Result<(), ClusterIdError> {
        let mut identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        match identity.cluster_id {
            Some(stored) if stored == cluster_id => return Ok(()),
            Some(stored) => {
                return Err(ClusterIdError::OtherCluster {
                    stored,
                    offered: cluster_id,
                });
            }
            None => {}
        }
        let bound = Identity {
            cluster_id: Some(cluster_id),
            ..identity.clone()
        };
        replace_file(&self.path, &encode(&bound)?)?;
        *identity = bound;
        Ok(())
    }

    fn read<R>(&self, look: impl FnOnce(&Identity) -> R) -> R {
        look(&self.identity.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn create(dir: &Path, path: &Path, options: &Options) -> Result<Identity, OpenError> {
    // The identity is the first file of a new directory. Without it, nobody can say whose the rest is.
    if super::holds_records(dir) {
        return Err(OpenError::damaged(dir, Damage::Missing { name: FILE }));
    }
    let identity = Identity {
        node_id: options.node_id_if_new,
        name: options.name.clone(),
        cluster_id: None,
    };
    let bytes = encode(&identity).map_err(|source| damaged(dir, source))?;
    replace_file(path, &bytes).map_err(|error| OpenError::io(dir, "write `identity`", error))?;
    Ok(identity)
}

fn encode(identity: &Identity) -> Result<Vec<u8>, CodecError> {
    let body = codec::encode(Kind::Identity, identity)?;
    codec::encode(Kind::Identity, &(FORMAT, body))
}

fn decode(dir: &Path, bytes: &[u8]) -> Result<Identity, OpenError> {
    let (format, body): (u32, Vec<u8>) =
        codec::decode(Kind::Identity, bytes).map_err(|source| damaged(dir, source))?;
    if format > FORMAT {
        return Err(OpenError::NewerFormat {
            path: dir.to_owned(),
            found: format,
            known: FORMAT,
        });
    }
    codec::decode(Kind::Identity, &body).map_err(|source| damaged(dir, source))
}

fn damaged(dir: &Path, source: CodecError) -> OpenError {
    OpenError::damaged(dir, Damage::File { name: FILE, source })
}
