//! Listeners: loopback TCP and Unix sockets, bound before anything is served.

use std::{
    fs::{self, Metadata},
    io,
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::StartError;
use crate::{
    accounts::Caller,
    config::{Listen, Socket},
};

/// A bound listener.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, Place),
}

/// A socket's path, and which file it was when it was bound.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

/// An accepted connection and who is at its other end. Not yet of any runtime: a worker takes it.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(StdUnixStream, Caller),
}

impl Bound {
    /// Binds a listener.
    pub(super) fn new(listen: &Listen, socket: &Socket) -> Result<Self, StartError> {
        match listen {
            Listen::Tcp(address) => tcp(*address).map(Self::Tcp),
            Listen::Unix(path) => {
                make_room(path)?;
                let bound = unix(path, socket).map_err(|source| StartError::Listen {
                    place: format!("unix:{}", path.display()),
                    source,
                });
                let (listener, file) = bound?;
                Ok(Self::Unix(listener, Place { path: path.clone(), file }))
            }
        }
    }

    /// Where it listens: the real port where 0 was asked for.
    pub(super) fn place(&self) -> Option<Listen> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(Listen::Tcp),
            Self::Unix(_, place) => Some(Listen::Unix(place.path.clone())),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let stream = stream.into_std()?;
                // A peer that is gone already is found out when it is read from.
                let _ = tune(&stream);
                Ok(Accepted::Tcp(stream))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                Ok(Accepted::Unix(stream.into_std()?, Caller { uid, ..Caller::default() }))
            }
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let Self::Unix(_, place) = self else { return };
        // Only what was bound here: another server may have taken the path since.
        let ours = fs::symlink_metadata(&place.path).is_ok_and(|found| file(&found) == place.file);
        if ours {
            // A leftover is handled at the next start, too.
            let _ = fs::remove_file(&place.path);
        }
    }
}

/// Binds a TCP address.
pub(super) fn tcp(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart does not wait for the connections of the last run to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|source| StartError::Listen { place: address.to_string(), source })
}

/// What is set on every accepted TCP connection.
fn tune(stream: &std::net::TcpStream) -> io::Result<()> {
    // Without it a small reply waits for the peer's acknowledgement.
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_mins(1))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    Ok(())
}

/// Binds a Unix socket. Mode and group are set before it listens: until then nobody can connect.
fn unix(path: &Path, socket: &Socket) -> io::Result<(UnixListener, (u64, u64))> {
    let group = socket.group.as_deref().map(group_id).transpose()?;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let bound = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::bind(&bound, &SocketAddrUnix::new(path)?)?;
    let protect = || {
        if group.is_some() {
            std::os::unix::fs::chown(path, None, group)?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(socket.mode))?;
        net::listen(&bound, i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
        fs::symlink_metadata(path)
    };
    let metadata = protect().inspect_err(|_| {
        // It was made here, a moment ago.
        let _ = fs::remove_file(path);
    })?;
    let listener = UnixListener::from_std(StdUnixListener::from(bound))?;
    Ok((listener, file(&metadata)))
}

fn file(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Removes a socket of ours that nobody listens on any more; refuses anything else at the path.
fn make_room(path: &Path) -> Result<(), StartError> {
    let taken = |problem| StartError::Socket { path: path.to_owned(), problem };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = fs::metadata(parent.unwrap_or(Path::new(".")));
    let parent = parent.map_err(|_| taken("its folder does not exist"))?;
    if parent.mode() & OTHERS_WRITE != 0 && parent.mode() & STICKY == 0 {
        // Whoever can write there could put a socket of his own in our place.
        return Err(taken("its folder can be written by everybody"));
    }
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.file_type().is_symlink() {
        return Err(taken("a symbolic link"));
    }
    if !metadata.file_type().is_socket() {
        return Err(taken("no socket"));
    }
    match StdUnixStream::connect(path) {
        Ok(_) => Err(taken("another server listens on it")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            if metadata.uid() != rustix::process::geteuid().as_raw() {
                return Err(taken("it belongs to another user"));
            }
            fs::remove_file(path).map_err(|_| taken("it cannot be removed"))
        }
        Err(_) => Err(taken("it cannot be reached")),
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

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 128;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
