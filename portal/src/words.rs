//! Every word of the portal, one table per language.
//!
//! A language is a value of [`Words`], so a missing word does not compile. Sentences that name a
//! site come in two halves, before and after the name. Knows nothing of pages or of which language
//! is asked for.

mod de;
mod en;
mod fr;

use serde::Serialize;

use crate::language::Language;

/// A heading and the sentence below it.
#[derive(Serialize)]
pub(crate) struct Saying {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

/// What stands before and after a name inside a sentence.
#[derive(Serialize)]
pub(crate) struct Around {
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
}

/// All words in one language.
#[derive(Serialize)]
pub(crate) struct Words {
    pub(crate) sign_in: &'static str,
    pub(crate) signing_in_to: Around,
    pub(crate) user_name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) remember: &'static str,
    /// Put before the title of a page that reports a failed attempt, so that it is heard first.
    pub(crate) failed: &'static str,
    pub(crate) notice: Notices,
    pub(crate) second_factor: Saying,
    pub(crate) code: &'static str,
    pub(crate) confirm: &'static str,
    /// A button to sign out for who is not the person named.
    pub(crate) not_you: Around,
    /// A link from the page of somebody signed in with one factor.
    pub(crate) use_second_factor: &'static str,
    pub(crate) signed_in: &'static str,
    pub(crate) signed_in_on: Around,
    pub(crate) continue_to: Around,
    pub(crate) sign_out: &'static str,
    pub(crate) leaving: Saying,
    pub(crate) stay: &'static str,
    pub(crate) signed_out: Saying,
    pub(crate) sign_in_again: &'static str,
    pub(crate) back: &'static str,
    pub(crate) error_code: &'static str,
    pub(crate) request: &'static str,
    pub(crate) error: Errors,
}

/// What a page says about what happened before it.
#[derive(Serialize)]
pub(crate) struct Notices {
    /// One sentence for an unknown user, a wrong password and a locked account: whoever reads it
    /// must not learn which it was.
    pub(crate) wrong_credentials: &'static str,
    /// One sentence for a wrong, a used and one password too many.
    pub(crate) wrong_code: &'static str,
    pub(crate) unavailable: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) session_expired: &'static str,
    pub(crate) form_expired: &'static str,
    pub(crate) second_factor_not_set_up: &'static str,
}

/// What an error page says, by status.
#[derive(Serialize)]
pub(crate) struct Errors {
    pub(crate) bad_request: Saying,
    pub(crate) forbidden: Saying,
    pub(crate) not_found: Saying,
    pub(crate) method_not_allowed: Saying,
    pub(crate) too_large: Saying,
    pub(crate) too_many_requests: Saying,
    pub(crate) internal: Saying,
    pub(crate) unavailable: Saying,
}

impl Errors {
    /// The words for a status code. A code without words of its own gets those of 400 below 500, and
    /// those of 500 from there on.
    pub(crate) fn by_status(&self, status: u16) -> &Saying {
        match status {
            403 => &self.forbidden,
            404 => &self.not_found,
            405 => &self.method_not_allowed,
            413 => &self.too_large,
            429 => &self.too_many_requests,
            503 => &self.unavailable,
            ..500 => &self.bad_request,
            500.. => &self.internal,
        }
    }
}

impl Language {
    /// All words of this language as one JSON object.
    pub(crate) fn words_as_json(self) -> String {
        // Text under fixed names is always JSON.
        serde_json::to_string(self.words()).unwrap_or_default()
    }

    /// The words of this language.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::En => &en::WORDS,
            Self::De => &de::WORDS,
            Self::Fr => &fr::WORDS,
        }
    }
}
