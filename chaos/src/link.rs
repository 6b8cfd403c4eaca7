//! The network between the nodes: one TCP relay for each directed pair, so that a cut needs no rights.
//!
//! Node `a` knows node `b` by the address of the relay `a→b`. A connection through it carries bytes both ways, and each
//! way obeys the state of its own direction: what `a` says passes if `a→b` is open, what `b` answers if `b→a` is. A cut
//! holds bytes back, and the end of a connection too, as lost packets do; after the cut they arrive late.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often a relay that holds bytes back looks whether it still must.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const CUT: u64 = u64::MAX;
const CONNECT: Duration = Duration::from_secs(2);

/// The state of every direction. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Links(Arc<State>);

#[derive(Debug)]
struct State {
    nodes: usize,
    /// For each direction, `from * nodes + to`: 0 open, [`CUT`], or a delay in milliseconds.
    directions: Vec<AtomicU64>,
    /// Connections made under an older number end.
    resets: AtomicU64,
}

impl Links {
    /// All directions between `nodes` nodes, open.
    pub(crate) fn open(nodes: usize) -> Self {
        Self(Arc::new(State {
            nodes,
            directions: (0..nodes * nodes).map(|_| AtomicU64::new(0)).collect(),
            resets: AtomicU64::new(0),
        }))
    }

    /// Starts the relay by which `from` reaches `to` at `address`, and returns where it listens.
    ///
    /// # Errors
    /// No port can be had.
    pub(crate) fn relay(
        &self,
        from: usize,
        to: usize,
        address: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let here = listener.local_addr()?;
        let links = self.clone();
        thread::Builder::new()
            .name(format!("relay {from}-{to}"))
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    let links = links.clone();
                    // A thread that cannot be had is a connection that fails.
                    let _ = thread::Builder::new()
                        .spawn(move || links.join(&stream, from, to, address));
                }
            })?;
        Ok(here)
    }

    /// Lets nothing pass from `from` to `to`.
    pub(crate) fn cut(&self, from: usize, to: usize) {
        self.set(from, to, CUT);
    }

    /// Lets everything pass from `from` to `to`, each piece this much later.
    pub(crate) fn delay(&self, from: usize, to: usize, delay_ms: u64) {
        self.set(from, to, delay_ms);
    }

    /// Opens everything.
    pub(crate) fn heal(&self) {
        for direction in &self.0.directions {
            direction.store(0, Ordering::Relaxed);
        }
    }

    /// Ends every connection.
    pub(crate) fn reset(&self) {
        self.0.resets.fetch_add(1, Ordering::Relaxed);
    }

    fn set(&self, from: usize, to: usize, value: u64) {
        if let Some(direction) = self.0.directions.get(from * self.0.nodes + to) {
            direction.store(value, Ordering::Relaxed);
        }
    }

    fn state(&self, from: usize, to: usize) -> u64 {
        let direction = self.0.directions.get(from * self.0.nodes + to);
        direction.map_or(0, |direction| direction.load(Ordering::Relaxed))
    }

    /// Carries one connection until it ends.
    fn join(&self, near: &TcpStream, from: usize, to: usize, address: SocketAddr) {
        let Ok(far) = TcpStream::connect_timeout(&address, CONNECT) else {
            return;
        };
        let born = self.0.resets.load(Ordering::Relaxed);
        let (Ok(near_twin), Ok(far_twin)) = (near.try_clone(), far.try_clone()) else {
            return;
        };
        let links = self.clone();
        let back = thread::Builder::new()
            .spawn(move || links.carry(&far_twin, &near_twin, (to, from), born));
        self.carry(near, &far, (from, to), born);
        if let Ok(back) = back {
            let _ = back.join();
        }
        let _ = near.shutdown(Shutdown::Both);
        let _ = far.shutdown(Shutdown::Both);
    }

    /// Carries the bytes of one direction.
    fn carry(&self, source: &TcpStream, sink: &TcpStream, way: (usize, usize), born: u64) {
        let (mut input, mut output) = (source, sink);
        let _ = source.set_nodelay(true);
        let _ = sink.set_nodelay(true);
        let _ = source.set_read_timeout(Some(Duration::from_millis(50)));
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = match input.read(&mut chunk) {
                Ok(count) => count,
                Err(error) if is_late(&error) => {
                    if self.is_reset(born) {
                        break;
                    }
                    continue;
                }
                Err(_) => 0,
            };
            let bytes = chunk.get(..count).unwrap_or_default();
            if !self.pass(way, born) || bytes.is_empty() || output.write_all(bytes).is_err() {
                break;
            }
        }
        if self.is_reset(born) {
            let _ = source.shutdown(Shutdown::Both);
            let _ = sink.shutdown(Shutdown::Both);
        }
        let _ = sink.shutdown(Shutdown::Write);
    }

    /// Waits until a piece may pass; false if its connection is to end.
    fn pass(&self, (from, to): (usize, usize), born: u64) -> bool {
        let delay_ms = self.state(from, to);
        if delay_ms != CUT && delay_ms > 0 {
            thread::sleep(Duration::from_millis(delay_ms));
        }
        while self.state(from, to) == CUT {
            if self.is_reset(born) {
                return false;
            }
            thread::sleep(LOOK_EVERY);
        }
        !self.is_reset(born)
    }

    fn is_reset(&self, born: u64) -> bool {
        self.0.resets.load(Ordering::Relaxed) != born
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets, behind the relay 0→1.
    fn echo(links: &Links) -> TcpStream {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        thread::spawn(move || {
            for stream in server.incoming().flatten() {
                thread::spawn(move || io::copy(&mut &stream, &mut &stream));
            }
        });
        let stream = TcpStream::connect(links.relay(0, 1, address).unwrap()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream, text: &[u8]) {
        stream.write_all(text).unwrap();
    }

    fn answer(stream: &mut TcpStream) -> Option<Vec<u8>> {
        let mut bytes = [0; 16];
        let count = stream.read(&mut bytes).ok()?;
        Some(bytes[..count].to_vec())
    }

    #[test]
    fn each_direction_is_cut_by_itself_and_what_was_held_arrives_after_the_cut() {
        for (from, to) in [(0, 1), (1, 0)] {
            let links = Links::open(2);
            let mut stream = echo(&links);
            ask(&mut stream, b"a");
            assert_eq!(answer(&mut stream).as_deref(), Some(&b"a"[..]));
            links.cut(from, to);
            ask(&mut stream, b"b");
            assert_eq!(answer(&mut stream), None, "{from} to {to} is cut");
            links.heal();
            assert_eq!(answer(&mut stream).as_deref(), Some(&b"b"[..]));
        }
    }

    #[test]
    fn a_reset_ends_connections_and_new_ones_work() {
        let links = Links::open(2);
        let mut stream = echo(&links);
        ask(&mut stream, b"a");
        assert!(answer(&mut stream).is_some());
        links.reset();
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while answer(&mut stream).is_none_or(|bytes| !bytes.is_empty()) {
            assert!(std::time::Instant::now() < until, "the connection goes on");
        }
        let mut stream = echo(&links);
        ask(&mut stream, b"b");
        assert_eq!(answer(&mut stream).as_deref(), Some(&b"b"[..]));
    }

    #[test]
    fn a_delay_delays() {
        let links = Links::open(2);
        let mut stream = echo(&links);
        links.delay(0, 1, 150);
        let begun = std::time::Instant::now();
        ask(&mut stream, b"a");
        assert!(answer(&mut stream).is_some());
        assert!(begun.elapsed() >= Duration::from_millis(150));
    }
}
