//! `authentication_backend`: users from a file.

mod recipe;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::place::Findings;
use crate::config::types::{Refresh, UsersFile};
use crate::config::view::View;

pub(crate) fn users(view: &View<'_>, findings: &mut Findings) -> UsersFile {
    let file = view.get("file");
    let path = file.get("path");
    let other = ["ldap", "replicated"]
        .iter()
        .any(|name| view.get(name).is_set());
    if !path.is_set() && !other {
        path.problem(
            findings,
            "is required: there are no users",
            "name the users file, such as `/config/users_database.yml`",
        );
    }
    let extra = file.get("extra_attributes").named();
    UsersFile {
        path: PathBuf::from(path.text().unwrap_or_default()),
        watch: file.get("watch").flag(),
        password: recipe::recipe(&file.get("password"), findings),
        search_email: file.get("search.email").flag(),
        case_insensitive: file.get("search.case_insensitive").flag(),
        refresh_interval: refresh(&view.get("refresh_interval")),
        extra_attributes: extra.into_iter().map(|(name, _)| name.to_owned()).collect(),
    }
}

fn refresh(view: &View<'_>) -> Refresh {
    match view.text() {
        Some("always") => Refresh::Always,
        Some("disable") => Refresh::Never,
        _ => match view.duration() {
            Some(Duration::ZERO) => Refresh::Always,
            given => Refresh::Every(given.unwrap_or(Duration::from_secs(300))),
        },
    }
}
