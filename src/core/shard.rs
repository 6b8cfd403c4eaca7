//! A map that one thread writes and many read, with views that cost microseconds.
//!
//! 1,024 shards of `RwLock<Arc<HashMap>>`, copied on write. A reader holds one shard's lock for one look-up; a
//! [`View`] clones 1,024 pointers, and a shard is copied only if it is written while a view of it lives.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

const SHARDS: usize = 1024;

type Shard<K, V> = Arc<HashMap<K, Arc<V>>>;

/// The writing end. Readers are made with [`Clone`]: all clones share the entries.
///
/// Only the thread that applies proposals may write; everybody may read at any time and never waits for more than
/// one pointer swap or one small insertion.
#[derive(Debug)]
pub struct ShardedMap<K, V> {
    shards: Arc<[RwLock<Shard<K, V>>]>,
    /// Chooses the shard. Random per process: hash order never reaches bytes.
    hasher: RandomState,
}

impl<K, V> Clone for ShardedMap<K, V> {
    fn clone(&self) -> Self {
        Self {
            shards: Arc::clone(&self.shards),
            hasher: self.hasher.clone(),
        }
    }
}

impl<K, V> Default for ShardedMap<K, V> {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl<K: Eq + Hash + Clone, V> ShardedMap<K, V> {
    /// The value at `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let shard = self
            .shard(key)
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        shard.get(key).cloned()
    }

    /// Entries in all shards. Counts shard by shard, so it is exact only while nobody writes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len())
            .sum()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries as they are now. Taken by the writing thread it is one point in time.
    #[must_use]
    pub fn view(&self) -> View<K, V> {
        let clone = |shard: &RwLock<Shard<K, V>>| {
            Arc::clone(&shard.read().unwrap_or_else(PoisonError::into_inner))
        };
        View {
            shards: self.shards.iter().map(clone).collect(),
        }
    }

    pub(crate) fn insert(&self, key: K, value: V) -> Option<Arc<V>> {
        self.write(&key.clone(), |shard| shard.insert(key, Arc::new(value)))
    }

    pub(crate) fn remove(&self, key: &K) -> Option<Arc<V>> {
        self.write(key, |shard| shard.remove(key))
    }

    /// Takes over the entries of `other`, shard by shard; readers see each key before or after, never missing in
    /// both.
    pub(crate) fn replace_all(&self, entries: impl IntoIterator<Item = (K, V)>) {
        let mut fresh: Vec<HashMap<K, Arc<V>>> = (0..SHARDS).map(|_| HashMap::new()).collect();
        for (key, value) in entries {
            if let Some(shard) = fresh.get_mut(self.index(&key)) {
                shard.insert(key, Arc::new(value));
            }
        }
        for (shard, new) in self.shards.iter().zip(fresh) {
            *shard.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        }
    }

    fn write<R>(&self, key: &K, change: impl FnOnce(&mut HashMap<K, Arc<V>>) -> R) -> R {
        let mut shard = self
            .shard(key)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut shard))
    }

    fn index(&self, key: &K) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "`index` is below the number of shards"
    )]
    fn shard(&self, key: &K) -> &RwLock<Shard<K, V>> {
        &self.shards[self.index(key)]
    }
}

/// The entries of a [`ShardedMap`] at one point in time; cheap to take, does not change.
#[derive(Debug, Clone)]
pub struct View<K, V> {
    shards: Vec<Shard<K, V>>,
}

impl<K, V> View<K, V> {
    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Arc<V>)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Ord, V> View<K, V> {
    /// All entries in key order, which is the order of bytes in snapshots and digests.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&K, &V)> {
        let mut entries: Vec<_> = self
            .iter()
            .map(|(key, value)| (key, value.as_ref()))
            .collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }
}
