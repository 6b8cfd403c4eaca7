//! The page that asks whether to sign out, so that a mere link cannot end a session.

use askama::Template;

use super::{Frame, finish};

/// A form posted to `{base}/logout`, with the field `rd` if there is a target.
#[derive(Template)]
#[template(path = "logout.html")]
pub struct LogoutPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// Address to go to afterwards; comes back as `rd`. The caller checks it then.
    pub target: Option<&'a str>,
}

impl LogoutPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }
}
