//! Password checks in a pool of their own, so that a login flood neither fills the memory nor slows verify.
//!
//! As many threads as the pool was given check one password each, at the lowest scheduling priority. A bounded
//! queue stands before them; beyond it a check is refused at once. Together they take at most the memory that the pool was
//! given, however many threads there are: who would take more waits for the others, in the order of the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quorate_core::PasswordHash;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::digest::{Digest, Recipe};
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
    /// What the newest check took, without its wait, in microseconds.
    took_us: Arc<AtomicU64>,
    counted: PasswordChecks,
}

impl PasswordPool {
    /// Starts `threads` threads, at least one, which take `memory_bytes` together and count what they do in `counted`.
    #[must_use]
    pub fn start(threads: usize, memory_bytes: u64, counted: &PasswordChecks) -> Self {
        let threads = threads.max(1);
        let capacity = threads * QUEUE_PER_THREAD;
        let (queue, checks) = sync_channel(capacity);
        let waiting = Arc::new(AtomicUsize::new(0));
        let checks = Arc::new(Mutex::new(checks));
        let room = Arc::new(Room::new(memory_bytes));
        let took_us = Arc::new(AtomicU64::new(0));
        for _ in 0..threads {
            let (checks, waiting) = (Arc::clone(&checks), Arc::clone(&waiting));
            let (room, counted) = (Arc::clone(&room), counted.clone());
            let took_us = Arc::clone(&took_us);
            std::thread::spawn(move || work(&checks, &waiting, &room, (&counted, &took_us)));
        }
        Self {
            queue,
            capacity,
            waiting,
            took_us,
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

    /// Whether `password` is the one behind `hash`, a [`Digest`] as text. What is none matches nothing, and takes no time:
    /// it was refused when the users were loaded.
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

    /// Waits as long as a check would take, in the same line, and checks nothing: whoever is refused without a check is
    /// to notice no difference, not even under load.
    ///
    /// # Errors
    /// [`PoolFull`] as for [`PasswordPool::check`].
    pub async fn wait_like_a_check(&self) -> Result<(), PoolFull> {
        self.check(Zeroizing::default(), Arc::from(NOTHING)).await?;
        let took = Duration::from_micros(self.took_us.load(Relaxed));
        tokio::time::sleep(took).await;
        Ok(())
    }
}

/// The hash of those who only wait.
const NOTHING: &str = "";

fn work(
    checks: &Mutex<Receiver<Check>>,
    waiting: &AtomicUsize,
    room: &Room,
    (counted, took_us): (&PasswordChecks, &AtomicU64),
) {
    // Without the lower priority checks still work; verify is then a little slower beside them.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    loop {
        let queue = checks.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(Check {
            password,
            hash,
            answer,
        }) = queue.recv()
        else {
            return;
        };
        waiting.fetch_sub(1, Relaxed);
        if answer.is_closed() {
            continue;
        }
        if *hash == *NOTHING {
            let _ = answer.send(false);
            continue;
        }
        let bytes = memory_bytes(&hash);
        // Still holding the queue: a large check is not overtaken for ever by small ones.
        let place = room.take(bytes);
        drop(queue);
        counted.begun.inc();
        let began = Instant::now();
        // A panic of a hash is no match; the thread and its place stay.
        let verified = catch_unwind(AssertUnwindSafe(|| verify(password.as_bytes(), &hash)));
        let matches = verified.unwrap_or(false);
        let took = began.elapsed();
        counted.took.record(took);
        took_us.store(u64::try_from(took.as_micros()).unwrap_or(0), Relaxed);
        drop(place);
        // Nobody waits any more if the visitor has gone; the reservation then expires as a failure.
        let _ = answer.send(matches);
    }
}

fn verify(password: &[u8], hash: &str) -> bool {
    Digest::parse(hash).is_ok_and(|digest| digest.matches(password))
}

/// Bytes of memory that checking `hash` takes.
fn memory_bytes(hash: &str) -> u64 {
    Digest::parse(hash).map_or(0, |digest| digest.scheme().memory_bytes())
}

/// What all checks together may take of the memory. One that asks for more has its turn when nobody else has one.
#[derive(Debug)]
struct Room {
    bytes: u64,
    taken: Mutex<u64>,
    freed: Condvar,
}

impl Room {
    fn new(bytes: u64) -> Self {
        Self {
            bytes,
            taken: Mutex::default(),
            freed: Condvar::default(),
        }
    }

    /// Waits until there is room for `bytes` more.
    fn take(&self, bytes: u64) -> Place<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(bytes) > self.bytes {
            let waited = self.freed.wait(taken);
            taken = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(bytes);
        Place { room: self, bytes }
    }
}

/// Memory that is taken until this is dropped.
struct Place<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let taken = self.room.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        drop(taken);
        self.room.freed.notify_all();
    }
}

/// A digest by `recipe` that matches nothing anybody types: what an unknown name is checked against, so that it takes
/// as long as a known one.
#[must_use]
pub fn decoy(recipe: &Recipe) -> Arc<str> {
    let salt = crate::random::vec(recipe.salt_length());
    // As long as the shortest limit of a scheme allows.
    let password = crate::random::bytes::<32>();
    let made = recipe.make(&password, &salt);
    made.map_or_else(|_| Arc::from(""), |digest| Arc::from(digest.to_string()))
}

/// A digest of `password` by `recipe`, with a salt of its own. Takes as long as a check.
///
/// # Errors
/// Why this password cannot be hashed so, as a phrase.
pub fn new_hash(password: &[u8], recipe: &Recipe) -> Result<PasswordHash, String> {
    let salt = crate::random::vec(recipe.salt_length());
    let made = recipe.make(password, &salt)?;
    Ok(PasswordHash::of_phc(&made.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::digest::{Argon2Variant, Scheme};

    fn cheap(password: &str) -> Arc<str> {
        let recipe = Recipe {
            scheme: Scheme::Argon2 {
                variant: Argon2Variant::Id,
                memory_kib: 64,
                iterations: 1,
                parallelism: 1,
            },
            ..Recipe::DEFAULT
        };
        let made = recipe.make(password.as_bytes(), &[7; 16]);
        Arc::from(made.expect("cheap costs are within bounds").to_string())
    }

    #[test]
    fn a_check_waits_for_memory_and_the_largest_one_gets_it() {
        let room = Arc::new(Room::new(1 << 20));
        let place = room.take(2 << 20);
        let (tell, told) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn({
            let room = Arc::clone(&room);
            move || {
                let _place = room.take(1);
                let _ = tell.send(*room.taken.lock().expect("not poisoned"));
            }
        });
        assert!(told.try_recv().is_err());
        drop(place);
        assert_eq!(told.recv(), Ok(1));
        waiter.join().expect("the waiter ends");
        assert_eq!(*room.taken.lock().expect("not poisoned"), 0);
    }

    #[tokio::test]
    async fn the_right_password_matches_and_another_does_not() {
        let counted = PasswordChecks::default();
        let pool = PasswordPool::start(1, 1 << 30, &counted);
        let check =
            |password: &str| pool.check(Zeroizing::new(password.to_owned()), cheap("pass:wörd"));
        assert_eq!(check("pass:wörd").await, Ok(true));
        assert_eq!(check("pass:word").await, Ok(false));
        assert_eq!(counted.begun.get(), 2);
        assert_eq!(counted.took.numbers().count(), 2);
        assert_eq!(pool.waiting(), 0);
    }

    #[test]
    fn a_new_hash_is_made_by_the_recipe_and_never_twice_the_same() {
        let recipe = Recipe {
            scheme: Scheme::Argon2 {
                variant: Argon2Variant::I,
                memory_kib: 64,
                iterations: 2,
                parallelism: 2,
            },
            ..Recipe::DEFAULT
        };
        let made = new_hash(b"secret", &recipe).expect("made");
        let begin = "$argon2i$v=19$m=64,t=2,p=2$";
        assert!(made.as_str().starts_with(begin), "{}", made.as_str());
        assert!(verify(b"secret", made.as_str()) && !verify(b"other", made.as_str()));
        assert_ne!(new_hash(b"secret", &recipe), Ok(made), "salts are random");
    }

    #[tokio::test]
    async fn a_hash_that_is_none_matches_nothing() {
        let pool = PasswordPool::start(1, 1 << 30, &PasswordChecks::default());
        for hash in [
            "",
            "$argon2id$",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuu",
            "$1$a$b",
        ] {
            assert_eq!(
                pool.check(Zeroizing::new(hash.to_owned()), Arc::from(hash))
                    .await,
                Ok(false),
                "{hash}"
            );
        }
    }

    #[tokio::test]
    async fn waiting_like_a_check_takes_a_place_in_the_line_and_no_hash() {
        let counted = PasswordChecks::default();
        let pool = PasswordPool::start(1, 1 << 30, &counted);
        assert_eq!(pool.wait_like_a_check().await, Ok(()));
        assert_eq!((counted.begun.get(), pool.waiting()), (0, 0));
        let (queue, _checks) = sync_channel(0);
        let full = PasswordPool { queue, ..pool };
        assert_eq!(full.wait_like_a_check().await, Err(PoolFull));
    }

    #[tokio::test]
    async fn beyond_the_queue_a_check_is_refused_at_once() {
        let (queue, _checks) = sync_channel(1);
        let counted = PasswordChecks::default();
        let pool = PasswordPool {
            queue,
            capacity: 1,
            waiting: Arc::default(),
            took_us: Arc::default(),
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
