//! The access decision: which rule a request meets, and what that rule asks for.

pub mod rule;
