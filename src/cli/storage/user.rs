//! `quorate storage user {add,list,show,set,passwd,disable,enable,delete,import}`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::super::crypto::{Confirmation, read_password};
use super::super::failure::Failure;
use super::super::node::NodeArgs;
use super::totp;
use crate::admin::answer::{
    ImportOrder, Imported, PasswordOrder, PasswordState, UserChange, UserChanged, UserLine,
    UserOrder, UserTarget,
};

const ADD_EXAMPLES: &str = "\
Examples:
  quorate storage user add john --displayname 'John Doe' --email john@example.com --groups dev,admins
  quorate storage user add robot --password-file /run/secrets/robot

The password is asked for, or read from standard input. The node hashes it as configured; nobody else sees it.";

const PASSWD_EXAMPLES: &str = "\
Examples:
  quorate storage user passwd john
  quorate storage user passwd john --password-file new-password

All sessions of the user end; when the command is done, no node lets one of them pass any more. A user of the users
file gets the new password in place of the one declared there, until the password in the file is edited.";

const SET_EXAMPLES: &str = "\
Examples:
  quorate storage user set john --groups dev,admins      these groups and no other
  quorate storage user set john --groups '' --email john@example.org

Sessions go on. When the command is done, every node decides by the new groups.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  quorate storage user import users_database.yml --dry-run     says what would happen
  quorate storage user import users_database.yml               adds who is not there yet
  quorate storage user import users_database.yml --replace     and makes the others as the file says";

/// Look after users.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum User {
    /// Add a user to the cluster.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// List all users.
    List(NodeArgs),
    /// Show one user.
    Show(One),
    /// Change a user's groups, e-mail addresses or displayed name.
    #[command(after_help = SET_EXAMPLES)]
    Set(Set),
    /// Set a user's password and end their sessions.
    #[command(after_help = PASSWD_EXAMPLES)]
    Passwd(Passwd),
    /// Let a user not log in any more, and end their sessions.
    Disable(One),
    /// Let a disabled user log in again.
    Enable(One),
    /// Remove a user with their one-time password device, and end their sessions.
    Delete(One),
    /// Take the users of a users file into the cluster, with their passwords.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Set up, remove and export one-time password devices.
    #[command(subcommand)]
    Totp(totp::Totp),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct One {
    /// The user's name.
    user: String,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The user's name.
    user: String,
    /// What pages and headers call the user [default: the name]
    #[arg(long, value_name = "TEXT")]
    displayname: Option<String>,
    /// An e-mail address; may be given several times, headers carry the first.
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// Groups, separated by commas.
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    groups: Vec<String>,
    /// Read the password from this file; its last line ending is not part of it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Without a password, so nobody can log in by one.
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
    /// As a user who may not log in yet.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    /// The user's name.
    user: String,
    /// What pages and headers call the user.
    #[arg(long, value_name = "TEXT")]
    displayname: Option<String>,
    /// All e-mail addresses: give it several times, or once with '' for none.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Vec<String>>,
    /// All groups, separated by commas; '' for none.
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    groups: Option<Vec<String>>,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Passwd {
    /// The user's name.
    user: String,
    /// Read the password from this file; its last line ending is not part of it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The users file, as for `authentication_backend.file.path`.
    file: PathBuf,
    /// Replace users who are there already and differ; sessions of those whose password changes end.
    #[arg(long)]
    replace: bool,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    node: NodeArgs,
}

impl User {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(),
            Self::List(node) => {
                let lines: Vec<UserLine> = node.ask("/v1/user/list", &())?;
                node.print(&lines, |lines| table(lines))
            }
            Self::Show(One { user, node }) => {
                let line: UserLine = node.ask("/v1/user/show", &UserTarget { user })?;
                node.print(&line, shown)
            }
            Self::Set(command) => command.run(),
            Self::Passwd(command) => command.run(),
            Self::Disable(one) => one.run("/v1/user/disable", |done| {
                format!("`{}` is disabled; {}.\n", done.user, ended(done.ended))
            }),
            Self::Enable(one) => one.run("/v1/user/enable", |done| {
                format!("`{}` may log in again.\n", done.user)
            }),
            Self::Delete(one) => one.run("/v1/user/delete", |done| {
                format!("`{}` is removed; {}.\n", done.user, ended(done.ended))
            }),
            Self::Import(command) => command.run(),
            Self::Totp(command) => command.run(),
        }
    }
}

impl One {
    fn run(self, path: &str, text: impl FnOnce(&UserChanged) -> String) -> Result<(), Failure> {
        let done: UserChanged = self.node.ask(path, &UserTarget { user: self.user })?;
        self.node.print(&done, text)
    }
}

impl Add {
    fn run(self) -> Result<(), Failure> {
        let password = match self.no_password {
            true => None,
            false => Some(password(self.password_file)?.to_string()),
        };
        let order = UserOrder {
            user: self.user,
            displayname: self.displayname,
            emails: given(self.email),
            groups: given(self.groups),
            disabled: self.disabled,
            password,
        };
        let done: UserChanged = self.node.ask("/v1/user/add", &order)?;
        self.node
            .print(&done, |done| format!("`{}` is added.\n", done.user))
    }
}

impl Set {
    fn run(self) -> Result<(), Failure> {
        if self.displayname.is_none() && self.email.is_none() && self.groups.is_none() {
            return Err(Failure::Usage(
                "nothing to change: give --displayname, --email or --groups".to_owned(),
            ));
        }
        let order = UserChange {
            user: self.user,
            displayname: self.displayname,
            emails: self.email.map(given),
            groups: self.groups.map(given),
        };
        let done: UserChanged = self.node.ask("/v1/user/set", &order)?;
        self.node.print(&done, |done| {
            format!("`{}` is changed, and every node knows.\n", done.user)
        })
    }
}

impl Passwd {
    fn run(self) -> Result<(), Failure> {
        // Nobody should have to type a password twice to learn that the name was wrong.
        let user = self.user.clone();
        let _: UserLine = self.node.ask("/v1/user/show", &UserTarget { user })?;
        let order = PasswordOrder {
            user: self.user,
            password: password(self.password_file)?.to_string(),
        };
        let done: UserChanged = self.node.ask("/v1/user/passwd", &order)?;
        self.node.print(&done, |done| {
            let notices = done.notices.iter();
            let mut text: String = notices
                .map(|notice| format!("notice: {notice}\n"))
                .collect();
            let _ = writeln!(
                text,
                "The password of `{}` is set; {}.",
                done.user,
                ended(done.ended)
            );
            text
        })
    }
}

impl Import {
    fn run(self) -> Result<(), Failure> {
        let file = self.file.display().to_string();
        let text = fs::read_to_string(&self.file)
            .map_err(Failure::while_doing(format!("cannot read {file}")))?;
        let order = ImportOrder {
            file,
            text,
            replace: self.replace,
            dry_run: self.dry_run,
        };
        let done: Imported = self.node.ask("/v1/user/import", &order)?;
        self.node.print(&done, imported)
    }
}

/// From a file, or asked for.
fn password(file: Option<PathBuf>) -> Result<Zeroizing<String>, Failure> {
    let Some(file) = file else {
        return read_password(Confirmation::Asked);
    };
    let failed = Failure::while_doing(format!("cannot read {}", file.display()));
    let text = Zeroizing::new(fs::read_to_string(&file).map_err(failed)?);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        let file = file.display();
        let what = format!("{file} must hold the password in one line, and nothing else");
        return Err(Failure::because(what));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// An empty text stands for none.
fn given(texts: Vec<String>) -> Vec<String> {
    let texts = texts.into_iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

fn ended(count: u64) -> String {
    match count {
        1 => "1 session ended".to_owned(),
        many => format!("{many} sessions ended"),
    }
}

fn state(line: &UserLine) -> &'static str {
    match (line.disabled, line.password) {
        (true, _) => "disabled",
        (false, PasswordState::None) => "no password",
        (false, PasswordState::Changed) => "password changed",
        (false, PasswordState::Set | PasswordState::Declared) => "enabled",
    }
}

fn table(lines: &[UserLine]) -> String {
    if lines.is_empty() {
        return "There are no users; `quorate storage user add` adds the first.\n".to_owned();
    }
    let width = |of: fn(&UserLine) -> &str, least: usize| {
        let widths = lines.iter().map(|line| of(line).chars().count());
        widths.max().unwrap_or(0).max(least)
    };
    let (user, name) = (
        width(|line| &line.user, 4),
        width(|line| &line.displayname, 4),
    );
    let mut text = format!(
        "{:<user$}  {:<16}  {:<name$}  groups\n",
        "user", "state", "name"
    );
    for line in lines {
        let (state, groups) = (state(line), line.groups.join(", "));
        let row = format!(
            "{:<user$}  {state:<16}  {:<name$}  {groups}",
            line.user, line.displayname
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

fn shown(line: &UserLine) -> String {
    let password = match line.password {
        PasswordState::None => "none",
        PasswordState::Set => "set",
        PasswordState::Declared => "as the users file says",
        PasswordState::Changed => "changed since the users file was written",
    };
    let access = if line.disabled { "disabled" } else { "enabled" };
    format!(
        "user      {}\nstate     {access}\nname      {}\ne-mail    {}\ngroups    {}\npassword  {password}\n",
        line.user,
        line.displayname,
        line.emails.join(", "),
        line.groups.join(", "),
    )
}

fn imported(done: &Imported) -> String {
    let notices = done.notices.iter();
    let mut text: String = notices
        .map(|notice| format!("notice: {notice}\n"))
        .collect();
    let parts = [
        ("added", &done.added),
        ("replaced", &done.replaced),
        (
            "left as they are (`--replace` makes them as the file says)",
            &done.kept,
        ),
        ("already as the file says", &done.unchanged),
    ];
    for (what, users) in parts {
        if !users.is_empty() {
            let _ = writeln!(text, "{} {what}: {}", users.len(), users.join(", "));
        }
    }
    if done.ended > 0 {
        let _ = writeln!(text, "{}.", ended(done.ended));
    }
    if done.dry_run {
        text.push_str("Nothing was changed: this was a dry run.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_holds_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        for (text, expected) in [
            ("secret", Some("secret")),
            ("secret\n", Some("secret")),
            ("secret\r\n", Some("secret")),
            (" se cret \n", Some(" se cret ")),
            ("", None),
            ("\n", None),
            ("one\ntwo\n", None),
        ] {
            fs::write(&path, text).expect("written");
            let read = password(Some(path.clone())).ok();
            assert_eq!(
                read.as_ref().map(|read| read.as_str()),
                expected,
                "{text:?}"
            );
        }
    }
}
