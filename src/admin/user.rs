//! `storage user {add,list,show,set,passwd,disable,enable,delete,import}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use quorate_core::{Account, UserName};
use zeroize::Zeroizing;

use super::answer::{
    ImportOrder, Imported, PasswordOrder, PasswordState, UserChange, UserChanged, UserLine,
    UserOrder, UserTarget,
};
use super::refusal::Refusal;
use crate::app::{AccountChange, AccountError, App};
use crate::authn::file;
use crate::authn::users::is_in_force;

/// Every user, in the order of names.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Json(()): Json<()>,
) -> Result<Json<Vec<UserLine>>, Refusal> {
    app.node.read_index().await?;
    let accounts = app.users.all(app.node.reader());
    Ok(Json(
        accounts.iter().map(|account| line(&app, account)).collect(),
    ))
}

/// One user.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Json(target): Json<UserTarget>,
) -> Result<Json<UserLine>, Refusal> {
    app.node.read_index().await?;
    let name = app.user_name(&target.user)?;
    let account = app.users.named(&name, app.node.reader());
    let account = account.ok_or(AccountError::Missing(name))?;
    Ok(Json(line(&app, &account)))
}

/// Adds a user.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Json(order): Json<UserOrder>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&order.user)?;
    let password = match order.password {
        Some(password) => Some(app.hash_password(Zeroizing::new(password)).await?),
        None => None,
    };
    let account = Account {
        display_name: order.displayname.unwrap_or_else(|| name.to_string()),
        name: name.clone(),
        emails: order.emails,
        groups: order.groups,
        password,
        disabled: order.disabled,
    };
    app.add_user(account).await?;
    Ok(changed(&name, 0))
}

/// Changes what is known of a user.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    Json(order): Json<UserChange>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&order.user)?;
    let change = AccountChange {
        display_name: order.displayname,
        emails: order.emails,
        groups: order.groups,
    };
    app.change_user(&name, &change).await?;
    Ok(changed(&name, 0))
}

/// Sets a password; the user's sessions end on every node.
pub(super) async fn passwd(
    State(app): State<Arc<App>>,
    Json(order): Json<PasswordOrder>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&order.user)?;
    let password = app.hash_password(Zeroizing::new(order.password)).await?;
    let ended = app.set_password(&name, password).await?;
    let mut answer = changed(&name, ended);
    if app.users.file().is_some() {
        let members = app.node.numbers().members.into_iter();
        let others = members.filter(|member| member.same_users == Some(false));
        answer.notices = others
            .map(|member| {
                format!(
                    "`{}` has another users file: the new password counts there only where it declares the same password as here",
                    member.name
                )
            })
            .collect();
    }
    Ok(answer)
}

/// Disables a user; the sessions end on every node.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Json(target): Json<UserTarget>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&target.user)?;
    let ended = app.disable_user(&name).await?;
    Ok(changed(&name, ended))
}

/// Lets a disabled user log in again.
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Json(target): Json<UserTarget>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&target.user)?;
    app.enable_user(&name).await?;
    Ok(changed(&name, 0))
}

/// Removes a user; the sessions end on every node.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Json(target): Json<UserTarget>,
) -> Result<Json<UserChanged>, Refusal> {
    let name = app.user_name(&target.user)?;
    let ended = app.remove_user(&name).await?;
    Ok(changed(&name, ended))
}

/// Takes the users of a file in Authelia's form into the cluster.
pub(super) async fn import(
    State(app): State<Arc<App>>,
    Json(order): Json<ImportOrder>,
) -> Result<Json<Imported>, Refusal> {
    let options = file::Options::from(&app.config.users);
    let users = file::parse(&order.text, &order.file, options).map_err(|problems| {
        let mistakes = crate::serve::Failure::Mistakes(problems);
        Refusal::wrong(format!("nobody was imported: {mistakes}"))
    })?;
    let done = app
        .import_users(&users, order.replace, order.dry_run)
        .await?;
    let names = |names: &[UserName]| names.iter().map(ToString::to_string).collect();
    Ok(Json(Imported {
        dry_run: order.dry_run,
        added: names(&done.added),
        replaced: names(&done.replaced),
        kept: names(&done.kept),
        unchanged: names(&done.unchanged),
        ended: done.ended,
        notices: users.notices().iter().map(ToString::to_string).collect(),
    }))
}

fn changed(user: &UserName, ended: u64) -> Json<UserChanged> {
    Json(UserChanged {
        user: user.to_string(),
        ended,
        notices: Vec::new(),
    })
}

fn line(app: &App, account: &Account) -> UserLine {
    let reader = app.node.reader();
    let password = match (&account.password, app.users.file()) {
        (None, _) => PasswordState::None,
        (Some(_), None) => PasswordState::Set,
        (Some(_), Some(_)) => {
            let set = reader.password_override(&account.name);
            match set.filter(|set| is_in_force(account, set.replaces)) {
                Some(_) => PasswordState::Changed,
                None => PasswordState::Declared,
            }
        }
    };
    UserLine {
        user: account.name.to_string(),
        displayname: account.display_name.clone(),
        emails: account.emails.clone(),
        groups: account.groups.clone(),
        disabled: account.disabled,
        password,
    }
}

/// 400 if it cannot be as asked, 404 if there is nobody, 409 if the users are otherwise.
impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        match error {
            AccountError::Unavailable(error) => error.into(),
            AccountError::Missing(_) => Self::missing(text),
            AccountError::Wrong(_) => Self::wrong(text),
            AccountError::Declared(_) | AccountError::Exists(_) | AccountError::Contended(_) => {
                Self::conflict(text)
            }
        }
    }
}
