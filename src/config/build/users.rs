//! `authentication_backend`: users from a file, or kept in the cluster.

mod recipe;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::place::Findings;
use crate::config::types::{Refresh, UserBackend, UsersFile};
use crate::config::view::View;

pub(crate) fn users(view: &View<'_>, findings: &mut Findings) -> UserBackend {
    // A section without a key is a choice as well.
    let is_replicated = view.named().iter().any(|(name, _)| *name == "replicated");
    let file = view.get("file");
    let own = if is_replicated {
        only_one(&file, &view.get("replicated"), findings);
        view.get("replicated")
    } else {
        if !file.get("path").is_set() && !view.get("ldap").is_set() {
            file.get("path").problem(
                findings,
                "is required: there are no users",
                "name the users file, such as `/config/users_database.yml`, or write `authentication_backend.replicated: {}` \
                 to keep users in the cluster",
            );
        }
        file.clone()
    };
    UserBackend {
        file: (!is_replicated).then(|| users_file(&file)),
        password: recipe::recipe(&own.get("password"), findings),
        search_email: own.get("search.email").flag(),
        case_insensitive: own.get("search.case_insensitive").flag(),
        refresh_interval: refresh(&view.get("refresh_interval")),
    }
}

fn users_file(file: &View<'_>) -> UsersFile {
    let extra = file.get("extra_attributes").named();
    UsersFile {
        path: PathBuf::from(file.get("path").text().unwrap_or_default()),
        watch: file.get("watch").flag(),
        extra_attributes: extra.into_iter().map(|(name, _)| name.to_owned()).collect(),
    }
}

fn only_one(file: &View<'_>, replicated: &View<'_>, findings: &mut Findings) {
    if file.get("path").is_set() {
        replicated.problem(
            findings,
            "stands beside `authentication_backend.file`: users come from one of the two",
            "remove one; `quorate storage user import` takes the users of a file into the cluster",
        );
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
