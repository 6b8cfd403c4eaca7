//! Waiting for a state instead of for a time.

use std::time::{Duration, Instant};

/// How long to rest between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `look` says yes, and panics with `what` after `bound`.
///
/// `look` is asked at least once, and once more after the time is over, so that a slow machine is not a failure by
/// itself.
pub(crate) async fn until<L, F>(what: &str, bound: Duration, mut look: L)
where
    L: FnMut() -> F,
    F: Future<Output = bool>,
{
    until_some(what, bound, || {
        let looked = look();
        async { looked.await.then_some(()) }
    })
    .await;
}

/// Waits until `look` finds something and returns that, and panics with `what` after `bound`.
pub(crate) async fn until_some<L, F, T>(what: &str, bound: Duration, mut look: L) -> T
where
    L: FnMut() -> F,
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + bound;
    loop {
        let is_over = Instant::now() >= end;
        if let Some(found) = look().await {
            return found;
        }
        assert!(!is_over, "waited {bound:?} in vain until {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
