//! What people see: the login portal's pages, its words in every language, and its assets.
//!
//! This crate decides which fields a page shows and how they look. It deliberately knows nothing of
//! sessions, clusters, configuration or HTTP servers: the caller hands over plain values (already
//! checked where that matters, see [`Target`]) and gets a whole HTML document as a `String`.
//!
//! What every page promises:
//! - it works without JavaScript, and contains no script, no inline style and no third-party address,
//!   so that a policy may forbid all of that;
//! - every value from outside is escaped, and characters that could reorder or hide shown text
//!   become visible;
//! - it asks for at most two more files (style sheet and icon), both named by their content.

#![warn(missing_docs)]

mod asset;
mod language;
mod page;
mod text;
mod words;

pub use asset::{Asset, asset, assets};
pub use language::Language;
pub use page::error::ErrorPage;
pub use page::logged_in::{LoggedInNotice, LoggedInPage};
pub use page::login::{LoginPage, Notice, Remember};
pub use page::logout::LogoutPage;
pub use page::second_factor::{SecondFactorNotice, SecondFactorPage};
pub use page::signed_out::SignedOutPage;
pub use page::{Frame, Target, Theme};
