//! Ports for the processes of a test.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// First port that is handed out, and how many there are. All lie below the range from which Linux takes the ports of
/// outgoing connections (32768 and up), so that no connection takes one before its process listens.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// Returns a port of 127.0.0.1 that nobody listens on, different at each call within this process.
///
/// Processes of other test runs start at another place of the range, so collisions with them are unlikely.
pub(crate) fn free_port() -> u16 {
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below COUNT");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
