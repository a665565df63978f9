//! Listeners: loopback TCP and Unix sockets, bound before anything is served.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::StartError;
use crate::{
    accounts::Caller,
    config::{Listen, Socket},
};

/// A bound listener.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// An accepted connection and who is at its other end.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream, Caller),
}

impl Bound {
    /// Binds a listener.
    pub(super) async fn new(listen: &Listen, socket: &Socket) -> Result<Self, StartError> {
        match listen {
            Listen::Tcp(address) => tcp(*address).await.map(Self::Tcp),
            Listen::Unix(path) => {
                make_room(path)?;
                let failed = |source| StartError::Listen {
                    place: format!("unix:{}", path.display()),
                    source,
                };
                let listener = UnixListener::bind(path).map_err(failed)?;
                protect(path, socket).map_err(failed)?;
                Ok(Self::Unix(listener, path.clone()))
            }
        }
    }

    /// Where it listens: the real port where 0 was asked for.
    pub(super) fn place(&self) -> Option<Listen> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(Listen::Tcp),
            Self::Unix(_, path) => Some(Listen::Unix(path.clone())),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without it a small reply waits for the peer's acknowledgement.
                stream.set_nodelay(true)?;
                rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
                Ok(Accepted::Tcp(stream))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                Ok(Accepted::Unix(stream, Caller { uid, ..Caller::default() }))
            }
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // A leftover is handled at the next start, too.
            let _ = fs::remove_file(path);
        }
    }
}

/// Binds a TCP address.
pub(super) async fn tcp(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Listen { place: address.to_string(), source })
}

/// Removes a socket that nobody listens on any more; refuses anything else at the path.
fn make_room(path: &Path) -> Result<(), StartError> {
    let taken = |problem| StartError::Socket { path: path.to_owned(), problem };
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.file_type().is_symlink() {
        return Err(taken("a symbolic link"));
    }
    if !metadata.file_type().is_socket() {
        return Err(taken("no socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(taken("another server listens on it")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|_| taken("it cannot be removed"))
        }
        Err(_) => Err(taken("it cannot be reached")),
    }
}

fn protect(path: &Path, socket: &Socket) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(socket.mode))?;
    match &socket.group {
        None => Ok(()),
        Some(group) => std::os::unix::fs::chown(path, None, Some(group_id(group)?)),
    }
}

/// A group by number or by its name in `/etc/group`.
fn group_id(group: &str) -> io::Result<u32> {
    if let Ok(id) = group.parse() {
        return Ok(id);
    }
    let table = fs::read_to_string("/etc/group")?;
    let found = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)).flatten()
    });
    found
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such group"))
}
