//! What a case knows: texts it has kept, jars of cookies, and the one-time passwords it has used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate::authn::totp;
use quorate_core::{NewTotp, TotpAlgorithm};
use regex::{Captures, Regex};

use super::exchange::Reply;

const PERIOD_S: u64 = 30;
/// A code is not made so shortly before the end of its period, in seconds, that it may arrive too late.
const MARGIN_S: u64 = 2;

/// Everything that steps hand on to later steps. A clone is a world of its own, except for used passwords.
#[derive(Clone, Default)]
pub(super) struct World {
    texts: BTreeMap<String, String>,
    jars: BTreeMap<String, BTreeMap<String, String>>,
    /// Periods by user, as numbers of them, in the order of their use.
    used: Arc<Mutex<BTreeMap<String, Vec<u64>>>>,
}

impl World {
    pub(super) fn keep(&mut self, name: &str, text: String) {
        self.texts.insert(name.to_owned(), text);
    }

    /// Takes the cookies of an answer into a jar, and those that it deletes out of it.
    pub(super) fn save(&mut self, jar: &str, reply: &Reply) {
        let jar = self.jars.entry(jar.to_owned()).or_default();
        for cookie in reply.cookies() {
            if cookie.lifetime_s().is_some_and(|left| left <= 0.0) {
                jar.remove(cookie.name);
            } else {
                jar.insert(cookie.name.to_owned(), cookie.value.to_owned());
            }
        }
    }

    /// The value of `Cookie` for the jars; `None` if they are empty.
    pub(super) fn cookies(&self, jars: &[String]) -> Result<Option<String>, String> {
        let mut pairs = Vec::new();
        for jar in jars {
            let cookies = self
                .jars
                .get(jar)
                .ok_or(format!("there is no jar `{jar}`"))?;
            pairs.extend(
                cookies
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            );
        }
        Ok((!pairs.is_empty()).then(|| pairs.join("; ")))
    }

    /// Waits until every code that `text` asks for is one that has not been used and will not be too late.
    pub(super) async fn await_codes(&self, text: &str) {
        for user in fresh_users(text) {
            while self.unused(&user).is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// The text with every `{{…}}` replaced.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let pattern = Regex::new(r"\{\{([^{}]+)\}\}").expect("a pattern");
        let mut problem = None;
        let filled = pattern.replace_all(text, |found: &Captures<'_>| {
            self.value(&found[1]).unwrap_or_else(|missing| {
                problem = Some(missing);
                String::new()
            })
        });
        match problem {
            Some(problem) => Err(problem),
            None => Ok(filled.into_owned()),
        }
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let (word, rest) = name.split_once(':').unwrap_or((name, ""));
        match word {
            "basic" | "b64" => Ok(STANDARD.encode(rest)),
            "repeat" => {
                let (letter, times) = rest.split_once(':').ok_or("repeat:LETTERS:TIMES")?;
                let times = times.parse().map_err(|_| "repeat:LETTERS:TIMES")?;
                Ok(letter.repeat(times))
            }
            "totp" => self.code(rest),
            _ => {
                let kept = self.texts.get(name);
                kept.cloned().ok_or(format!("nothing is kept as `{name}`"))
            }
        }
    }

    /// `USER`, `USER:MODE` or `USER:MODE:ALGORITHM:DIGITS:PERIOD`.
    fn code(&self, words: &str) -> Result<String, String> {
        let words: Vec<&str> = words.split(':').collect();
        let user = words[0];
        let secret = self.texts.get(&format!("totp_secret_{user}"));
        let secret = secret.ok_or(format!("no secret of `{user}`"))?;
        let secret = totp::from_base32(secret).ok_or(format!("no secret: {secret}"))?;
        let period_s = words.get(4).map_or(Ok(PERIOD_S), |text| text.parse());
        let period_s: u64 = period_s.map_err(|_| "a period in seconds")?;
        let device = NewTotp {
            sealed_secret: Vec::new(),
            algorithm: match words.get(2) {
                Some(&"sha256") => TotpAlgorithm::Sha256,
                Some(&"sha512") => TotpAlgorithm::Sha512,
                _ => TotpAlgorithm::Sha1,
            },
            digits: words.get(3).map_or(6, |text| text.parse().expect("digits")),
            period_s: u16::try_from(period_s).expect("a short period").into(),
            issuer: String::new(),
        };
        let current = now_s() / period_s;
        let period = match words.get(1) {
            None => self.unused(user).ok_or("every code has been used")?,
            Some(&"same") => self.last_used(user).unwrap_or(current),
            Some(&"prev") => current - 1,
            Some(&"next") => current + 1,
            Some(&"old") => current - 10,
            Some(_) => current,
        };
        if words.len() < 3 {
            self.note(user, period);
        }
        Ok(totp::password(&device, &secret, period * period_s).to_string())
    }

    /// A period that is accepted now and was not used before.
    fn unused(&self, user: &str) -> Option<u64> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, left) = (now_s() / PERIOD_S, PERIOD_S - now_s() % PERIOD_S);
        let known = used.get(user).map_or(&[][..], Vec::as_slice);
        // The next period is accepted as well, and so is the one before, but not for long.
        let accepted = [current, current + 1, current - 1];
        let found = accepted
            .into_iter()
            .find(|period| !known.contains(period))?;
        (found != current - 1 || left > MARGIN_S).then_some(found)
    }

    fn last_used(&self, user: &str) -> Option<u64> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get(user)?.last().copied()
    }

    fn note(&self, user: &str, period: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.entry(user.to_owned()).or_default().push(period);
    }
}

fn now_s() -> u64 {
    quorate::clock::now().0 / 1000
}

/// The users of whom a text asks for a code that is to be accepted.
fn fresh_users(text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(r"\{\{totp:(\w+)\}\}").expect("a pattern");
    let found = pattern.captures_iter(text);
    found.map(|found| found[1].to_owned()).collect()
}
