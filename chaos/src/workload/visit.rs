//! Visitors: they log in, look around, log out, and look again.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::{KNOWN_MAX, Known, World};
use crate::choice::Choices;
use crate::history::{Action, Outcome};

impl World<'_> {
    /// Opens and ends sessions until the end.
    pub(crate) fn own(&self, mut choices: Choices) {
        let mut user = self.next_user();
        let mut open = Vec::new();
        while !self.is_over() {
            let session = self.sessions.fetch_add(1, Ordering::Relaxed);
            let address = address(30, session);
            let node = self.any_node(&mut choices);
            let action = Action::LogIn { session };
            let names = (user.as_str(), "password");
            let (outcome, answer) = self.log_in(node, action, names, &address);
            // A login without an answer may count as a failure, so the next one is for somebody else.
            if outcome != Outcome::Yes {
                user = self.next_user();
                open.clear();
                thread::sleep(Duration::from_millis(choices.between(20, 120)));
                continue;
            }
            let Some(cookie) = answer.and_then(|answer| answer.cookie()) else {
                continue;
            };
            let known = Known { session, cookie };
            self.keep(known.clone(), &mut choices);
            thread::sleep(Duration::from_millis(choices.between(5, 700)));
            open.push(known.clone());
            match choices.below(10) {
                // It stays open, until its user is killed or for good.
                0 | 1 => {}
                2 => {
                    self.end(&open, &mut choices, |node, open| {
                        self.kill(node, &user, open)
                    });
                    open.clear();
                }
                3 => {
                    self.end(&open, &mut choices, |node, open| {
                        self.set_password(node, &user, open)
                    });
                    open.clear();
                }
                _ => {
                    open.pop();
                    self.end(&[known], &mut choices, |node, open| {
                        open.iter()
                            .map(|known| self.log_out(node, known))
                            .last()
                            .unwrap_or(Outcome::Unknown)
                    });
                }
            }
        }
    }

    /// Looks at sessions, new and old, until the end.
    pub(crate) fn look(&self, mut choices: Choices) {
        while !self.is_over() {
            let known = {
                let known = self.known();
                let reach = if choices.once_in(3) {
                    known.len()
                } else {
                    known.len().min(30)
                };
                let back = choices.index(reach);
                known.iter().rev().nth(back).cloned()
            };
            if let Some(known) = known {
                let node = self.any_node(&mut choices);
                self.verify(node, &known);
            }
            thread::sleep(Duration::from_millis(choices.between(4, 16)));
        }
    }

    /// Ends sessions by `end`; when that is acknowledged, no node may know them any more.
    fn end(
        &self,
        sessions: &[Known],
        choices: &mut Choices,
        end: impl Fn(usize, &[Known]) -> Outcome,
    ) {
        for _ in 0..3 {
            if end(self.any_node(choices), sessions) == Outcome::Yes {
                for known in sessions {
                    for node in 0..self.nodes.len() {
                        self.verify(node, known);
                    }
                }
                return;
            }
            if self.is_over() {
                return;
            }
        }
    }

    fn keep(&self, session: Known, choices: &mut Choices) {
        let mut known = self.known();
        known.push(session);
        if known.len() > KNOWN_MAX {
            let old = choices.index(KNOWN_MAX / 2);
            known.remove(old);
        }
    }

    fn next_user(&self) -> String {
        let number = self.users.fetch_add(1, Ordering::Relaxed) % self.population.users.max(1);
        format!("u{number}")
    }
}

/// The `number`th address of the network `first`.0.0.0/8.
pub(super) fn address(first: u8, number: u64) -> String {
    let [.., a, b, c] = number.to_be_bytes();
    format!("{first}.{a}.{b}.{c}")
}

/// The number that [`address`] was made of; `None` for another network.
pub(super) fn number(first: u8, address: &str) -> Option<u64> {
    let rest = address.strip_prefix(&format!("{first}."))?;
    rest.split('.').try_fold(0, |number, part| {
        Some(number * 256 + part.parse::<u64>().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_its_number() {
        assert_eq!(address(20, 70_000), "20.1.17.112");
        assert_eq!(number(20, "20.1.17.112"), Some(70_000));
        assert_eq!(number(20, "21.1.17.112"), None);
    }
}
