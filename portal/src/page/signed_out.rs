//! The page after signing out.

use askama::Template;

use super::{Frame, Target, finish};

/// Says that the session is over, and leads back to the login page or on to a site.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// A site to go on to, if one was asked for and is safe to link to.
    pub target: Option<Target<'a>>,
}

impl SignedOutPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }
}
