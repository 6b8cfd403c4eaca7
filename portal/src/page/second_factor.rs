//! The page that asks who is signed in for a one-time password.

use askama::Template;

use super::{Frame, Target, finish};
use crate::text::Shown;

/// A form posted to `{base}/second-factor` with the field `code`, and where they apply `rd` and `rm`; and one to sign
/// out, for whoever sits at the wrong account.
#[derive(Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// The user's name as people say it.
    pub display_name: &'a str,
    /// Digits of the password, 6 or 8.
    pub digits: u8,
    /// Where the visitor wants to go; its host is shown, its address comes back as `rd`.
    pub target: Option<Target<'a>>,
    /// Method of the request that was turned away; comes back as `rm`.
    pub method: Option<&'a str>,
    /// What happened before, if anything.
    pub notice: Option<SecondFactorNotice>,
}

/// What the page says about what happened before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorNotice {
    /// The password was wrong, used before, or one too many: one sentence for all.
    WrongCode,
    /// Nobody can be asked at the moment.
    Unavailable,
}

impl SecondFactorPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }

    fn shown_name(&self) -> Shown<'_> {
        Shown(self.display_name)
    }

    fn notice_text(&self) -> Option<&'static str> {
        let words = self.frame.words();
        Some(match self.notice? {
            SecondFactorNotice::WrongCode => words.notice.wrong_code,
            SecondFactorNotice::Unavailable => words.notice.unavailable,
        })
    }
}
