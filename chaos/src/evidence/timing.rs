//! How long a refused login takes, by the cause that nobody is to learn: a wrong password, a name that nobody has, a ban,
//! a disabled user. At rest, and while other logins keep every hash thread busy.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Line;
use super::figures::Figures;
use super::stage::{self, Order, Progress};
use crate::check::guess::GUESSES_MAX;
use crate::choice::Choices;
use crate::cluster::Population;

/// Causes of a refusal.
const KINDS: [&str; 4] = ["wrong", "unknown", "banned", "disabled"];
/// Samples taken at once.
const SAMPLERS: u64 = 3;

/// What else goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Nothing.
    Rest,
    /// As many logins at once as keep the hash threads of all nodes busy.
    Busy,
    /// More than fit into the queue, so some are turned away.
    Full,
}

impl Load {
    const ALL: [Self; 3] = [Self::Rest, Self::Busy, Self::Full];

    fn clients(self) -> u64 {
        match self {
            Self::Rest => 0,
            Self::Busy => 18,
            Self::Full => 150,
        }
    }
}

/// What the samples of one kind came to.
#[derive(Default)]
struct Samples {
    /// Answers by status and body.
    answers: BTreeMap<(u16, String), u64>,
    refusals: Figures,
}

pub(super) fn run(order: &Order) -> io::Result<Vec<Line>> {
    let rounds = order.count;
    let loaders = Load::Full.clients();
    let cluster = order.cluster_of(Population {
        users: 0,
        // One for each sample, one that is banned, and those that make the load.
        victims: rounds + 1 + loaders,
        disabled: rounds,
    })?;
    let nodes = cluster.addresses();
    let numbers = AtomicU64::new(0);
    let banned = format!("v{rounds}");
    for _ in 0..GUESSES_MAX {
        refuse(&nodes, &banned, &numbers);
    }
    let mut lines = Vec::new();
    for load in Load::ALL {
        let samples = loaded(&nodes, load, rounds + 1, &numbers, || {
            sample(&nodes, rounds, &banned, &numbers)
        });
        lines.extend(judge(load, &samples, order));
    }
    Ok(lines)
}

/// One wrong login at the next node from an address of its own.
fn refuse(
    nodes: &[SocketAddr],
    user: &str,
    numbers: &AtomicU64,
) -> Option<(u16, String, Duration)> {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let node = nodes.get(usize::try_from(number).unwrap_or(0) % nodes.len().max(1))?;
    let begun = Instant::now();
    let answer = stage::log_in(*node, user, "guess", &stage::address(number))?;
    Some((answer.status, answer.body, begun.elapsed()))
}

/// Does `what` while clients `first`, `first + 1`, … log in rightly again and again.
fn loaded<T>(
    nodes: &[SocketAddr],
    load: Load,
    first: u64,
    numbers: &AtomicU64,
    what: impl FnOnce() -> T,
) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for (client, node) in (0..load.clients()).zip(nodes.iter().cycle()) {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let address = stage::address(numbers.fetch_add(1, Ordering::Relaxed));
                    let _ = stage::session(*node, &format!("v{}", first + client), &address);
                }
            });
        }
        let done = what();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

/// `rounds` refusals of each kind, the kinds in any order.
fn sample(
    nodes: &[SocketAddr],
    rounds: u64,
    banned: &str,
    numbers: &AtomicU64,
) -> BTreeMap<&'static str, Samples> {
    let samples: Mutex<BTreeMap<&'static str, Samples>> = Mutex::default();
    let next = AtomicU64::new(0);
    let progress = Progress::new("refused logins of each kind", rounds);
    thread::scope(|scope| {
        for sampler in 0..SAMPLERS {
            let (samples, next, progress) = (&samples, &next, &progress);
            scope.spawn(move || {
                let mut choices = Choices::new(1, sampler);
                loop {
                    let round = next.fetch_add(1, Ordering::Relaxed);
                    if round >= rounds {
                        return;
                    }
                    progress.at(round);
                    let mut kinds = KINDS;
                    choices.shuffle(&mut kinds);
                    for kind in kinds {
                        let user = match kind {
                            "wrong" => format!("v{round}"),
                            "unknown" => format!("nobody{round}"),
                            "disabled" => format!("d{round}"),
                            _ => banned.to_owned(),
                        };
                        let Some((status, body, took)) = refuse(nodes, &user, numbers) else {
                            continue;
                        };
                        let mut samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
                        let samples = samples.entry(kind).or_default();
                        *samples.answers.entry((status, body)).or_default() += 1;
                        if status == 401 {
                            samples.refusals.add(took);
                        }
                    }
                }
            });
        }
    });
    samples.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn judge(load: Load, samples: &BTreeMap<&'static str, Samples>, order: &Order) -> Vec<Line> {
    let name = match load {
        Load::Rest => "at rest",
        Load::Busy => "hash threads busy",
        Load::Full => "queue full",
    };
    let Some(wrong) = samples.get("wrong") else {
        return vec![Line::new(false, format!("{name}: no login was answered"))];
    };
    let mut lines = Vec::new();
    for kind in KINDS {
        let empty = Samples::default();
        let of = samples.get(kind).unwrap_or(&empty);
        let distance = of.refusals.distance(&wrong.refusals);
        let bar = of.refusals.distance_bar(&wrong.refusals);
        let is_alike = distance <= bar || !order.judges_durations || load == Load::Full;
        lines.push(Line::new(
            is_alike && of.is_like(wrong),
            format!(
                "{name}, {kind}: refused {}; distance of the distribution from `wrong` {distance:.3} (at most {bar:.3}); \
                 turned away {}",
                of.refusals,
                of.turned_away()
            ),
        ));
    }
    lines
}

impl Samples {
    fn turned_away(&self) -> u64 {
        let busy = self
            .answers
            .iter()
            .filter(|((status, _), _)| *status == 503);
        busy.map(|(_, count)| count).sum()
    }

    /// Whether refusals are the same in status and body, where there are any.
    fn is_like(&self, other: &Self) -> bool {
        let refusals = |samples: &Self| -> Vec<(u16, String)> {
            let answers = samples.answers.keys();
            answers
                .filter(|(status, _)| *status != 503)
                .cloned()
                .collect()
        };
        let (mine, others) = (refusals(self), refusals(other));
        mine.is_empty() || others.is_empty() || mine == others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(answers: &[(u16, &str)]) -> Samples {
        let answers = answers
            .iter()
            .map(|(status, body)| ((*status, (*body).to_owned()), 1));
        Samples {
            answers: answers.collect(),
            refusals: Figures::default(),
        }
    }

    #[test]
    fn another_status_or_body_is_noticed_and_being_turned_away_is_not() {
        let wrong = samples(&[(401, "no"), (503, "later")]);
        assert!(samples(&[(401, "no")]).is_like(&wrong));
        let turned_away = samples(&[(503, "later")]);
        assert!(wrong.is_like(&turned_away) && turned_away.is_like(&wrong));
        for (status, body) in [(403, "no"), (401, "banned"), (200, "no")] {
            assert!(!samples(&[(status, body)]).is_like(&wrong));
        }
    }
}
