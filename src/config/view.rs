//! Reading the checked tree: a value, or its absence, together with its path and the nearest place to point at.
//!
//! [`super::check`] has reported every value of the wrong kind, so the readers here take such a value for absent.

use std::time::Duration;

use super::check;
use super::node::{Body, Entry, Node};
use super::place::{Findings, Place};
use super::value;

/// A look at one key.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    node: Option<&'a Node>,
    /// Of the value, or of what should hold it.
    pub(crate) at: &'a Place,
    pub(crate) path: String,
}

impl<'a> View<'a> {
    pub(crate) fn of(node: &'a Node) -> Self {
        Self {
            node: Some(node),
            at: &node.at,
            path: String::new(),
        }
    }

    /// The value of one named entry, whose name may hold dots.
    pub(crate) fn of_entry(entry: &'a Entry, path: &str) -> Self {
        Self {
            node: Some(&entry.value),
            at: &entry.at,
            path: path.to_owned(),
        }
    }

    /// The value of a key; a dotted name goes several levels down.
    pub(crate) fn get(&self, name: &str) -> Self {
        let mut view = self.clone();
        for name in name.split('.') {
            let node = view.node.and_then(|node| node.child(name));
            view.at = node.map_or(view.at, |node| &node.at);
            view.node = node.filter(|node| !node.is_null());
            if !view.path.is_empty() {
                view.path.push('.');
            }
            view.path.push_str(name);
        }
        view
    }

    pub(crate) fn is_set(&self) -> bool {
        match self.node.map(|node| &node.body) {
            None | Some(Body::Null) => false,
            Some(Body::Scalar { text, .. }) => !text.is_empty(),
            Some(_) => true,
        }
    }

    /// The items of a list; a single value is a list of one.
    pub(crate) fn items(&self) -> Vec<View<'a>> {
        let Some(node) = self.node.filter(|_| self.is_set()) else {
            return Vec::new();
        };
        let items = match &node.body {
            Body::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let item = |(index, node): (usize, &'a Node)| View {
            node: Some(node).filter(|node| !node.is_null()),
            at: &node.at,
            path: format!("{}[{index}]", self.path),
        };
        items.iter().enumerate().map(item).collect()
    }

    /// The items of a list of sections; what is no section is reported already.
    pub(crate) fn sections(&self) -> Vec<View<'a>> {
        let mut items = self.items();
        items.retain(View::is_section);
        items
    }

    pub(crate) fn is_section(&self) -> bool {
        matches!(self.node.map(|node| &node.body), Some(Body::Map(_)))
    }

    /// The keys of a section, with their values.
    pub(crate) fn named(&self) -> Vec<(&'a str, View<'a>)> {
        let entries = self.node.map_or(&[][..], Node::entries);
        let named = |entry: &'a Entry| {
            let view = View {
                node: Some(&entry.value).filter(|node| !node.is_null()),
                at: &entry.at,
                path: format!("{}.{}", self.path, entry.name),
            };
            (entry.name.as_str(), view)
        };
        entries.iter().map(named).collect()
    }

    /// A text that is not empty.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.node
            .and_then(check::scalar)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn text_even_empty(&self) -> Option<&'a str> {
        self.node.and_then(check::scalar)
    }

    pub(crate) fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(crate) fn flag(&self) -> bool {
        self.node.and_then(check::flag).unwrap_or(false)
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        self.text().and_then(value::duration)
    }

    /// Every text of a list.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(View::owned).collect()
    }

    /// A number within bounds; outside of them it is reported, and `default` stands in for it.
    pub(crate) fn bounded(
        &self,
        default: u32,
        bounds: std::ops::RangeInclusive<u32>,
        findings: &mut Findings,
    ) -> u32 {
        let Some(number) = self.node.and_then(check::count) else {
            return default;
        };
        match u32::try_from(number)
            .ok()
            .filter(|number| bounds.contains(number))
        {
            Some(number) => number,
            None => {
                let (low, high) = (bounds.start(), bounds.end());
                let message = format!("must be from {low} to {high}, is `{number}`");
                self.problem(findings, message, "");
                default
            }
        }
    }

    pub(crate) fn problem(
        &self,
        findings: &mut Findings,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        findings.problem(self.at, &self.path, message, advice);
    }

    pub(crate) fn notice(&self, findings: &mut Findings, message: impl Into<String>) {
        findings.notice(self.at, &self.path, message);
    }
}
