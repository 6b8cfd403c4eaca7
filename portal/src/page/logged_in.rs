//! The page for a visitor who is signed in and has nowhere else to go.

use askama::Template;

use super::{Frame, Target, finish};
use crate::text::Shown;

/// Says who is signed in and where, leads on to a site, and offers to sign out: a form posted to
/// `{base}/logout`.
#[derive(Template)]
#[template(path = "logged_in.html")]
pub struct LoggedInPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// The user's name as people say it.
    pub display_name: &'a str,
    /// Cookie domain of the session, such as `example.com`.
    pub domain: &'a str,
    /// The site to go on to: usually the domain's default one.
    pub home: Option<Target<'a>>,
    /// Whether the visitor could take a second factor now: a link to `{base}/second-factor`.
    pub offers_second_factor: bool,
    /// Why the visitor is here and not on the site they wanted, if there is a reason.
    pub notice: Option<LoggedInNotice<'a>>,
}

/// Why a visitor who is signed in was not let through.
#[derive(Clone, Copy, Debug)]
pub enum LoggedInNotice<'a> {
    /// The site asks for two factors and the user has no second one.
    SecondFactorNotSetUp {
        /// The site.
        target: Target<'a>,
    },
}

impl LoggedInPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }

    fn shown_name(&self) -> Shown<'_> {
        Shown(self.display_name)
    }

    fn shown_domain(&self) -> Shown<'_> {
        Shown(self.domain)
    }

    fn initial(&self) -> Shown<'_> {
        let end = self
            .display_name
            .char_indices()
            .nth(1)
            .map_or(self.display_name.len(), |(at, _)| at);
        Shown(self.display_name.get(..end).unwrap_or_default())
    }
}
