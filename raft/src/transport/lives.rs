//! Which process speaks for each node.
//!
//! A data directory that was copied and started twice makes two processes with one node id. Both could vote in one
//! term, so whoever comes while the other can be heard is refused and told why. A process that has ended, however it
//! did, has closed its connections or falls silent, and its successor is let in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::boot_time;
use crate::lease::{Boot, Incarnation, NodeId};

/// A process whose connections are open but have carried nothing for this long is taken for gone.
const SILENCE: Duration = Duration::from_secs(2);

/// The processes with open connections, by node.
#[derive(Debug, Default)]
pub(crate) struct Lives(Mutex<HashMap<NodeId, Vec<Life>>>);

#[derive(Debug)]
struct Life {
    incarnation: Incarnation,
    connections: usize,
    heard_at: Boot,
    place: String,
}

/// One open connection with a process; it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    lives: Arc<Lives>,
    node: NodeId,
    incarnation: Incarnation,
}

impl Lives {
    /// Counts a new connection with the process `incarnation` of `node` at `place`.
    ///
    /// # Errors
    /// Where another process of that node is, if it has been heard within [`SILENCE`].
    pub(crate) fn enter(
        self: &Arc<Self>,
        node: NodeId,
        incarnation: Incarnation,
        place: String,
    ) -> Result<Presence, String> {
        let now = boot_time();
        let mut lives = self.lives();
        let of_node = lives.entry(node).or_default();
        let another = of_node
            .iter()
            .find(|life| life.incarnation != incarnation && now.since(life.heard_at) < SILENCE);
        if let Some(another) = another {
            return Err(another.place.clone());
        }
        match of_node.iter_mut().find(|l| l.incarnation == incarnation) {
            Some(life) => {
                life.connections += 1;
                life.heard_at = now;
            }
            None => of_node.push(Life {
                incarnation,
                connections: 1,
                heard_at: now,
                place,
            }),
        }
        drop(lives);
        Ok(Presence {
            lives: Arc::clone(self),
            node,
            incarnation,
        })
    }

    fn lives(&self) -> MutexGuard<'_, HashMap<NodeId, Vec<Life>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Something has come over the connection.
    pub(crate) fn heard(&self) {
        let mut lives = self.lives.lives();
        let of_node = lives.get_mut(&self.node).into_iter().flatten();
        for life in of_node.filter(|life| life.incarnation == self.incarnation) {
            life.heard_at = boot_time();
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut lives = self.lives.lives();
        let Some(of_node) = lives.get_mut(&self.node) else {
            return;
        };
        for life in of_node.iter_mut() {
            if life.incarnation == self.incarnation {
                life.connections = life.connections.saturating_sub(1);
            }
        }
        of_node.retain(|life| life.connections > 0);
        if of_node.is_empty() {
            lives.remove(&self.node);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use super::*;

    fn enter(lives: &Arc<Lives>, node: u64, life: u64, place: &str) -> Result<Presence, String> {
        lives.enter(node, Incarnation(life), place.to_owned())
    }

    #[test]
    fn a_second_process_of_a_node_is_refused_while_the_first_is_there() {
        let lives = Arc::new(Lives::default());
        let first = enter(&lives, 7, 1, "there").unwrap();
        let again = enter(&lives, 7, 1, "there").unwrap();
        enter(&lives, 8, 2, "elsewhere").unwrap();
        assert_eq!(enter(&lives, 7, 2, "here").unwrap_err(), "there");
        drop(first);
        assert_eq!(enter(&lives, 7, 2, "here").unwrap_err(), "there");
        drop(again);
        enter(&lives, 7, 2, "here").unwrap();
    }

    #[test]
    fn a_process_that_has_fallen_silent_does_not_stand_in_the_way() {
        let lives = Arc::new(Lives::default());
        let _dangling = enter(&lives, 7, 1, "there").unwrap();
        for life in lives.lives().get_mut(&7).unwrap() {
            life.heard_at = Boot(boot_time().0 - 2_100_000_000);
        }
        let successor = enter(&lives, 7, 2, "here").unwrap();
        successor.heard();
        assert_eq!(enter(&lives, 7, 1, "there").unwrap_err(), "here");
    }
}
