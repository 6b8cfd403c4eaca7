//! Attackers: bursts of wrong guesses at one user after another, on all nodes at once, and then the right password.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::World;
use super::visit::{address, number};
use crate::check::guess::GUESSES_MAX;
use crate::choice::Choices;
use crate::history::Action;

/// Each victim is guessed at from an address of its own in this network, so that logs, which name no user, tell whom.
const NETWORK: u8 = 20;

impl World<'_> {
    /// Attacks one victim after another until the end; `every` is the time from one to the next at least.
    pub(crate) fn attack(&self, mut choices: Choices, every: Duration) {
        while !self.is_over() {
            let victim = self.victims.fetch_add(1, Ordering::Relaxed);
            if victim >= self.population.victims {
                return;
            }
            match choices.below(4) {
                0 => (0..GUESSES_MAX)
                    .for_each(|_| self.guess(victim, false, self.any_node(&mut choices))),
                1 => {
                    // A right guess forgives what was before it.
                    self.guess(victim, false, self.any_node(&mut choices));
                    self.guess(victim, true, self.any_node(&mut choices));
                    self.burst(victim, GUESSES_MAX * 2, &mut choices);
                }
                _ => self.burst(
                    victim,
                    choices.clone().between(GUESSES_MAX, 7),
                    &mut choices,
                ),
            }
            for _ in 0..2 {
                self.guess(victim, true, self.any_node(&mut choices));
            }
            thread::sleep(every);
        }
    }

    fn burst(&self, victim: u64, count: u64, choices: &mut Choices) {
        thread::scope(|scope| {
            for _ in 0..count {
                let node = self.any_node(choices);
                scope.spawn(move || self.guess(victim, false, node));
            }
        });
    }

    fn guess(&self, victim: u64, right: bool, node: usize) {
        let password = if right { "password" } else { "guess" };
        let user = format!("v{victim}");
        let address = address(NETWORK, victim);
        self.log_in(
            node,
            Action::Guess { victim, right },
            (&user, password),
            &address,
        );
    }
}

#[derive(Deserialize)]
struct Line {
    cause: String,
    address: String,
}

/// How often each victim's password was found wrong, by the nodes' logs.
pub(crate) fn checked(logs: &[PathBuf]) -> BTreeMap<u64, u64> {
    let mut checked = BTreeMap::new();
    for log in logs {
        let text = std::fs::read(log).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some(victim) = victim_of(line) {
                *checked.entry(victim).or_default() += 1;
            }
        }
    }
    checked
}

fn victim_of(line: &str) -> Option<u64> {
    let Line { cause, address } = serde_json::from_str(line).ok()?;
    (cause == "wrong password").then(|| number(NETWORK, &address))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_a_wrong_password_names_the_victim_by_its_address() {
        let line = |cause: &str, address: &str| {
            format!(
                r#"{{"level":"INFO","message":"login refused","cause":"{cause}","address":"{address}","domain":"example.com"}}"#
            )
        };
        assert_eq!(victim_of(&line("wrong password", "20.0.1.2")), Some(258));
        assert_eq!(victim_of(&line("banned", "20.0.1.2")), None);
        assert_eq!(victim_of(&line("wrong password", "30.0.1.2")), None);
        assert_eq!(victim_of("panicked at"), None);
    }
}
