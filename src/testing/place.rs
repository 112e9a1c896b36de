//! Where a server listens.

use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

const BACKLOG: i32 = 1024;

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Place {
    /// A port of 127.0.0.1 that nobody has, and what keeps it while nobody listens there.
    pub(crate) fn any_port() -> io::Result<(Self, Option<Socket>)> {
        let bound = bind_tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = bound.local_addr()?.as_socket();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        // On Linux a port that is bound and not listened to is given to nobody else, and can still
        // be bound again on purpose.
        let reserved = cfg!(target_os = "linux").then_some(bound);
        Ok((Self::Tcp(address), reserved))
    }

    pub(crate) fn listen(&self) -> io::Result<Socket> {
        let socket = match self {
            Self::Tcp(address) => bind_tcp(*address)?,
            Self::Unix(path) => bind_unix(path)?,
        };
        socket.listen(BACKLOG)?;
        Ok(socket)
    }

    pub(crate) fn connect(&self) -> io::Result<Socket> {
        let (domain, address) = match self {
            Self::Tcp(address) => (Domain::for_address(*address), (*address).into()),
            Self::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
        };
        let socket = Socket::new(domain, Type::STREAM, None)?;
        socket.connect(&address)?;
        Ok(socket)
    }

    /// Cleans up after a listener.
    pub(crate) fn leave(&self) {
        if let Self::Unix(path) = self {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Windows this would let two servers share a port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn bind_unix(path: &Path) -> io::Result<Socket> {
    remove_socket(path);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// What a process left behind that did not end in order, as memcached does; but nothing else.
#[cfg(unix)]
fn remove_socket(path: &Path) {
    use std::os::unix::fs::FileTypeExt;

    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(not(unix))]
fn remove_socket(_: &Path) {}
