//! Which commands may be proposed while members of different versions run side by side.
//!
//! Every command belongs to a set ([`Command::set`]), and every node says in its greeting up to which set it can apply.
//! 1. A command of a newer set is proposed only when every member, learners too, has said that it knows that set.
//! 2. The first one that is applied puts its set in force, for good; the state remembers it ([`Reader::set`]). Until
//!    then every member can go back to the version before.
//! 3. Who does not know the set in force is refused with the first word, and told why. So it gets nothing that it cannot
//!    read: no entry, and no snapshot either, whose format follows from the set in force.
//!
//! A member that is replaced by an older version between 1 and 2 meets a command it does not know. It does not take that
//! into its log and answers nothing; what was committed stays committed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quorate_core::{Command, Reader};

use crate::node::Inner;
use crate::transport::message::Greeting;

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a command is not proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKnown {
    /// A member cannot apply it.
    #[error(
        "member `{name}` runs an older version, which knows command set {known} and not set {set} yet; upgrade it first"
    )]
    Older {
        /// Its name.
        name: String,
        /// The newest set that it knows.
        known: u32,
        /// The set of the command.
        set: u32,
    },
    /// Nobody knows whether a member can apply it.
    #[error(
        "member `{name}` has not been heard since this node started, so it may run an older version, which does not know \
         command set {set}; start it, or remove it (`quorate cluster remove {name}`)"
    )]
    Unheard {
        /// Its name.
        name: String,
        /// The set of the command.
        set: u32,
    },
}

/// What this node knows of the sets: its own, the one in force, and what others have said.
#[derive(Debug)]
pub(crate) struct Versions {
    own: u32,
    state: Reader,
    heard: Mutex<HashMap<u64, u32>>,
}

impl Versions {
    /// `own` is the newest set that this node says it knows.
    pub(crate) fn new(own: u32, state: Reader) -> Self {
        Self {
            own,
            state,
            heard: Mutex::default(),
        }
    }

    /// The newest set that this node knows.
    pub(crate) const fn own(&self) -> u32 {
        self.own
    }

    /// The set in force, as far as this node has applied the log.
    pub(crate) fn in_force(&self) -> u32 {
        self.state.set()
    }

    /// The newest set that the node with that id has said it knows.
    pub(crate) fn of(&self, node: u64) -> Option<u32> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(&node).copied()
    }

    /// Notes what a node says it knows.
    ///
    /// # Errors
    /// Why it can be no member, in words for both operators.
    pub(crate) fn meet(&self, theirs: &Greeting) -> Result<(), String> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(theirs.node, theirs.commands);
        drop(heard);
        let in_force = self.in_force();
        if theirs.commands < in_force {
            return Err(format!(
                "`{}` runs an older version, which knows command set {}, and the cluster uses set {in_force} already; \
                 start `{}` with the version of the other members",
                theirs.name, theirs.commands, theirs.name
            ));
        }
        Ok(())
    }

    /// What the operator of this node is told when another one sends what only a newer version knows.
    pub(crate) fn outdated(name: &str) -> String {
        format!(
            "`{name}` sends what this version of Quorate does not know; start this node with the version of the other \
             members"
        )
    }
}

impl Inner {
    /// Whether every member can apply the command.
    pub(crate) fn check_known(&self, command: &Command) -> Result<(), NotKnown> {
        let versions = &self.peers.versions;
        let set = command.set();
        if set <= versions.in_force() {
            return Ok(());
        }
        let own = (self.peers.member.name.clone(), Some(versions.own()));
        let others = self.others().into_iter();
        let others = others.map(|(id, member)| (member.name, versions.of(id)));
        check(set, others.chain([own]))
    }
}

/// Whether all of the members, each with the newest set it has said it knows, know `set`. One that certainly does not is
/// named before one that may.
fn check(
    set: u32,
    members: impl IntoIterator<Item = (String, Option<u32>)>,
) -> Result<(), NotKnown> {
    let mut unheard = Ok(());
    for (name, known) in members {
        match known {
            Some(known) if known >= set => {}
            Some(known) => return Err(NotKnown::Older { name, known, set }),
            None => unheard = Err(NotKnown::Unheard { name, set }),
        }
    }
    unheard
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set itself up must stop"
    )]

    use quorate_core::State;

    use super::*;
    use crate::lease::Incarnation;

    fn members(known: &[(&str, Option<u32>)]) -> Vec<(String, Option<u32>)> {
        let owned = known.iter().map(|(name, set)| ((*name).to_owned(), *set));
        owned.collect()
    }

    #[test]
    fn a_command_is_proposed_only_when_every_member_knows_its_set() {
        let verdict = |known: &[_]| check(2, members(known));
        assert_eq!(verdict(&[("n1", Some(2)), ("n2", Some(3))]), Ok(()));
        assert_eq!(verdict(&[]), Ok(()));
        let older = NotKnown::Older {
            name: "n2".to_owned(),
            known: 1,
            set: 2,
        };
        assert_eq!(
            verdict(&[("n1", None), ("n2", Some(1)), ("n3", Some(2))]),
            Err(older)
        );
        let unheard = NotKnown::Unheard {
            name: "n1".to_owned(),
            set: 2,
        };
        assert_eq!(verdict(&[("n1", None), ("n3", Some(2))]), Err(unheard));
    }

    #[test]
    fn who_does_not_know_the_set_in_force_is_told_what_to_do() {
        let greeting = |commands| Greeting {
            protocol: 1,
            protocol_oldest: 1,
            commands,
            name: "n2".to_owned(),
            node: 7,
            incarnation: Incarnation(1),
            refusal: None,
        };
        let versions = Versions::new(Command::SET, State::new().reader());
        assert_eq!(versions.of(7), None);
        versions.meet(&greeting(1)).unwrap();
        assert_eq!(versions.of(7), Some(1));
        let told = versions.meet(&greeting(0)).unwrap_err();
        assert!(
            told.contains("`n2` runs an older version")
                && told.contains("set 0")
                && told.contains("set 1 already"),
            "{told}"
        );
        // A node that went back is known by what it said last.
        assert_eq!(versions.of(7), Some(0));
    }
}
