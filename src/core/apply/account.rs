//! The cluster's users: put, disable, enable, remove, and their passwords.
//!
//! Sessions end before the account changes, so that who reads in between finds no session without its account.

use std::collections::BTreeSet;

use crate::{
    Account, PasswordHash, PasswordOverride, Rejection, Reply, SessionKey, State, UserName,
};

impl State {
    /// Puts a user in the place of nobody, or of exactly who the command was made from.
    pub(super) fn put_user(&mut self, account: &Account, replaces: Option<&[u8; 32]>) -> Reply {
        let known = self.reader.accounts.get(&account.name);
        if known.as_ref().map(|known| known.digest()).as_ref() != replaces {
            return Reply::Rejected(Rejection::Outdated);
        }
        let ends_sessions = known.is_some_and(|known| {
            known.password != account.password || (account.disabled && !known.disabled)
        });
        let ended = if ends_sessions {
            self.kill_user(&account.name, None)
        } else {
            Reply::Ended { count: 0 }
        };
        self.store_account(account.clone());
        ended
    }

    pub(super) fn set_password(
        &mut self,
        user: &UserName,
        password: &PasswordHash,
        keep: Option<SessionKey>,
    ) -> Reply {
        let Some(known) = self.reader.accounts.get(user) else {
            return Reply::Rejected(Rejection::Missing);
        };
        let ended = self.kill_user(user, keep);
        self.store_account(Account {
            password: Some(password.clone()),
            ..Account::clone(&known)
        });
        ended
    }

    pub(super) fn disable_user(&mut self, user: &UserName) -> Reply {
        let Some(known) = self.reader.accounts.get(user) else {
            return Reply::Rejected(Rejection::Missing);
        };
        let ended = self.kill_user(user, None);
        self.store_account(Account {
            disabled: true,
            ..Account::clone(&known)
        });
        ended
    }

    pub(super) fn enable_user(&mut self, user: &UserName) -> Reply {
        let Some(known) = self.reader.accounts.get(user) else {
            return Reply::Rejected(Rejection::Missing);
        };
        self.store_account(Account {
            disabled: false,
            ..Account::clone(&known)
        });
        Reply::Done
    }

    /// The one-time password device goes with the user: it must not wait for whoever gets that name next. What was
    /// used of it is remembered, and so are bans.
    pub(super) fn remove_user(&mut self, user: &UserName) -> Reply {
        if self.reader.accounts.get(user).is_none() {
            return Reply::Rejected(Rejection::Missing);
        }
        let ended = self.kill_user(user, None);
        let _ = self.remove_totp(user);
        self.index_emails(user, &[]);
        self.reader.accounts.remove(user);
        ended
    }

    /// The user is one of the file, which only nodes can read, so nothing is looked up.
    pub(super) fn override_password(
        &mut self,
        user: &UserName,
        replaces: [u8; 32],
        password: &PasswordHash,
        keep: Option<SessionKey>,
    ) -> Reply {
        let ended = self.kill_user(user, keep);
        let set_at = self.now();
        self.reader.overrides.insert(
            user.clone(),
            PasswordOverride {
                replaces,
                password: password.clone(),
                set_at,
            },
        );
        ended
    }

    pub(crate) fn store_account(&mut self, account: Account) {
        self.index_emails(&account.name, &account.emails);
        self.reader.accounts.insert(account.name.clone(), account);
    }

    /// Makes `emails` the addresses that lead to `user`, in place of those of the account as it is.
    fn index_emails(&mut self, user: &UserName, emails: &[String]) {
        let by_email = &self.reader.by_email;
        let names = |email: &String| -> (String, BTreeSet<UserName>) {
            let lower = email.to_lowercase();
            let names = by_email.get(&lower).map(|names| (*names).clone());
            (lower, names.unwrap_or_default())
        };
        let known = self.reader.accounts.get(user);
        for email in known.iter().flat_map(|known| &known.emails) {
            let (lower, mut names) = names(email);
            names.remove(user);
            if names.is_empty() {
                by_email.remove(&lower);
            } else {
                by_email.insert(lower, names);
            }
        }
        for email in emails {
            let (lower, mut names) = names(email);
            names.insert(user.clone());
            by_email.insert(lower, names);
        }
    }
}
