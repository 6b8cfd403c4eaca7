//! Reading the files again while the node runs: all of what they say now is taken over, or nothing of it.
//!
//! Access rules, users, certificate and key are taken over; every other key waits for a restart, and the answer says so.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::TlsAcceptor;

use super::start;
use crate::admin::answer::Reloaded;
use crate::app::App;
use crate::authn::file::{FileSource, ReadUsers};
use crate::config::{Config, Problem, Selection};
use crate::http::tls::{self, Acceptors};

/// Reads the files of one node again.
pub(crate) struct Reloader {
    app: Arc<App>,
    selection: Selection,
    /// Of the main listener, if it encrypts.
    acceptors: Option<Arc<Acceptors>>,
    /// Held while files are read, so that what was read last is what stays.
    turn: Mutex<()>,
}

/// What the files say now, without a mistake.
struct Files {
    config: Config,
    /// `None`: the cluster keeps them.
    users: Option<ReadUsers>,
    acceptor: Option<TlsAcceptor>,
}

impl Reloader {
    pub(super) fn new(
        app: Arc<App>,
        selection: Selection,
        acceptors: Option<Arc<Acceptors>>,
    ) -> Self {
        Self {
            app,
            selection,
            acceptors,
            turn: Mutex::new(()),
        }
    }

    /// Reads everything, then takes it over. When this returns, no decision of this node that begins is made by what
    /// was there before. Blocks while files are read, and logs what came of it.
    ///
    /// # Errors
    /// All mistakes; everything stays as it was.
    pub(crate) fn reload(&self) -> Result<Reloaded, Vec<Problem>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.read().map(|files| self.take_over(files));
        self.app.metrics.reload(outcome.is_ok());
        match &outcome {
            Ok(taken) => {
                tracing::info!(
                    rules = taken.rules,
                    users = taken.users,
                    "files read again and taken over"
                );
                for notice in &taken.notices {
                    tracing::warn!("{notice}");
                }
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(%problem, "files not taken over; everything stays as it was");
                }
            }
        }
        outcome
    }

    fn read(&self) -> Result<Files, Vec<Problem>> {
        let config = start::configuration(&self.selection)?;
        let mut problems = Vec::new();
        let acceptor = match &config.server.tls {
            Some(files) => tls::acceptor(files)
                .map_err(|error| problems.push(start::tls_problem(error)))
                .ok(),
            None => None,
        };
        let users = self.app.users.file().map(FileSource::read).transpose();
        match users {
            Ok(users) if problems.is_empty() => Ok(Files {
                config,
                users,
                acceptor,
            }),
            Ok(_) => Err(problems),
            Err(error) => {
                problems.extend(start::users_problems(error));
                Err(problems)
            }
        }
    }

    fn take_over(&self, files: Files) -> Reloaded {
        let Files {
            config,
            users,
            acceptor,
        } = files;
        let app = &self.app;
        let of_users = users.as_ref().map_or(&[][..], ReadUsers::notices);
        let notices = config.notices.iter().chain(of_users);
        let mut notices: Vec<String> = notices.map(ToString::to_string).collect();
        let digest = app.config.digest_with(&config.access);
        let is_encrypting = acceptor.is_some() != self.acceptors.is_some();
        if digest != config.digest || is_encrypting {
            notices.push(
                "other keys than `access_control` have changed as well: they count after a restart"
                    .to_owned(),
            );
        }
        if let (Some(acceptors), Some(acceptor)) = (&self.acceptors, acceptor) {
            acceptors.replace(acceptor);
        }
        if let Some(files) = &config.server.tls {
            app.metrics.watch_certificate(&files.certificate);
        }
        if let (Some(file), Some(users)) = (app.users.file(), users) {
            file.replace(users);
        }
        let rules = config.access.rules.len();
        app.replace_rules(config.access, digest);
        Reloaded {
            rules,
            users: app.users.count(app.node.reader()),
            notices,
        }
    }
}
