//! Where connections come from: a TCP port or a unix socket.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream, lookup_host};

use crate::config::Listen;

/// Who connects to a unix socket is on this machine.
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A bound socket.
pub enum Socket {
    /// A port.
    Tcp(TcpListener),
    /// A file; it goes away with this.
    Unix(UnixSocket),
}

/// A unix socket and its file.
pub struct UnixSocket {
    socket: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds a configured address.
    ///
    /// # Errors
    /// As the operating system says; also for a host without an address and for a unix socket that somebody serves.
    pub async fn bind(address: &Listen) -> io::Result<Self> {
        match address {
            Listen::Tcp(host, port) => {
                let address = resolve(host, *port).await?;
                TcpListener::bind(address).await.map(Self::Tcp)
            }
            Listen::Unix { socket, umask } => UnixSocket::bind(socket, *umask).map(Self::Unix),
        }
    }

    /// The next connection, and the address of its other end; that of a unix socket is 127.0.0.1.
    pub(in crate::http) async fn accept(&self) -> io::Result<(Stream, IpAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), from.ip().to_canonical()))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.socket.accept().await?;
                Ok((Stream::Unix(stream), LOCAL))
            }
        }
    }
}

/// The address of a host. No host is every address of this machine.
///
/// # Errors
/// As the operating system says; also for a host without an address.
pub async fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let mut found = lookup_host((host, port)).await?;
    found
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host name has no address"))
}

impl UnixSocket {
    /// Without a mask the file's mode is what the process makes files with. With one, the file is its owner's alone until
    /// it has its mode: at no time may others connect who should not. For that moment all files of this process are made
    /// so.
    fn bind(path: &Path, umask: Option<u32>) -> io::Result<Self> {
        remove_abandoned(path)?;
        let usual = umask.map(|_| rustix::process::umask(Mode::RWXG | Mode::RWXO));
        let bound = UnixListener::bind(path);
        if let Some(usual) = usual {
            rustix::process::umask(usual);
        }
        let socket = Self {
            socket: bound?,
            path: path.to_owned(),
        };
        if let Some(umask) = umask {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777 & !umask))?;
        }
        Ok(socket)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // What is left behind is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the socket of a process that is gone. Anything else at the path stays, and binding fails.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let is_refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(is_refused) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// A connection.
pub(in crate::http) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test without its value has failed")]

    use super::*;

    #[tokio::test]
    async fn an_abandoned_socket_is_replaced_and_a_served_one_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        let socket = folder.path().join("node.sock");
        let address = Listen::Unix {
            socket: socket.clone(),
            umask: Some(0o117),
        };
        drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound and abandoned"));
        let bound = Socket::bind(&address).await.expect("bound");
        let mode = fs::metadata(&socket).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(Socket::bind(&address).await.is_err(), "it is served");
        assert!(socket.exists());
        drop(bound);
        assert!(!socket.exists());
        fs::write(&socket, "somebody's file").expect("written");
        assert!(Socket::bind(&address).await.is_err());
        assert!(socket.exists());
    }
}
