//! Password checks: argon2 in a pool of its own, so that a login flood neither fills the memory nor slows verify.
//!
//! As many threads as the pool was given check one password each, at the lowest scheduling priority. A bounded
//! queue stands before them; beyond it a check is refused at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHash, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::metrics::PasswordChecks;

/// Checks waiting for one thread. With argon2's defaults (about 0.1 s each) that is a few seconds of work.
const QUEUE_PER_THREAD: usize = 16;

/// The queue is full; try again after [`PoolFull::RETRY_AFTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("every password check that fits is waiting already")]
pub struct PoolFull;

impl PoolFull {
    /// How long a client should wait before it tries again.
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);
}

struct Check {
    password: Zeroizing<String>,
    hash: Arc<str>,
    answer: oneshot::Sender<bool>,
}

/// The pool; clones share it. Its threads end when the last clone is gone.
#[derive(Debug, Clone)]
pub struct PasswordPool {
    queue: SyncSender<Check>,
    capacity: usize,
    waiting: Arc<AtomicUsize>,
    counted: PasswordChecks,
}

impl PasswordPool {
    /// Starts `threads` threads, at least one, which count what they do in `counted`. Their memory is `threads` times
    /// what the largest hash asks for.
    #[must_use]
    pub fn start(threads: usize, counted: &PasswordChecks) -> Self {
        let threads = threads.max(1);
        let capacity = threads * QUEUE_PER_THREAD;
        let (queue, checks) = sync_channel(capacity);
        let waiting = Arc::new(AtomicUsize::new(0));
        let checks = Arc::new(Mutex::new(checks));
        for _ in 0..threads {
            let (checks, waiting) = (Arc::clone(&checks), Arc::clone(&waiting));
            let counted = counted.clone();
            std::thread::spawn(move || work(&checks, &waiting, &counted));
        }
        Self {
            queue,
            capacity,
            waiting,
            counted: counted.clone(),
        }
    }

    /// How many checks wait for a thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// How many checks can wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether `password` is the one behind `hash`, a PHC string. A hash that does not parse matches nothing, and takes
    /// no time: it was refused when the users were loaded.
    ///
    /// # Errors
    /// [`PoolFull`] at once if the queue is full. The check was not begun.
    pub async fn check(
        &self,
        password: Zeroizing<String>,
        hash: Arc<str>,
    ) -> Result<bool, PoolFull> {
        let (answer, answered) = oneshot::channel();
        // Counted before it is there, so that whoever takes it never counts below zero.
        self.waiting.fetch_add(1, Relaxed);
        match self.queue.try_send(Check {
            password,
            hash,
            answer,
        }) {
            Ok(()) => answered.await.map_err(|_| PoolFull),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.waiting.fetch_sub(1, Relaxed);
                self.counted.turned_away.inc();
                Err(PoolFull)
            }
        }
    }
}

fn work(checks: &Mutex<Receiver<Check>>, waiting: &AtomicUsize, counted: &PasswordChecks) {
    // Without the lower priority checks still work; verify is then a little slower beside them.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    loop {
        let next = checks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Check {
            password,
            hash,
            answer,
        }) = next
        else {
            return;
        };
        waiting.fetch_sub(1, Relaxed);
        if answer.is_closed() {
            continue;
        }
        counted.begun.inc();
        let began = Instant::now();
        let matches = verify(password.as_bytes(), &hash);
        counted.took.record(began.elapsed());
        // Nobody waits any more if the visitor has gone; the reservation then expires as a failure.
        let _ = answer.send(matches);
    }
}

fn verify(password: &[u8], hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    Argon2::default().verify_password(password, &hash).is_ok()
}

/// A hash that matches nothing anybody types, with the given costs: what an unknown name is checked against, so that
/// it takes as long as a known one.
#[must_use]
pub fn decoy(memory_kib: u32, iterations: u32, parallelism: u32) -> Arc<str> {
    let (salt, password) = (crate::random::bytes::<16>(), crate::random::bytes::<32>());
    hash(&password, &salt, memory_kib, iterations, parallelism).unwrap_or_else(|| Arc::from(""))
}

/// The argon2id PHC string of `password`; `None` if the costs are outside argon2's bounds.
#[must_use]
pub fn hash(
    password: &[u8],
    salt: &[u8; 16],
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
) -> Option<Arc<str>> {
    use argon2::password_hash::{PasswordHasher, SaltString};
    let params = Params::new(memory_kib, iterations, parallelism, None).ok()?;
    let salt = SaltString::encode_b64(salt).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password, &salt).ok()?;
    Some(Arc::from(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(password: &str) -> Arc<str> {
        hash(password.as_bytes(), &[7; 16], 64, 1, 1).expect("cheap costs are within bounds")
    }

    #[tokio::test]
    async fn the_right_password_matches_and_another_does_not() {
        let counted = PasswordChecks::default();
        let pool = PasswordPool::start(1, &counted);
        let check =
            |password: &str| pool.check(Zeroizing::new(password.to_owned()), cheap("pass:wörd"));
        assert_eq!(check("pass:wörd").await, Ok(true));
        assert_eq!(check("pass:word").await, Ok(false));
        assert_eq!(counted.begun.get(), 2);
        assert_eq!(counted.took.numbers().count(), 2);
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test]
    async fn a_hash_that_is_none_matches_nothing() {
        let pool = PasswordPool::start(1, &PasswordChecks::default());
        for hash in ["", "$argon2id$", "plain", "$2b$12$abcdefghijklmnopqrstuu"] {
            assert_eq!(
                pool.check(Zeroizing::new(hash.to_owned()), Arc::from(hash))
                    .await,
                Ok(false),
                "{hash}"
            );
        }
    }

    #[tokio::test]
    async fn beyond_the_queue_a_check_is_refused_at_once() {
        let (queue, _checks) = sync_channel(1);
        let counted = PasswordChecks::default();
        let pool = PasswordPool {
            queue,
            capacity: 1,
            waiting: Arc::default(),
            counted: counted.clone(),
        };
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.check(Zeroizing::new(String::new()), Arc::from(""))
                    .await
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(
            pool.check(Zeroizing::new(String::new()), Arc::from(""))
                .await,
            Err(PoolFull)
        );
        assert_eq!((pool.waiting(), counted.turned_away.get()), (1, 1));
        waiting.abort();
    }
}
