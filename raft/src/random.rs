//! The random source of this crate: ids that must not collide. Nothing here decides anything.

use crate::lease::Incarnation;

/// 128 random bits from the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that draws randomness"
)]
pub(crate) fn number() -> u128 {
    let mut bytes = [0; 16];
    // The system's random source does not fail on a running Linux; should it, ids of time and address space are still
    // different from one another.
    if getrandom::fill(&mut bytes).is_err() {
        let time = crate::clock::boot_time().0;
        return u128::from(time) ^ (u128::from(std::process::id()) << 96);
    }
    u128::from_le_bytes(bytes)
}

/// A random incarnation.
pub(crate) fn incarnation() -> Incarnation {
    Incarnation(u64::try_from(number() >> 64).unwrap_or(0))
}

/// A random node id of 32 bits, never 0: see [`LeaderTerm::number`](crate::types::LeaderTerm::number) for why it is no
/// longer.
pub(crate) fn node_id() -> u64 {
    u64::try_from(number() >> 96).unwrap_or(0).max(1)
}

/// A random number below 1000.
pub(crate) fn thousandths() -> u32 {
    u32::try_from(number() % 1000).unwrap_or(0)
}
