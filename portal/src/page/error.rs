//! The page for a request that could not be answered as asked.

use askama::Template;

use super::{Frame, finish};
use crate::text::Shown;
use crate::words::Saying;

/// A calm title, one sentence, the request id and a way back.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// What all pages share.
    pub frame: Frame<'a>,
    /// HTTP status. 400, 403, 404, 405, 413, 429, 500 and 503 have words of their own; another one
    /// is shown with the words of 400 if it is below 500, with those of 500 otherwise.
    pub status: u16,
    /// Id under which the operator finds this request in the log; left out if empty.
    pub request_id: &'a str,
}

impl ErrorPage<'_> {
    /// The whole page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        finish(Template::render(self))
    }

    fn saying(&self) -> &'static Saying {
        self.frame.words().error.by_status(self.status)
    }

    fn shown_request_id(&self) -> Shown<'_> {
        Shown(self.request_id)
    }
}
