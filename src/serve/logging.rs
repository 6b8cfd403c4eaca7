//! Where log lines go: standard error, or a file; text or JSON.

mod file;

use std::sync::Arc;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt as _};
use tracing_subscriber::{EnvFilter, fmt};

use self::file::LogFile;
use super::start::Failure;
use crate::clock;
use crate::config::{Log, LogFormat, LogLevel};

/// The log of a running node.
pub(super) struct Logging(Option<Arc<LogFile>>);

impl Logging {
    /// Opens the log file anew, under the name that it has now: what rotates logs has moved the old one away. Without
    /// a file nothing happens. If it cannot be opened, lines go where they went.
    pub(super) fn reopen(&self) {
        if let Some(file) = &self.0
            && let Err(error) = file.reopen(clock::now())
        {
            tracing::error!(path = file.template(), %error, "the log file cannot be opened; the old one is kept");
        }
    }
}

/// Starts logging as configured. Lines of libraries are shown from `warn` on, whatever level is asked for; openraft
/// repeats several times a second what the transport says once, and what is fatal stops the node anyway.
pub(super) fn start(log: &Log) -> Result<Logging, Failure> {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let ours = ["quorate", "quorate_raft", "quorate_core"].map(|name| format!("{name}={level}"));
    let filter = EnvFilter::new(format!("warn,openraft=off,sled=error,{}", ours.join(",")));
    let file = file(log)?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(writer(log, file.as_ref()))
        .with_ansi(false);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::Logging(error.to_string()))?;
    Ok(Logging(file))
}

fn file(log: &Log) -> Result<Option<Arc<LogFile>>, Failure> {
    let Some(path) = &log.file_path else {
        return Ok(None);
    };
    match LogFile::open(path.clone(), clock::now()) {
        Ok(file) => Ok(Some(Arc::new(file))),
        Err(source) => Err(Failure::LogFile {
            path: path.clone(),
            source,
        }),
    }
}

fn writer(log: &Log, file: Option<&Arc<LogFile>>) -> BoxMakeWriter {
    match file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(file) if log.keep_stdout => BoxMakeWriter::new(Arc::clone(file).and(std::io::stdout)),
        Some(file) => BoxMakeWriter::new(Arc::clone(file)),
    }
}
