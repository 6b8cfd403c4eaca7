//! The tree a YAML file becomes: values with the place each of them stands at.
//!
//! It knows nothing of keys and their meaning. Depth is bounded by the parser in [`super::yaml`], so the recursive
//! functions here are, too.

use super::place::Place;

/// One value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// `key:` with nothing behind it, `~` or `null`.
    Null,
    /// A value as written (`text`), and what YAML makes of it.
    Scalar {
        text: String,
        tone: Tone,
    },
    List(Vec<Node>),
    /// In the order of the file; names are unique.
    Map(Vec<Entry>),
}

/// What YAML takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tone {
    Flag(bool),
    /// The whole number, if it is one and fits.
    Number(Option<i64>),
    Text,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) at: Place,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn text(at: Place, text: impl Into<String>) -> Self {
        let body = Body::Scalar {
            text: text.into(),
            tone: Tone::Text,
        };
        Self { at, body }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.body, Body::Null)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.body {
            Body::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| &entry.value)
    }

    /// The value at a dotted path of map keys.
    pub(crate) fn find(&self, path: &str) -> Option<&Node> {
        path.split('.')
            .try_fold(self, |node, name| node.child(name))
    }

    /// What the value looks like in a message; nested values are only named.
    pub(crate) fn shown(&self) -> String {
        match &self.body {
            Body::Null => "nothing".to_owned(),
            Body::Scalar { text, .. } => format!("`{}`", abridged(text)),
            Body::List(_) => "a list".to_owned(),
            Body::Map(_) => "a section".to_owned(),
        }
    }

    /// Lays `later` over this value: maps merge key by key, lists and scalars are replaced. An empty value in a
    /// later source replaces nothing.
    pub(crate) fn merge(&mut self, later: Node) {
        match (&mut self.body, later.body) {
            (_, Body::Null) => {}
            (Body::Map(mine), Body::Map(theirs)) => {
                for entry in theirs {
                    match mine.iter_mut().find(|known| known.name == entry.name) {
                        Some(known) => known.value.merge(entry.value),
                        None => mine.push(entry),
                    }
                }
            }
            (_, body) => {
                self.at = later.at;
                self.body = body;
            }
        }
    }

    /// Sets the value at a dotted path, making the sections on the way. Returns false, and changes nothing, if
    /// something that is not a section stands in the way.
    pub(crate) fn set(&mut self, path: &str, value: Node) -> bool {
        let mut node = value;
        for name in path.rsplit('.') {
            let at = node.at.clone();
            let entry = Entry {
                name: name.to_owned(),
                at: at.clone(),
                value: node,
            };
            node = Node {
                at,
                body: Body::Map(vec![entry]),
            };
        }
        let mut prefix = Some(&*self);
        for name in path.split('.') {
            match prefix.map(|node| &node.body) {
                Some(Body::Map(_) | Body::Null) | None => {}
                Some(_) => return false,
            }
            prefix = prefix.and_then(|node| node.child(name));
        }
        self.merge(node);
        true
    }

    /// Takes the value at a dotted path out of the tree, with the place of its key.
    pub(crate) fn take(&mut self, path: &str) -> Option<Entry> {
        let Body::Map(entries) = &mut self.body else {
            return None;
        };
        match path.split_once('.') {
            Some((head, rest)) => entries
                .iter_mut()
                .find(|entry| entry.name == head)?
                .value
                .take(rest),
            None => {
                let index = entries.iter().position(|entry| entry.name == path)?;
                Some(entries.remove(index))
            }
        }
    }
}

/// A text cut to what fits into a message, control characters made visible.
pub(crate) fn abridged(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut shown: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
