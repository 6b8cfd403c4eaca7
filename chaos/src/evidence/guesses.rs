//! Many guesses at once are as good as a few: budgets count before passwords are looked at.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::Line;
use super::stage::{self, Order, Progress};
use crate::check::guess::GUESSES_MAX;
use crate::choice::Choices;
use crate::workload::checked;

/// Logins at once in a round.
const AT_ONCE: u64 = 100;
/// Right logins of one user at once.
const RIGHT_AT_ONCE: u64 = 50;

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    let cluster = order.cluster(1, order.count)?;
    let nodes = cluster.addresses();
    let mut choices = Choices::new(1, 0);
    let (mut successes, mut let_in_at) = (0, BTreeSet::new());
    let progress = Progress::new("rounds of guesses", order.count);
    for round in 0..order.count {
        progress.at(round);
        let right = choices.below(AT_ONCE);
        if guess(&nodes, round, right) > 0 {
            successes += 1;
            let_in_at.insert(round);
        }
    }
    let let_in = all_right(&nodes);
    let checked = checked(&cluster.logs());
    let beyond = checked
        .iter()
        .filter(|(round, count)| **count > allowed(let_in_at.contains(round)));
    let beyond = beyond.count();
    let bar = bar(order.count);
    Ok(vec![
        Line::new(
            successes <= bar,
            format!(
                "rounds of {AT_ONCE} logins at once of which the right one was let in: {successes} of {} (expected {}, at most {bar})",
                order.count,
                order.count * GUESSES_MAX / AT_ONCE
            ),
        ),
        Line::new(
            beyond == 0,
            format!(
                "rounds in which more wrong passwords were looked at than allowed ({} without a right one that was let in, \
                 {} with one, which forgives): {beyond}; wrong passwords looked at in all rounds: {}",
                allowed(false),
                allowed(true),
                checked.values().sum::<u64>()
            ),
        ),
        Line::new(
            let_in == RIGHT_AT_ONCE,
            format!(
                "right logins of one user at once that were let in: {let_in} of {RIGHT_AT_ONCE}"
            ),
        ),
    ])
}

/// How many wrong passwords a round may have looked at. A right one that is let in forgives those before it.
fn allowed(was_let_in: bool) -> u64 {
    if was_let_in {
        2 * GUESSES_MAX - 1
    } else {
        GUESSES_MAX
    }
}

/// What a binomial count with the chance `GUESSES_MAX / AT_ONCE` exceeds about once in ten thousand runs: 16 of 200.
fn bar(rounds: u64) -> u64 {
    let expected = rounds * GUESSES_MAX / AT_ONCE;
    expected + 4 * expected.isqrt() + 2
}

/// All guesses of one round at once, over all nodes; how many were let in.
fn guess(nodes: &[SocketAddr], round: u64, right: u64) -> u64 {
    at_once(nodes, AT_ONCE, |number, node| {
        let password = if number == right { "password" } else { "guess" };
        let answer = stage::log_in(node, &format!("v{round}"), password, &stage::address(round));
        answer.is_some_and(|answer| answer.status == 200)
    })
}

fn all_right(nodes: &[SocketAddr]) -> u64 {
    at_once(nodes, RIGHT_AT_ONCE, |number, node| {
        stage::session(node, "u0", &stage::address(1_000_000 + number)).is_some()
    })
}

/// Does `what` `count` times at once, and counts how often it says yes.
fn at_once(nodes: &[SocketAddr], count: u64, what: impl Fn(u64, SocketAddr) -> bool + Sync) -> u64 {
    let yes = AtomicU64::new(0);
    thread::scope(|scope| {
        for number in 0..count {
            let turn = usize::try_from(number).unwrap_or(0) % nodes.len().max(1);
            let (what, yes, node) = (&what, &yes, nodes.get(turn).copied());
            scope.spawn(move || {
                let said = node.is_some_and(|node| what(number, node));
                yes.fetch_add(u64::from(said), Ordering::Relaxed);
            });
        }
    });
    yes.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_password_forgives_the_guesses_before_it_and_no_more() {
        assert_eq!((allowed(false), allowed(true)), (3, 5));
    }

    #[test]
    fn the_bar_of_two_hundred_rounds_is_sixteen() {
        assert_eq!(bar(200), 16);
    }
}
