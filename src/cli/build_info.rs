//! `quorate build-info`: what this binary is, for a bug report.

use std::io::Write;

use super::failure::{Failure, cannot_print};

pub(super) fn run() -> Result<(), Failure> {
    // The commit is known where the build says it; a plain `cargo build` does not.
    let commit = option_env!("QUORATE_COMMIT").unwrap_or("unknown");
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let text = format!(
        "Version: {}\nCommit: {commit}\nProfile: {profile}\nBuild OS: {}\nBuild Arch: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(cannot_print)
}
