//! `quorate cluster backup`, `backup inspect`, `restore` and `recover`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use quorate_raft::{NewNode, Rebuilt, SnapshotSummary, inspect_snapshot};
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::failure::{AnyError, Failure};
use super::super::node::{NodeArgs, wait_for};
use crate::admin;
use crate::admin::backup::{CLUSTER, INDEX};
use crate::backup::{Head, Opener, Sealer, head};
use crate::{clock, random};

/// What `backup` needs.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Backup {
    #[command(subcommand)]
    inspect: Option<Inspect>,
    /// The new file; one that exists is never replaced.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The file with the key that seals it: 32 bytes at least, kept apart from the backup.
    #[arg(long, value_name = "FILE", required = true)]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

/// What can be done with a backup besides.
#[derive(Debug, Subcommand)]
enum Inspect {
    /// Say what a backup holds; with the key, check all of it.
    Inspect(Look),
}

#[derive(Debug, Args)]
struct Look {
    /// The backup.
    file: PathBuf,
    /// The file with its key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

/// What `restore` needs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The file with its key.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Sessions go on, also those that were logged out after the backup was taken.
    #[arg(long)]
    keep_sessions: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What `recover` needs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Recover {
    /// Sessions go on, also those whose logout only the lost members knew of.
    #[arg(long)]
    keep_sessions: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What is printed of a backup.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    head: Head,
    /// What is in it, if the key was there to look.
    content: Option<SnapshotSummary>,
}

pub(super) fn backup(command: Backup) -> Result<(), Failure> {
    if let Some(Inspect::Inspect(look)) = command.inspect {
        return inspect(&look);
    }
    let (Some(file), Some(key_file)) = (&command.file, &command.key_file) else {
        return Err(Failure::Usage(
            "a file and --key-file are needed".to_owned(),
        ));
    };
    let key = key(key_file)?;
    let written = take(&command.node, file, &key);
    written.map_err(Failure::while_doing("the backup was not taken"))?;
    // Read back: a backup that does not open is none.
    let shown = look_into(file, Some(&key))?;
    command.node.print(&shown, text)
}

fn inspect(look: &Look) -> Result<(), Failure> {
    let key = look.key_file.as_deref().map(key).transpose()?;
    let shown = look_into(&look.file, key.as_ref())?;
    look.node.print(&shown, text)
}

fn text(shown: &Shown) -> String {
    let Head {
        cluster,
        index,
        taken_at_ms,
        version,
        ..
    } = &shown.head;
    let at = clock::rfc3339(quorate_core::Timestamp(*taken_at_ms));
    let mut text = format!(
        "cluster   {cluster}\ntaken     {at} by version {version}\nlog       up to index {index}\n"
    );
    let _ = match &shown.content {
        Some(content) => writeln!(
            text,
            "holds     {} sessions, members {}\nsound     all of it opens and decodes",
            content.sessions,
            content.members.join(", ")
        ),
        None => writeln!(text, "sound     not checked: give --key-file"),
    };
    text
}

/// Takes the snapshot and seals it beside `file`, which then gets its name.
fn take(node: &NodeArgs, file: &Path, key: &[u8]) -> Result<(), AnyError> {
    if file.exists() {
        return Err(format!("`{}` exists already", file.display()).into());
    }
    let socket = node.socket()?;
    let partial = file.with_extension("partial");
    let output = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    let mut output = Some(BufWriter::new(output));
    let sealer = std::cell::RefCell::new(None);
    let begin = |fields: &http::HeaderMap| -> Result<(), AnyError> {
        let text = |name| {
            fields
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
        };
        let head = Head {
            cluster: text(CLUSTER).to_owned(),
            index: text(INDEX).parse()?,
            taken_at_ms: clock::now().0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            salt: random::bytes::<16>()
                .iter()
                .fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                }),
        };
        let output = output.take().ok_or("the answer began twice")?;
        *sealer.borrow_mut() = Some(Sealer::new(output, &head, key)?);
        Ok(())
    };
    let add = |bytes: &[u8]| -> Result<(), AnyError> {
        let mut sealer = sealer.borrow_mut();
        Ok(sealer
            .as_mut()
            .ok_or("the answer has no head")?
            .add(bytes)?)
    };
    wait_for(admin::stream(&socket, "/v1/snapshot", begin, add))??;
    let sealer = sealer.into_inner().ok_or("the answer has no head")?;
    let output = sealer
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    output.sync_all()?;
    fs::rename(&partial, file)?;
    let folder = file
        .parent()
        .filter(|p| *p != Path::new(""))
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn look_into(file: &Path, key: Option<&Zeroizing<Vec<u8>>>) -> Result<Shown, Failure> {
    let failed = || format!("the backup `{}` cannot be read", file.display());
    let mut input = BufReader::new(File::open(file).map_err(Failure::while_doing(failed()))?);
    let Some(key) = key else {
        let (head, _) = head(&mut input).map_err(Failure::while_doing(failed()))?;
        let content = None;
        return Ok(Shown { head, content });
    };
    let (head, mut opener) = Opener::new(input, key).map_err(Failure::while_doing(failed()))?;
    let content = inspect_snapshot(&mut opener).map_err(Failure::while_doing(failed()))?;
    Ok(Shown {
        head,
        content: Some(content),
    })
}

pub(super) fn restore(command: &Restore) -> Result<(), Failure> {
    let config = command.node.configuration()?;
    let key = key(&command.key_file)?;
    let failed = || format!("`{}` was not restored", command.file.display());
    let input = File::open(&command.file).map_err(Failure::while_doing(failed()))?;
    let opened = Opener::new(BufReader::new(input), &key);
    let (_, opener) = opened.map_err(Failure::while_doing(failed()))?;
    let node = NewNode {
        name: config.cluster.name,
        address: config.cluster.advertise,
        data_dir: config.cluster.data_dir,
    };
    let mut input = BufReader::new(opener);
    let rebuilt = quorate_raft::restore(&mut input, &node, command.keep_sessions);
    let rebuilt = rebuilt.map_err(Failure::while_doing(failed()))?;
    command.node.print(&rebuilt, next_steps)
}

pub(super) fn recover(command: &Recover) -> Result<(), Failure> {
    let config = command.node.configuration()?;
    let rebuilt = wait_for(async {
        let node = crate::serve::node_config(&config).await?;
        let recovered = quorate_raft::recover(&node, command.keep_sessions).await;
        recovered.map_err(AnyError::from)
    })?;
    let rebuilt = rebuilt.map_err(Failure::while_doing("the cluster was not recovered"))?;
    command.node.print(&rebuilt, next_steps)
}

fn next_steps(rebuilt: &Rebuilt) -> String {
    let mut text = format!(
        "a new cluster of one, {}, with {} sessions ({} were ended)\n",
        rebuilt.cluster, rebuilt.summary.sessions, rebuilt.sessions_ended
    );
    if let Some(replaced) = &rebuilt.replaced {
        let _ = writeln!(
            text,
            "the files that were there are in {}",
            replaced.display()
        );
    }
    text.push_str(
        "start this node; then start the others with empty data directories, and they join it\n",
    );
    text
}

fn key(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = fs::read(file);
    let bytes = bytes.map_err(Failure::while_doing(format!(
        "the key file `{}` cannot be read",
        file.display()
    )))?;
    Ok(Zeroizing::new(bytes))
}
