//! The files of the repository: those a person wrote, without what tools make.

use std::fs;
use std::path::{Path, PathBuf};

use super::rust;

/// What stands at the top and was not written by a person.
const SKIPPED: [&str; 2] = ["target", ".git"];
/// Nothing larger is read: no source is, and a stray dump should not slow the tests down.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// One text file.
pub(super) struct File {
    /// Relative to the top of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }
}

/// The top of the repository.
pub(super) fn top() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// All text files, ordered by path.
pub(super) fn files() -> Vec<File> {
    let top = top();
    let mut files = Vec::new();
    collect(&top, &top, &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(
        files.len() > 50,
        "only {} files below {}: the walk is broken",
        files.len(),
        top.display()
    );
    files
}

fn collect(top: &Path, directory: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(directory).expect("a directory of the repository can be read") {
        let entry = entry.expect("its entries can be read");
        let kind = entry.file_type().expect("an entry has a type");
        let name = entry.file_name();
        if directory == top && SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if kind.is_dir() {
            collect(top, &entry.path(), files);
        }
        let is_small = || {
            entry
                .metadata()
                .is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX)
        };
        if !kind.is_file() || !is_small() {
            continue;
        }
        // What is not UTF-8 is not a source.
        if let Ok(text) = fs::read_to_string(entry.path()) {
            let path = entry.path();
            let path = path.strip_prefix(top).expect("it was found below the top");
            let path = path.to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }
}

/// Paths, without `.rs`, of modules that exist only in tests: `#[cfg(test)] mod model;` in `raft/src/lease.rs` makes
/// `raft/src/lease/model` one.
pub(super) fn test_modules(files: &[File]) -> Vec<String> {
    let mut modules = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let stem = file.path.trim_end_matches(".rs");
        let directory = match stem.rsplit_once('/') {
            Some((directory, "lib" | "main")) => directory,
            _ => stem,
        };
        let names = rust::test_module_names(&rust::blanked(&file.text));
        modules.extend(names.into_iter().map(|name| format!("{directory}/{name}")));
    }
    modules
}

/// Whether the file is part of the program, and not of its tests or benchmarks.
pub(super) fn is_production(file: &File, test_modules: &[String]) -> bool {
    let is_below = |module: &String| {
        let rest = file.path.strip_prefix(module.as_str());
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    let in_test_folder = file
        .path
        .split('/')
        .any(|part| part == "tests" || part == "benches");
    file.is_rust() && !in_test_folder && !test_modules.iter().any(is_below)
}
