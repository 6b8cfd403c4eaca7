//! From what a rule asks and what a visitor has shown to the answer.

use super::{Decision, Requirement};
use crate::Level;

/// What the visitor has shown of who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A session or good credentials of this level, or nothing ([`Level::Anonymous`]).
    Level(Level),
    /// Credentials in a header that were malformed or wrong. They make nobody known, and they ask for better ones
    /// even where a deny rule would refuse everybody.
    Rejected,
}

/// Evidence that the rules allow a request. Only [`answer`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    rule: Option<usize>,
}

impl Permit {
    /// The rule that allowed it, counted from 0; `None` for the default policy.
    #[must_use]
    pub fn rule(&self) -> Option<usize> {
        self.rule
    }
}

/// What becomes of a request.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it pass.
    Allow(Permit),
    /// Ask who is there, or for a second factor.
    Challenge,
    /// Refuse; no login would help.
    Deny,
}

/// Weighs what the visitor has shown against what the deciding rule asks.
pub fn answer(decision: &Decision, proof: Proof) -> Verdict {
    let level = match proof {
        Proof::Level(level) => level,
        Proof::Rejected => Level::Anonymous,
    };
    let enough = match decision.requirement {
        Requirement::Bypass => true,
        Requirement::OneFactor => level >= Level::OneFactor,
        Requirement::TwoFactor => level >= Level::TwoFactor,
        Requirement::Deny => false,
    };
    if enough {
        return Verdict::Allow(Permit {
            rule: decision.rule,
        });
    }
    if decision.requirement != Requirement::Deny || proof == Proof::Rejected {
        return Verdict::Challenge;
    }
    // A deny that hangs on the user may not be meant for this one: ask who it is.
    if decision.depends_on_subject && level == Level::Anonymous {
        Verdict::Challenge
    } else {
        Verdict::Deny
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_requirement_and_proof_holds() {
        use Level::{Anonymous, OneFactor, TwoFactor};
        const ALLOW: &str = "allow";
        const ASK: &str = "challenge";
        const DENY: &str = "deny";
        // Columns: anonymous, one factor, two factors, rejected header.
        for (requirement, depends_on_subject, expected) in [
            (Requirement::Bypass, false, [ALLOW, ALLOW, ALLOW, ALLOW]),
            (Requirement::OneFactor, false, [ASK, ALLOW, ALLOW, ASK]),
            (Requirement::OneFactor, true, [ASK, ALLOW, ALLOW, ASK]),
            (Requirement::TwoFactor, false, [ASK, ASK, ALLOW, ASK]),
            (Requirement::TwoFactor, true, [ASK, ASK, ALLOW, ASK]),
            (Requirement::Deny, false, [DENY, DENY, DENY, ASK]),
            (Requirement::Deny, true, [ASK, DENY, DENY, ASK]),
        ] {
            let decision = Decision {
                requirement,
                rule: Some(7),
                depends_on_subject,
            };
            let proofs = [
                Proof::Level(Anonymous),
                Proof::Level(OneFactor),
                Proof::Level(TwoFactor),
                Proof::Rejected,
            ];
            let got = proofs.map(|proof| match answer(&decision, proof) {
                Verdict::Allow(permit) => {
                    assert_eq!(permit.rule(), Some(7));
                    ALLOW
                }
                Verdict::Challenge => ASK,
                Verdict::Deny => DENY,
            });
            assert_eq!(got, expected, "{decision:?}");
        }
    }
}
