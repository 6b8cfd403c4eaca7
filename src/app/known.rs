//! Credentials in headers that were right a moment ago, so that a request with them costs no password check and no
//! replicated write.
//!
//! Kept is, by user, a hash of the password and of the stored hash it was checked against, under a key that was drawn
//! when the process started. So whoever reads this memory learns no password, a wrong password finds nothing, and what is
//! kept for an old password finds nothing either as soon as this node knows of the new one. Users and bans are read as
//! sessions are: under a lease, or behind a round to the leader.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use quorate_core::{Account, Subject, UserName};
use quorate_raft::ProposeError;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::App;
use super::login::LoginError;
use crate::config::Reads;

/// How many users' credentials are kept at most; beyond it all are forgotten and checked again.
const KEPT_MAX: usize = 100_000;

type Tag = [u8; 32];

/// What is kept, in the memory of this process alone.
pub(super) struct KnownCredentials {
    key: Zeroizing<[u8; 32]>,
    checked: RwLock<HashMap<UserName, Checked>>,
}

/// Credentials that were right.
struct Checked {
    tag: Tag,
    at: Instant,
}

impl KnownCredentials {
    /// Nothing yet, under a key of its own.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            key: Zeroizing::new(key),
            checked: RwLock::default(),
        }
    }

    /// What `password` is known by as long as `hash` is the stored one.
    fn tag(&self, password: &str, hash: &str) -> Option<Tag> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).ok()?;
        // Length before content: no two different pairs have the same bytes.
        mac.update(&(hash.len() as u64).to_be_bytes());
        mac.update(hash.as_bytes());
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    /// Whether the user's credentials with this tag were right less than `lifespan` before `now`.
    fn knows(&self, user: &UserName, tag: &Tag, lifespan: Duration, now: Instant) -> bool {
        let checked = self.checked.read().unwrap_or_else(PoisonError::into_inner);
        checked.get(user).is_some_and(|checked| {
            bool::from(checked.tag.ct_eq(tag))
                && now.saturating_duration_since(checked.at) < lifespan
        })
    }

    /// Notes that the user's credentials with this tag were right at `now`.
    fn keep(&self, user: &UserName, tag: Tag, now: Instant) {
        let mut checked = self.checked.write().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= KEPT_MAX && !checked.contains_key(user) {
            checked.clear();
        }
        checked.insert(user.clone(), Checked { tag, at: now });
    }
}

impl App {
    /// As [`App::check_credentials`], except that credentials that were right less than `lifespan` ago are right without
    /// another check while the user is enabled, has the same password, and neither the user nor `address` is banned.
    ///
    /// # Errors
    /// As [`App::check_credentials`].
    pub async fn recognize(
        &self,
        username: &str,
        password: Zeroizing<String>,
        address: IpAddr,
        lifespan: Duration,
    ) -> Result<Arc<Account>, LoginError> {
        if lifespan.is_zero() {
            return self.check_credentials(username, password, address).await;
        }
        if let Some(user) = self.known(username, &password, address, lifespan).await? {
            return Ok(user);
        }
        let now = Instant::now();
        let user = self
            .check_credentials(username, password.clone(), address)
            .await?;
        let hash = user.password.as_ref();
        if let Some(tag) = hash.and_then(|hash| self.known.tag(&password, hash.as_str())) {
            self.known.keep(&user.name, tag, now);
        }
        Ok(user)
    }

    async fn known(
        &self,
        username: &str,
        password: &str,
        address: IpAddr,
        lifespan: Duration,
    ) -> Result<Option<Arc<Account>>, ProposeError> {
        let look = || {
            let user = self.user(username)?;
            let hash = user.password.as_ref()?;
            let tag = self.known.tag(password, hash.as_str())?;
            let is_known = self.known.knows(&user.name, &tag, lifespan, Instant::now());
            let subjects = [
                Subject::User(user.name.clone()),
                Subject::of_address(address),
            ];
            let is_banned = |subject| self.node.reader().ban(subject, self.now()).is_some();
            (is_known && !subjects.iter().any(is_banned)).then_some(user)
        };
        // The lease is looked at before and after: see `look_up` of sessions.
        if self.config.cluster.reads != Reads::Strict && self.node.may_read() {
            let found = look();
            if self.node.may_read() {
                return Ok(found);
            }
        }
        self.node.read_index().await?;
        Ok(look())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test without its value has failed")]

    use super::*;

    const LIFESPAN: Duration = Duration::from_secs(60);

    #[test]
    fn only_the_right_password_of_the_stored_hash_is_known_and_only_for_its_time() {
        let known = KnownCredentials::new([7; 32]);
        let (john, harry) = (name("john"), name("harry"));
        let now = Instant::now();
        let tag = |password, hash| known.tag(password, hash).expect("a tag");
        known.keep(&john, tag("right", "$hash$1"), now);
        for (user, password, hash, later_s, expect) in [
            (&john, "right", "$hash$1", 0, true),
            (&john, "right", "$hash$1", 59, true),
            (&john, "right", "$hash$1", 60, false),
            (&john, "wrong", "$hash$1", 0, false),
            (&john, "right", "$hash$2", 0, false),
            (&john, "1right", "$hash$", 0, false),
            (&harry, "right", "$hash$1", 0, false),
        ] {
            let at = now + Duration::from_secs(later_s);
            let found = known.knows(user, &tag(password, hash), LIFESPAN, at);
            assert_eq!(
                found, expect,
                "{user:?} {password} {hash} after {later_s} s"
            );
        }
    }

    #[test]
    fn another_process_knows_the_same_password_by_another_tag() {
        let tag = |key| KnownCredentials::new(key).tag("right", "$hash$1");
        assert_ne!(tag([1; 32]), tag([2; 32]));
    }

    fn name(text: &str) -> UserName {
        UserName::parse(text).expect("a name")
    }
}
