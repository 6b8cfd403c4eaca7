//! The access decision: which rule a request meets, and what that rule asks for.
//!
//! Everything here is a pure function of the compiled [`Policy`], the [`Target`] and who asks. It knows no session,
//! no header, no cookie and no proxy. First matching rule wins, no rule means the default. Where a request can be
//! read in two ways (host in another case, path parameters, repeated arguments), every reading is decided and the
//! strictest answer counts, so that a spelling can never step around a rule.

mod arguments;
#[cfg(test)]
mod cases;
mod compile;
mod domain;
mod explain;
mod index;
mod network;
mod pattern;
mod policy;
pub mod rule;
mod target;
mod verdict;

pub use explain::{Check, RuleTrace};
pub use policy::{Decision, Identity, Policy, RuleError, RuleWarning};
pub use rule::{QuerySpec, Requirement, RuleSpec};
pub use target::{HostError, HostName, Scheme, Target, TargetError, host_is_within};
pub use verdict::{Permit, Proof, Verdict, answer};
