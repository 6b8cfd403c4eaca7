//! Where certificates and keys go on disk: names, modes, and never over something that exists
//! unless that was asked for.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::authority::Credentials;
use crate::cli::failure::Failure;

// Source: the defaults of `authelia crypto certificate ecdsa generate`.
pub(super) const CERTIFICATE: &str = "public.crt";
pub(super) const KEY: &str = "private.pem";
pub(super) const CA_CERTIFICATE: &str = "ca.public.crt";
pub(super) const CA_KEY: &str = "ca.private.pem";

/// Whether files that exist may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    Allowed,
    Refused,
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

/// Writes all pairs, or nothing if one of the files exists and must not be replaced. Keys get mode
/// 0600, and so does a directory made for them get 0700.
pub(super) fn write(dir: &Path, pairs: &[Pair], overwrite: Overwrite) -> Result<(), Failure> {
    let taken = || {
        pairs
            .iter()
            .flat_map(|pair| [&pair.certificate, &pair.key])
            .find(|file| file.exists())
    };
    if overwrite == Overwrite::Refused
        && let Some(file) = taken()
    {
        let text = format!(
            "`{}` exists; choose another --dir, or replace it with --force",
            file.display()
        );
        return Err(Failure::because(text));
    }
    let doing = Failure::while_doing(format!("cannot make the directory `{}`", dir.display()));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(doing)?;
    for pair in pairs {
        write_file(&pair.key, &pair.credentials.key_pem, 0o600, overwrite)?;
        write_file(
            &pair.certificate,
            &pair.credentials.certificate_pem,
            0o644,
            overwrite,
        )?;
    }
    Ok(())
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
