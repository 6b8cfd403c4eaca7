//! Where certificates and keys go on disk: names, modes, and never over something that exists
//! unless that was asked for.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::authority::{Authority, Credentials};
use crate::cli::failure::Failure;

// Source: the defaults of `authelia crypto certificate ecdsa generate`.
pub(in crate::cli) const CERTIFICATE: &str = "public.crt";
pub(in crate::cli) const KEY: &str = "private.pem";
pub(in crate::cli) const CA_CERTIFICATE: &str = "ca.public.crt";
pub(in crate::cli) const CA_KEY: &str = "ca.private.pem";

/// Whether files that exist may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Overwrite {
    Allowed,
    Refused,
}

impl Overwrite {
    /// What a flag such as `--force` means.
    pub(in crate::cli) fn allowed_if(forced: bool) -> Self {
        if forced { Self::Allowed } else { Self::Refused }
    }
}

/// A certificate with its key, and the two files they belong in.
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    credentials: Credentials,
}

impl Pair {
    pub(super) fn new(dir: &Path, certificate: &str, key: &str, made: Credentials) -> Self {
        Self {
            certificate: dir.join(certificate),
            key: dir.join(key),
            credentials: made,
        }
    }
}

/// One file to write.
pub(in crate::cli) struct Content<'a> {
    pub(in crate::cli) file: PathBuf,
    pub(in crate::cli) text: &'a str,
    /// Whether only its owner may read it.
    pub(in crate::cli) is_private: bool,
}

/// Writes all pairs, as [`write_all`] does.
pub(super) fn write(dir: &Path, pairs: &[Pair], overwrite: Overwrite) -> Result<(), Failure> {
    let contents: Vec<Content<'_>> = pairs
        .iter()
        .flat_map(|pair| {
            let Credentials {
                certificate_pem,
                key_pem,
            } = &pair.credentials;
            [
                Content {
                    file: pair.key.clone(),
                    text: key_pem,
                    is_private: true,
                },
                Content {
                    file: pair.certificate.clone(),
                    text: certificate_pem,
                    is_private: false,
                },
            ]
        })
        .collect();
    write_all(dir, &contents, overwrite)
}

/// Writes all files, or nothing if one of them exists and must not be replaced. What is private gets mode 0600, and so
/// does a directory made for the files get 0700.
pub(in crate::cli) fn write_all(
    dir: &Path,
    contents: &[Content<'_>],
    overwrite: Overwrite,
) -> Result<(), Failure> {
    let taken = || contents.iter().find(|content| content.file.exists());
    if overwrite == Overwrite::Refused
        && let Some(content) = taken()
    {
        let text = format!(
            "`{}` exists; choose another directory, or replace it with --force",
            content.file.display()
        );
        return Err(Failure::because(text));
    }
    let doing = Failure::while_doing(format!("cannot make the directory `{}`", dir.display()));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(doing)?;
    for Content {
        file,
        text,
        is_private,
    } in contents
    {
        let mode = if *is_private { 0o600 } else { 0o644 };
        write_file(file, text, mode, overwrite)?;
    }
    Ok(())
}

/// Reads an authority from the files of its certificate and key.
pub(in crate::cli) fn authority(certificate: &Path, key: &Path) -> Result<Authority, Failure> {
    let read = |file: &Path| {
        let doing = Failure::while_doing(format!("cannot read `{}`", file.display()));
        std::fs::read_to_string(file).map_err(doing)
    };
    Authority::load(&read(certificate)?, &read(key)?.into())
        .map_err(Failure::while_doing("cannot use the given authority"))
}

fn write_file(file: &Path, text: &str, mode: u32, overwrite: Overwrite) -> Result<(), Failure> {
    let doing = || Failure::while_doing(format!("cannot write `{}`", file.display()));
    if overwrite == Overwrite::Allowed {
        // A new file, not the old one emptied: the old one's mode might be too open for a key.
        match std::fs::remove_file(file) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(doing()(cause)),
            _ => {}
        }
    }
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .map_err(|cause| doing()(cause))?;
    open.write_all(text.as_bytes())
        .and_then(|()| open.sync_all())
        .map_err(|cause| doing()(cause))
}
