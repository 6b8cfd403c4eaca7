//! What a logout ended at one node, no other node knows any more once the logout is answered.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::Line;
use super::figures::Figures;
use super::stage::{self, Order, Progress};

const CLIENTS: u64 = 6;

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    let cluster = order.cluster(CLIENTS, 0)?;
    let nodes = cluster.addresses();
    let (next, stale, unknown) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let looks = AtomicU64::new(0);
    let figures = Mutex::new(Figures::default());
    let progress = Progress::new("logouts", order.count);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (nodes, next, stale, unknown) = (&nodes, &next, &stale, &unknown);
            let (looks, figures, progress) = (&looks, &figures, &progress);
            scope.spawn(move || {
                loop {
                    let trial = next.fetch_add(1, Ordering::Relaxed);
                    if trial >= order.count {
                        return;
                    }
                    progress.at(trial);
                    let turn = usize::try_from(trial).unwrap_or(0) % nodes.len().max(1);
                    let mut turned = nodes.iter().cycle().skip(turn).take(nodes.len());
                    let user = format!("u{client}");
                    let first = turned.next().and_then(|node| {
                        let cookie = stage::session(*node, &user, &stage::address(trial))?;
                        let begun = Instant::now();
                        stage::log_out(*node, &cookie).then(|| (cookie, begun.elapsed()))
                    });
                    let Some((cookie, took)) = first else {
                        unknown.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    for node in turned {
                        looks.fetch_add(1, Ordering::Relaxed);
                        let is_allowed = stage::verify(*node, &cookie) == 200;
                        stale.fetch_add(u64::from(is_allowed), Ordering::Relaxed);
                    }
                    let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
                    figures.add(took);
                }
            });
        }
    });
    let (stale, unknown) = (stale.into_inner(), unknown.into_inner());
    let figures = figures.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(vec![
        Line::new(
            stale == 0,
            format!(
                "sessions allowed by another node after the answer to their logout: {stale} of {} looks",
                looks.into_inner()
            ),
        ),
        Line::new(
            unknown == 0,
            format!("logins or logouts without an answer: {unknown}"),
        ),
        Line::new(true, format!("logout: {figures}")),
    ])
}
