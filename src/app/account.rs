//! What an operator may do to users: add, change, disable, enable, remove, import, and set passwords.
//!
//! Users of a file belong to the file: of them only the password is changed here. What ends sessions has ended them on
//! every node when it returns.

mod taken;

use std::path::PathBuf;
use std::sync::Arc;

use quorate_core::{Account, Command, PasswordHash, Rejection, Reply, UserName};
use quorate_raft::ProposeError;
use zeroize::Zeroizing;

use self::taken::Taken;
use super::App;
use crate::authn::file::Users;
use crate::authn::password::new_hash;
use crate::authn::users::with_override;

/// The longest password, in bytes: longer ones fit no login form.
const PASSWORD_BYTES_MAX: usize = 1_024;
/// The most bytes of names, addresses and groups of one user: headers carry them.
const ACCOUNT_BYTES_MAX: usize = 8 << 10;
/// How often a change is tried again when somebody else has changed the user in between.
const TRIES: usize = 3;

/// Why nothing was done to a user.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Users are declared in a file, which is not changed from here.
    #[error(
        "users come from the file `{}`: change it there, on every member, and run `quorate config reload`; to end \
         sessions everywhere at once, `quorate session kill --user NAME`",
        .0.display()
    )]
    Declared(PathBuf),
    /// There is somebody of that name.
    #[error("there is a user `{0}` already; `quorate storage user set` changes them")]
    Exists(UserName),
    /// There is nobody of that name.
    #[error("there is no user `{0}`; `quorate storage user list` shows all")]
    Missing(UserName),
    /// What was asked for cannot be.
    #[error("{0}")]
    Wrong(String),
    /// Somebody else changes the same user.
    #[error("`{0}` is being changed by somebody else: look at the user and try again")]
    Contended(UserName),
    /// The cluster did not answer.
    #[error(transparent)]
    Unavailable(#[from] ProposeError),
}

/// What is to change of a user; the rest stays.
#[derive(Debug, Default)]
pub struct AccountChange {
    /// What pages and headers call the user.
    pub display_name: Option<String>,
    /// All e-mail addresses.
    pub emails: Option<Vec<String>>,
    /// All groups.
    pub groups: Option<Vec<String>>,
}

/// What an import has done, or would do.
#[derive(Debug, Default)]
pub struct Import {
    /// Users who were not there before.
    pub added: Vec<UserName>,
    /// Users in whose place those of the file were put.
    pub replaced: Vec<UserName>,
    /// Users who were there, other than the file says, and were left so.
    pub kept: Vec<UserName>,
    /// Users who were there as the file says.
    pub unchanged: Vec<UserName>,
    /// How many sessions ended.
    pub ended: u64,
}

impl App {
    /// The name of a user as it is kept: in lower case, if case is ignored.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] if it is no name.
    pub fn user_name(&self, typed: &str) -> Result<UserName, AccountError> {
        let name = match self.config.users.case_insensitive {
            true => typed.to_lowercase(),
            false => typed.to_owned(),
        };
        UserName::parse(&name).map_err(|error| AccountError::Wrong(error.to_string()))
    }

    /// Hashes a password as configured, on a thread that may take its time.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] if it is empty or too long.
    pub async fn hash_password(
        &self,
        password: Zeroizing<String>,
    ) -> Result<PasswordHash, AccountError> {
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return Err(AccountError::Wrong(format!(
                "the password must have 1 to {PASSWORD_BYTES_MAX} bytes, has {}",
                password.len()
            )));
        }
        let recipe = self.config.users.password;
        let hashed =
            tokio::task::spawn_blocking(move || new_hash(password.as_bytes(), &recipe)).await;
        match hashed {
            Ok(Ok(hash)) => Ok(hash),
            Ok(Err(error)) => Err(AccountError::Wrong(format!(
                "the password cannot be hashed as configured: {error}"
            ))),
            Err(_) => Err(AccountError::Wrong("hashing broke off".to_owned())),
        }
    }

    /// Adds a user to the cluster. Whoever logs in at any node after this is known.
    ///
    /// # Errors
    /// [`AccountError`]; nothing was added then, unless the cluster did not answer.
    pub async fn add_user(&self, account: Account) -> Result<(), AccountError> {
        self.is_ours()?;
        self.node.read_index().await?;
        self.check(&account, self.taken().as_ref())?;
        let name = account.name.clone();
        match self.put(account, None).await? {
            Some(_) => {
                tracing::info!(user = name.as_str(), "user added by an operator");
                Ok(())
            }
            None => Err(AccountError::Exists(name)),
        }
    }

    /// Changes what is known of a user. When this returns, every node decides by it; sessions go on.
    ///
    /// # Errors
    /// As [`App::add_user`].
    pub async fn change_user(
        &self,
        name: &UserName,
        change: &AccountChange,
    ) -> Result<(), AccountError> {
        self.is_ours()?;
        for _ in 0..TRIES {
            self.node.read_index().await?;
            let known = self.account(name)?;
            let mut account = Account::clone(&known);
            if let Some(display_name) = &change.display_name {
                account.display_name.clone_from(display_name);
            }
            if let Some(emails) = &change.emails {
                account.emails.clone_from(emails);
            }
            if let Some(groups) = &change.groups {
                account.groups.clone_from(groups);
            }
            self.check(&account, self.taken().as_ref())?;
            if self.put(account, Some(known.digest())).await?.is_some() {
                tracing::info!(user = name.as_str(), "user changed by an operator");
                return Ok(());
            }
        }
        Err(AccountError::Contended(name.clone()))
    }

    /// Sets a user's password, also in place of the one that the users file declares. All sessions have ended on every
    /// node when this returns; how many there were.
    ///
    /// # Errors
    /// As [`App::add_user`].
    pub async fn set_password(
        &self,
        name: &UserName,
        password: PasswordHash,
    ) -> Result<u64, AccountError> {
        self.node.read_index().await?;
        let declared = match self.users.file() {
            Some(_) => self.account(name)?.password.clone(),
            None => None,
        };
        let (user, keep) = (name.clone(), None);
        let command = match declared {
            Some(declared) => Command::OverridePassword {
                user,
                replaces: declared.digest(),
                password,
                keep,
            },
            None => Command::SetPassword {
                user,
                password,
                keep,
            },
        };
        let ended = self.end_all(name, command).await?;
        tracing::info!(user = name.as_str(), ended, "password set by an operator");
        Ok(ended)
    }

    /// Lets a user not log in any more. As [`App::set_password`].
    ///
    /// # Errors
    /// As [`App::add_user`].
    pub async fn disable_user(&self, name: &UserName) -> Result<u64, AccountError> {
        self.is_ours()?;
        let user = name.clone();
        let ended = self.end_all(name, Command::DisableUser { user }).await?;
        tracing::info!(user = name.as_str(), ended, "user disabled by an operator");
        Ok(ended)
    }

    /// Lets a disabled user log in again.
    ///
    /// # Errors
    /// As [`App::add_user`].
    pub async fn enable_user(&self, name: &UserName) -> Result<(), AccountError> {
        self.is_ours()?;
        let user = name.clone();
        self.end_all(name, Command::EnableUser { user }).await?;
        tracing::info!(user = name.as_str(), "user enabled by an operator");
        Ok(())
    }

    /// Removes a user with their one-time password device. As [`App::set_password`].
    ///
    /// # Errors
    /// As [`App::add_user`].
    pub async fn remove_user(&self, name: &UserName) -> Result<u64, AccountError> {
        self.is_ours()?;
        let user = name.clone();
        let ended = self.end_all(name, Command::RemoveUser { user }).await?;
        tracing::info!(user = name.as_str(), ended, "user removed by an operator");
        Ok(ended)
    }

    /// Takes the users of a file into the cluster, one by one; those who are there already only if `replaces`. A
    /// password that counts in place of the declared one is taken instead. A dry run changes nothing. It may be
    /// repeated after an error: what is done is then found unchanged. Members whose users come from a file are prepared
    /// by it for keeping them in the cluster.
    ///
    /// # Errors
    /// As [`App::add_user`]; all users are checked before the first is taken.
    pub async fn import_users(
        &self,
        users: &Users,
        replaces: bool,
        is_dry_run: bool,
    ) -> Result<Import, AccountError> {
        self.node.read_index().await?;
        let reader = self.node.reader();
        let accounts: Vec<Arc<Account>> = users
            .iter()
            .map(|user| with_override(user, reader))
            .collect();
        let taken = self.taken();
        for account in &accounts {
            self.check(account, taken.as_ref())?;
        }
        let mut import = Import::default();
        for account in accounts {
            let name = account.name.clone();
            let known = reader.account(&name);
            let list = match &known {
                None => &mut import.added,
                Some(known) if *known == account => &mut import.unchanged,
                Some(_) if replaces => &mut import.replaced,
                Some(_) => &mut import.kept,
            };
            list.push(name.clone());
            let is_taken = known
                .as_ref()
                .is_none_or(|known| *known != account && replaces);
            if is_dry_run || !is_taken {
                continue;
            }
            let digest = known.map(|known| known.digest());
            match self.put(Account::clone(&account), digest).await? {
                Some(ended) => import.ended += ended,
                None => return Err(AccountError::Contended(name)),
            }
        }
        if !is_dry_run {
            let (added, replaced) = (import.added.len(), import.replaced.len());
            tracing::info!(added, replaced, "users imported by an operator");
        }
        Ok(import)
    }

    fn is_ours(&self) -> Result<(), AccountError> {
        let path = self.users.file().map(|file| file.path().to_owned());
        path.map_or(Ok(()), |path| Err(AccountError::Declared(path)))
    }

    fn account(&self, name: &UserName) -> Result<Arc<Account>, AccountError> {
        let known = self.users.named(name, self.node.reader());
        known.ok_or_else(|| AccountError::Missing(name.clone()))
    }

    /// How many sessions ended by it; `None` if the user is not as `replaces` says.
    async fn put(
        &self,
        account: Account,
        replaces: Option<[u8; 32]>,
    ) -> Result<Option<u64>, AccountError> {
        let committed = self.propose(Command::PutUser { account, replaces }).await?;
        Ok(match committed.reply {
            Reply::Ended { count } => Some(count),
            _ => None,
        })
    }

    async fn end_all(&self, name: &UserName, command: Command) -> Result<u64, AccountError> {
        match self.propose(command).await?.reply {
            Reply::Ended { count } => Ok(count),
            Reply::Rejected(Rejection::Missing) => Err(AccountError::Missing(name.clone())),
            _ => Ok(0),
        }
    }

    /// What headers cannot carry, and what would let somebody be found as somebody else.
    fn check(&self, account: &Account, taken: Option<&Taken>) -> Result<(), AccountError> {
        let name = &account.name;
        let texts = std::iter::once(&account.display_name)
            .chain(&account.emails)
            .chain(&account.groups);
        let texts: Vec<&String> = texts.collect();
        if let Some(text) = texts.iter().find(|text| text.chars().any(char::is_control)) {
            return Err(AccountError::Wrong(format!(
                "`{name}`: `{}` has a control character, and headers carry it: remove it",
                text.escape_debug()
            )));
        }
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        if bytes > ACCOUNT_BYTES_MAX {
            return Err(AccountError::Wrong(format!(
                "`{name}`: name, addresses and groups have {bytes} bytes, and headers carry {ACCOUNT_BYTES_MAX} at most"
            )));
        }
        if account.groups.iter().any(String::is_empty)
            || account.emails.iter().any(String::is_empty)
        {
            return Err(AccountError::Wrong(format!(
                "`{name}`: a group or an address is empty"
            )));
        }
        if self.config.users.case_insensitive && name.as_str().to_lowercase() != name.as_str() {
            return Err(AccountError::Wrong(format!(
                "`{name}` must be lower case with `search.case_insensitive`"
            )));
        }
        taken.map_or(Ok(()), |taken| taken.check(account))
    }

    /// What leads to whom, if addresses have to lead to one user.
    fn taken(&self) -> Option<Taken> {
        let is_needed = self.config.users.search_email;
        is_needed.then(|| {
            let accounts = self.node.reader().accounts();
            Taken::of(
                accounts
                    .iter()
                    .map(|(name, account)| (name, account.as_ref())),
            )
        })
    }
}
