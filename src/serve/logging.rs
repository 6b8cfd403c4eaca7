//! Where log lines go: standard error, or a file; text or JSON.

use std::fs::OpenOptions;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt as _};
use tracing_subscriber::{EnvFilter, fmt};

use super::start::Failure;
use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging as configured. Lines of libraries are shown from `warn` on, whatever level is asked for; openraft
/// repeats several times a second what the transport says once, and what is fatal stops the node anyway.
pub(super) fn start(log: &Log) -> Result<(), Failure> {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let ours = ["quorate", "quorate_raft", "quorate_core"].map(|name| format!("{name}={level}"));
    let filter = EnvFilter::new(format!("warn,openraft=off,sled=error,{}", ours.join(",")));
    let writer = writer(log)?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::Logging(error.to_string()))
}

fn writer(log: &Log) -> Result<BoxMakeWriter, Failure> {
    let Some(path) = &log.file_path else {
        return Ok(BoxMakeWriter::new(std::io::stderr));
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = Mutex::new(file.map_err(|source| Failure::LogFile {
        path: path.clone(),
        source,
    })?);
    match log.keep_stdout {
        true => Ok(BoxMakeWriter::new(file.and(std::io::stdout))),
        false => Ok(BoxMakeWriter::new(file)),
    }
}
