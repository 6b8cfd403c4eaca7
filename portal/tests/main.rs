//! The pages from outside: what is promised of all of them, and of each.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a failed expectation is the test's answer"
)]

mod colours;
mod login;
mod other;
mod promises;
mod sample;
