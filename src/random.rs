//! Randomness from the operating system; nothing else in this crate draws it.

use quorate_core::{RequestId, ReservationId};

/// `N` random bytes.
///
/// # Panics
/// If the operating system has no randomness to give. Nothing may go on without it: a guessable token would let
/// anyone in.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that draws randomness"
)]
#[expect(
    clippy::expect_used,
    reason = "a guessable token is worse than a stopped node"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives no randomness");
    bytes
}

/// `count` random bytes.
///
/// # Panics
/// As [`bytes`].
#[must_use]
pub fn vec(count: usize) -> Vec<u8> {
    let blocks = count.div_ceil(32);
    let mut random: Vec<u8> = (0..blocks).flat_map(|_| bytes::<32>()).collect();
    random.truncate(count);
    random
}

/// A new request id.
#[must_use]
pub fn request_id() -> RequestId {
    RequestId(u128::from_le_bytes(bytes()))
}

/// A new reservation id.
#[must_use]
pub fn reservation_id() -> ReservationId {
    ReservationId(u128::from_le_bytes(bytes()))
}
