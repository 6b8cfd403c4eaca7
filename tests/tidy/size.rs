//! How large files and functions may get, and what files are called.

use super::tree::{self, File, is_production};
use super::{Finding, Rule, expect_none, rust};

/// Lines of a source file without its `#[cfg(test)]` items.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Larger by their nature. File, what it may reach, and why.
const LARGER_FILES: [(&str, usize, &str); 0] = [];

/// Larger by their nature. File, function, what it may reach, and why.
const LONGER_FUNCTIONS: [(&str, &str, usize, &str); 0] = [];

/// Words that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "provider",
];

static FILE: Rule = Rule {
    says: "a source file has at most 400 lines, tests not counted",
    why: "a file should hold one idea that a reader can keep in mind",
    instead: "split it by idea into `name.rs` and `name/`; if it is one table, add it to LARGER_FILES with a reason",
};

static FUNCTION: Rule = Rule {
    says: "a function has at most 70 lines",
    why: "what does not fit a screen is not checked when it is read",
    instead: "keep the branching here and move each step into a function of its own",
};

static NAME: Rule = Rule {
    says: "a module is named for its idea, in `name.rs`, never `mod.rs` or a word that fits everything",
    why: "a newcomer finds things by their names; twenty open files called mod.rs have none",
    instead: "move `name/mod.rs` to `name.rs`; call the rest by what it decides",
};

static STALE: Rule = Rule {
    says: "an exception is only as large as it must be",
    why: "an exception that is no longer needed would hide the next breach",
    instead: "remove it from the table",
};

fn file_breaches(file: &File) -> Vec<Finding> {
    let blanked = rust::blanked(&file.text);
    let lines = file.text.lines().count() - rust::test_lines(&blanked);
    let lines_max = LARGER_FILES
        .iter()
        .find(|(path, ..)| *path == file.path)
        .map_or(FILE_LINES_MAX, |found| found.1);
    let mut findings = Vec::new();
    if lines > lines_max {
        findings.push(FILE.broken_in(
            file,
            lines_max + 1,
            format!("{lines} lines, at most {lines_max}"),
        ));
    }
    for function in rust::functions(&rust::tests_blanked(&blanked)) {
        let is_it = |path: &str, name: &str| path == file.path && name == function.name;
        let found = LONGER_FUNCTIONS
            .iter()
            .find(|(path, name, ..)| is_it(path, name));
        let lines_max = found.map_or(FUNCTION_LINES_MAX, |found| found.2);
        if function.lines > lines_max {
            let what = format!(
                "`{}` has {} lines, at most {lines_max}",
                function.name, function.lines
            );
            findings.push(FUNCTION.broken_in(file, function.line, what));
        }
    }
    findings
}

fn name_breach(file: &File) -> Option<Finding> {
    let stem = file.path.rsplit('/').next()?.trim_end_matches(".rs");
    let is_empty = stem == "mod" || EMPTY_NAMES.contains(&stem);
    (file.is_rust() && is_empty)
        .then(|| NAME.broken_in(file, 0, format!("a file called `{stem}.rs`")))
}

fn stale_exceptions(files: &[File]) -> Vec<Finding> {
    let text = |path: &str| files.iter().find(|file| file.path == path);
    let larger = LARGER_FILES
        .iter()
        .filter(|(path, ..)| text(path).is_none_or(|f| f.text.lines().count() <= FILE_LINES_MAX));
    let longer = LONGER_FUNCTIONS.iter().filter(|(path, name, ..)| {
        let functions = text(path)
            .map(|file| rust::functions(&rust::blanked(&file.text)))
            .unwrap_or_default();
        !functions
            .iter()
            .any(|function| function.name == *name && function.lines > FUNCTION_LINES_MAX)
    });
    let of = |path: &str| Finding {
        file: "tests/tidy/size.rs".to_owned(),
        line: 0,
        what: format!("the exception for `{path}` is not needed any more"),
        rule: &STALE,
    };
    larger
        .map(|found| of(found.0))
        .chain(longer.map(|found| of(found.0)))
        .collect()
}

#[test]
fn files_and_functions_fit_a_reader() {
    let files = tree::files();
    let test_modules = tree::test_modules(&files);
    let production = files
        .iter()
        .filter(|file| is_production(file, &test_modules));
    let mut findings: Vec<Finding> = production.flat_map(file_breaches).collect();
    findings.extend(stale_exceptions(&files));
    expect_none(&findings);
}

#[test]
fn modules_are_named_for_their_idea() {
    let findings: Vec<Finding> = tree::files().iter().filter_map(name_breach).collect();
    expect_none(&findings);
}

#[test]
fn what_is_too_large_is_found() {
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let long = |lines: usize| format!("fn f() {{\n{}}}\n", "x();\n".repeat(lines - 2));
    assert_eq!(
        file_breaches(&file("src/a.rs", long(FUNCTION_LINES_MAX))),
        []
    );
    assert_eq!(
        file_breaches(&file("src/a.rs", long(FUNCTION_LINES_MAX + 1))).len(),
        1
    );
    let early = format!(
        "#[cfg(test)]\nmod tests;\n{}",
        "// x\n".repeat(FILE_LINES_MAX + 1)
    );
    assert_eq!(file_breaches(&file("src/a.rs", early)).len(), 1);
    let lines = "// x\n".repeat(FILE_LINES_MAX);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long(200));
    assert_eq!(
        file_breaches(&file("src/a.rs", format!("{lines}{tests}"))),
        []
    );
    assert_eq!(
        file_breaches(&file("src/a.rs", format!("{lines}\n{tests}"))).len(),
        1
    );
    assert!(name_breach(&file("src/config/mod.rs", String::new())).is_some());
    assert!(name_breach(&file("src/utils.rs", String::new())).is_some());
    assert!(name_breach(&file("src/model.rs", String::new())).is_none());
}
