//! The page that asks for user name and password.

use askama::Template;

use super::{Frame, Target, finish};

/// The login page: a form posted to `{base}/login` with the fields `username`, `password`, and
/// where they apply `remember` (`on`), `rd` and `rm`.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// Where the visitor wants to go; its host is shown, its address comes back as `rd`.
    pub target: Option<Target<'a>>,
    /// Method of the request that was turned away; comes back as `rm`.
    pub method: Option<&'a str>,
    /// User name to fill in, empty on a first visit. After a failure the caret waits in the password.
    pub username: &'a str,
    /// Whether a long session is offered.
    pub remember: Remember,
    /// What happened before, if anything.
    pub notice: Option<Notice>,
}

/// The box "Keep me signed in on this device".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remember {
    /// Shown.
    Offered {
        /// Whether it is ticked.
        checked: bool,
    },
    /// Left out, because long sessions are switched off.
    NotOffered,
}

/// What a login page says about what happened before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The attempt failed: unknown user, wrong password or locked account, all in one sentence.
    WrongCredentials,
    /// Nobody can sign in at the moment (no quorum, full queue, directory down).
    Unavailable,
    /// The visitor has just signed out.
    SignedOut,
    /// The session came to its end.
    SessionExpired,
    /// The form comes from a page that is not, or no longer, ours.
    FormExpired,
}

impl Notice {
    /// Whether the visitor tried to sign in and was not let in.
    fn is_failure(self) -> bool {
        match self {
            Self::WrongCredentials | Self::Unavailable | Self::FormExpired => true,
            Self::SignedOut | Self::SessionExpired => false,
        }
    }
}

impl LoginPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }

    fn has_failed(&self) -> bool {
        self.notice.is_some_and(Notice::is_failure)
    }

    fn is_refused(&self) -> bool {
        self.notice == Some(Notice::WrongCredentials)
    }

    fn notice_text(&self) -> Option<&'static str> {
        let notices = &self.frame.words().notice;
        Some(match self.notice? {
            Notice::WrongCredentials => notices.wrong_credentials,
            Notice::Unavailable => notices.unavailable,
            Notice::SignedOut => notices.signed_out,
            Notice::SessionExpired => notices.session_expired,
            Notice::FormExpired => notices.form_expired,
        })
    }
}
