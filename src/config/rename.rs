//! Moving values from older names of keys to the present ones.

use super::node::Node;
use super::place::{Findings, Place};
use super::schema::{RENAMED, Renamed};

/// Carries out every renaming, with one notice for each older name found.
pub(crate) fn rename(root: &mut Node, findings: &mut Findings) {
    // What one renaming has moved and noted, a later one may move on without a second notice.
    let mut noted: Vec<Place> = Vec::new();
    for renamed in RENAMED {
        let Some(node) = root.find(renamed.from).filter(|node| !node.is_null()) else {
            continue;
        };
        if renamed.moved {
            noted.push(node.at.clone());
            carry(root, renamed, findings);
        } else if !noted.contains(&node.at) {
            let message = format!("is an older form; write `{}`", renamed.to);
            findings.notice(&node.at, renamed.from, message);
        }
    }
}

fn carry(root: &mut Node, Renamed { from, to, .. }: &Renamed, findings: &mut Findings) {
    let Some(entry) = root.take(from) else {
        return;
    };
    let at = entry.at.clone();
    if root.find(to).is_some_and(|node| !node.is_null()) {
        let message = format!("is an older name and ignored, because `{to}` is set");
        findings.notice(&at, from, message);
    } else if root.set(to, entry.value) {
        let next = RENAMED.iter().find(|next| next.from == *to);
        let to = next.map_or(*to, |next| next.to);
        findings.notice(&at, from, format!("is an older name; write `{to}`"));
    }
}
