//! What must be true of every proxy with our recipe, while all nodes live.

mod access;
mod exchange;
mod forgery;

use std::pin::Pin;
use std::sync::Arc;

use super::stage::Stage;
use crate::harness::{Answer, Seen};

/// A scenario as a value: it panics if it fails.
pub(super) type Scene = fn(Arc<Stage>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Lists scenarios by name.
macro_rules! scenes {
    ($($name:ident),* $(,)?) => {
        /// All scenarios of this module with their names, in the order to run them.
        pub(super) const ALL: &[(&str, $crate::proxy::scenario::Scene)] =
            &[$((stringify!($name), |stage| Box::pin($name(stage)))),*];
    };
}
pub(super) use scenes;

/// All scenarios with their names, in the order to run them.
pub(super) fn all() -> impl Iterator<Item = &'static (&'static str, Scene)> {
    access::ALL.iter().chain(forgery::ALL).chain(exchange::ALL)
}

const WHO: [&str; 4] = [
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
];

/// Asserts that the application answered, and returns what it saw.
pub(super) fn passed(answer: &Answer) -> Seen {
    assert_eq!(answer.status, 200, "should have passed: {answer:?}");
    Seen::in_answer(answer)
        .unwrap_or_else(|| panic!("200, but not from the application: {answer:?}"))
}

/// Asserts a redirect.
pub(super) fn sent_to(answer: &Answer, status: u16, location: &str) {
    refused(answer, status);
    assert_eq!(answer.header("location"), Some(location), "{answer:?}");
}

/// Asserts a status, and that the application did not answer.
pub(super) fn refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(
        Seen::in_answer(answer).is_none(),
        "the application answered: {answer:?}"
    );
}

/// The identity as an application reads it that takes `Remote_User` and `Remote.User` for `Remote-User`: one value
/// each, empty if there is none.
fn who(seen: &Seen) -> [String; 4] {
    WHO.map(|name| {
        let values = spelled(seen, name);
        assert!(
            values.len() <= 1,
            "`{name}` reached the application {} times: {seen:?}",
            values.len()
        );
        values.first().copied().unwrap_or_default().to_owned()
    })
}

/// All values of a header in any spelling of its name.
fn spelled<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    let plain = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    seen.headers
        .iter()
        .filter(|(key, _)| plain(key) == name)
        .map(|(_, value)| value.as_str())
        .collect()
}
