//! What all pages share: the frame round them, the site a visitor is on the way to, and rendering.
//!
//! Each page is a plain struct with public fields in a module of its own, and a template of the same
//! name in `templates/`. Pages hold no logic beyond which fields show.

pub(crate) mod error;
pub(crate) mod logged_in;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod second_factor;
pub(crate) mod signed_out;

use crate::asset;
use crate::language::Language;
use crate::text::Shown;
use crate::words::Words;

/// What is the same on every page of one reply.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Path prefix of the portal: empty, or beginning with `/` and not ending with it (`/auth`).
    pub base: &'a str,
    /// Colours.
    pub theme: Theme,
    /// Language of every word.
    pub language: Language,
}

impl<'a> Frame<'a> {
    fn words(&self) -> &'static Words {
        self.language.words()
    }

    fn style_sheet(&self) -> &'static str {
        asset::style_sheet_path()
    }

    fn mark(&self) -> &'static str {
        asset::mark_path()
    }
}

/// The colours of a page. The names are those of the configuration key `theme`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// Light on middle grey.
    Grey,
    /// Light on black.
    Oled,
    /// Light or dark, as the visitor's device prefers.
    #[default]
    Auto,
}

impl Theme {
    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Grey => "grey",
            Self::Oled => "oled",
            Self::Auto => "auto",
        }
    }
}

/// A site that the visitor is on the way to.
///
/// Both fields come from one reading of the address by the caller, who has also checked that it is
/// an `https` or `wss` address that may be redirected to. Nothing is parsed again here.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The whole address, sent back unchanged as `rd` by the forms and used in links.
    pub url: &'a str,
    /// Host, with port if it is not the usual one: the only part that is shown.
    pub host: &'a str,
}

impl<'a> Target<'a> {
    fn shown(&self) -> Shown<'a> {
        Shown(self.host)
    }
}

/// The text of a rendered template.
///
/// Writing to a `String` does not fail and no template of ours calls a filter that does, so the
/// second arm is not reached; it exists because a request must never panic.
fn finish(rendered: askama::Result<String>) -> String {
    rendered.unwrap_or_else(|_| "<!doctype html><title>500</title><p>500</p>\n".to_owned())
}
