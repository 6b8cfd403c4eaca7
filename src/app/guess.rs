//! Whose guess it is: the user behind what was typed, known as of the guess.

use std::sync::Arc;

use quorate_core::{Account, Outcome, Subject};

use super::App;
use super::login::{LoginError, Reserved};

impl App {
    /// Who logs in with what was typed, as this node knows now, with the password that counts.
    pub(super) fn user(&self, typed: &str) -> Option<Arc<Account>> {
        self.users.search(typed, self.node.reader())
    }

    /// Reserves a guess at a password, and looks the user up behind it. This node has then applied all that was
    /// acknowledged before the guess began, so a password that was changed or a user who was removed on another node
    /// counts here, however far behind this node was.
    pub(super) async fn reserve_for(
        &self,
        username: &str,
        place: Subject,
    ) -> Result<(Option<Arc<Account>>, Reserved), LoginError> {
        let before = self.user(username).map(|user| user.name.clone());
        let subjects = self.subjects(before.as_ref(), place.clone());
        let reserved = self.reserve(before.as_ref(), subjects).await?;
        let user = self.user(username);
        let Some(name) = user.as_ref().map(|user| user.name.clone()) else {
            return Ok((None, reserved));
        };
        if before.as_ref() == Some(&name) {
            return Ok((user, reserved));
        }
        // The user has come in between: the guess has to be charged to them, and their epoch known.
        self.resolve(&reserved, Outcome::NotChecked).await?;
        let subjects = self.subjects(Some(&name), place);
        let reserved = self.reserve(Some(&name), subjects).await?;
        let user = self.user(username).filter(|user| user.name == name);
        Ok((user, reserved))
    }
}
