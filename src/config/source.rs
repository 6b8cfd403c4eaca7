//! Reading configuration files from disk. The only file of this module that touches the file system.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::filter::Filter;
use super::place::{Place, Problem};
use super::yaml::BYTES_MAX;

/// Where a configuration comes from: what `--config` and `--config.experimental.filters` name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Files and directories, the later laid over the earlier.
    pub files: Vec<PathBuf>,
    /// What every file goes through before it is read.
    pub filters: Vec<Filter>,
}

/// A configuration file's text.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file as messages name it.
    pub file: String,
    /// Its whole text.
    pub text: String,
    /// Whether every user of the machine may read it.
    pub world_readable: bool,
}

/// Reads the files named by `--config`, in order; a directory stands for its `*.yml` and `*.yaml` in the order of
/// their names.
///
/// # Errors
/// Every path that cannot be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Source>, Vec<Problem>> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match files_of(path) {
            Ok(files) if files.is_empty() => problems.push(Problem {
                place: Place::whole(path.display().to_string()),
                key: String::new(),
                message: "is a directory without `*.yml` or `*.yaml`".to_owned(),
                advice: "name the file, or the directory it is in".to_owned(),
            }),
            Ok(files) => {
                for file in files {
                    match read_one(&file) {
                        Ok(source) => sources.push(source),
                        Err(error) => problems.push(unreadable(&file, &error)),
                    }
                }
            }
            Err(error) => problems.push(unreadable(path, &error)),
        }
    }
    if problems.is_empty() {
        Ok(sources)
    } else {
        Err(problems)
    }
}

fn files_of(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let is_yaml = file.extension().is_some_and(|e| e == "yml" || e == "yaml");
        if is_yaml && std::fs::metadata(&file)?.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read_one(path: &Path) -> std::io::Result<Source> {
    // One byte more than is taken, so that a longer file is refused by its length and not by its broken end.
    read_at_most(path, BYTES_MAX + 1)
}

/// Reads a file that holds one secret, at most 64 KiB.
///
/// # Errors
/// As the file system has it; also for a text that is not UTF-8.
pub fn read_secret(path: &Path) -> std::io::Result<Source> {
    read_at_most(path, 64 << 10)
}

fn read_at_most(path: &Path, bytes: usize) -> std::io::Result<Source> {
    let file = std::fs::File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = String::new();
    file.take(u64::try_from(bytes).unwrap_or(u64::MAX))
        .read_to_string(&mut text)?;
    Ok(Source {
        file: path.display().to_string(),
        text,
        world_readable: mode & 0o004 != 0,
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        place: Place::whole(path.display().to_string()),
        key: String::new(),
        message: format!("cannot be read: {error}"),
        advice: "correct the path or the permissions".to_owned(),
    }
}
