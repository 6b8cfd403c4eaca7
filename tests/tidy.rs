//! The rules of this repository that no compiler checks: who may import whom, how large things get, what a file says
//! first, where clocks and child processes are, whether links lead somewhere.
//!
//! A finding names file and line, the rule, why there is one and what to do. An exception stands in the table of its
//! rule, with a reason. Nothing here is started but `cargo metadata`, and nothing is fetched.

mod import;
mod link;
mod manifest;
mod path;
mod rust;
mod size;
mod tree;
mod word;

use std::fmt;

use tree::File;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// Relative to the top of the repository.
    file: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    /// What is wrong, with the offending text.
    what: String,
    rule: &'static Rule,
}

/// What is asked for, and why.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    /// What must hold.
    says: &'static str,
    why: &'static str,
    /// What to do about a finding.
    instead: &'static str,
}

impl Rule {
    fn broken_in(&'static self, file: &File, line: usize, what: impl Into<String>) -> Finding {
        let file = file.path.clone();
        let what = what.into();
        Finding {
            file,
            line,
            what,
            rule: self,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { says, why, instead } = self.rule;
        let (file, line, what) = (&self.file, self.line, &self.what);
        write!(
            f,
            "{file}:{line}: {what}\n    rule: {says}\n    why:  {why}\n    do:   {instead}"
        )
    }
}

/// Fails with all findings, if there are any.
fn expect_none(findings: &[Finding]) {
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        findings.is_empty(),
        "{} findings\n\n{}\n",
        findings.len(),
        text.join("\n\n")
    );
}
