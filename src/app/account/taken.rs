//! Whether a name or an address leads to somebody else already.

use std::collections::{BTreeSet, HashMap};

use quorate_core::{Account, UserName};

use super::AccountError;

/// By what users are found with `search.email`: all in lower case. Made once for many checks.
///
/// Two users who get the same address at the same moment slip through, and it then leads to nobody.
#[derive(Debug, Default)]
pub(super) struct Taken {
    names: HashMap<String, BTreeSet<UserName>>,
    emails: HashMap<String, BTreeSet<UserName>>,
}

impl Taken {
    pub(super) fn of<'a>(accounts: impl IntoIterator<Item = (&'a UserName, &'a Account)>) -> Self {
        let mut taken = Self::default();
        for (name, account) in accounts {
            let lower = name.as_str().to_lowercase();
            taken.names.entry(lower).or_default().insert(name.clone());
            for email in &account.emails {
                let owners = taken.emails.entry(email.to_lowercase()).or_default();
                owners.insert(name.clone());
            }
        }
        taken
    }

    /// Neither an address of `account` nor its name is to lead to somebody else, and no address of others to it.
    pub(super) fn check(&self, account: &Account) -> Result<(), AccountError> {
        let own = &account.name;
        let other = |owners: Option<&BTreeSet<UserName>>| {
            owners.and_then(|owners| owners.iter().find(|owner| *owner != own).cloned())
        };
        let by_name = other(self.emails.get(&own.as_str().to_lowercase()));
        if let Some(other) = by_name {
            return Err(AccountError::Wrong(format!(
                "`{own}`: the name is an address of `{other}` already; with `search.email` every address leads to one \
                 user"
            )));
        }
        let by_email = account.emails.iter().find_map(|email| {
            let lower = email.to_lowercase();
            other(self.emails.get(&lower)).or_else(|| other(self.names.get(&lower)))
        });
        by_email.map_or(Ok(()), |other| {
            Err(AccountError::Wrong(format!(
                "`{own}`: an address leads to `{other}` already; with `search.email` every address leads to one user"
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    fn account(name: &str, email: &str) -> Account {
        Account {
            name: UserName::parse(name).unwrap(),
            password: None,
            display_name: name.to_owned(),
            emails: vec![email.to_owned()],
            groups: Vec::new(),
            disabled: false,
        }
    }

    #[test]
    fn no_name_and_no_address_leads_to_two_users_whatever_its_case() {
        let known = [
            account("John@Example.com", "j@example.com"),
            account("bob", "Bob@example.com"),
        ];
        let taken = Taken::of(known.iter().map(|account| (&account.name, account)));
        for (name, email, is_free) in [
            ("eve", "eve@example.com", true),
            ("bob", "BOB@example.com", true),
            ("eve", "bob@EXAMPLE.com", false),
            ("eve", "john@example.com", false),
            ("bob@example.com", "eve@example.com", false),
            ("J@example.com", "eve@example.com", false),
        ] {
            let verdict = taken.check(&account(name, email));
            assert_eq!(verdict.is_ok(), is_free, "{name} {email}");
        }
    }
}
