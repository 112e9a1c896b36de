//! Where a server listens.

use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

const BACKLOG: i32 = 1024;

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Place {
    /// The place with its port, which for port 0 is one that nobody has; and what keeps the port while
    /// nobody listens there.
    pub(crate) fn reserve(self) -> io::Result<(Self, Option<Socket>)> {
        let Self::Tcp(address) = self else {
            return Ok((self, None));
        };
        let bound = bind_tcp(address).map_err(|error| self.cannot_listen(&error))?;
        let address = bound.local_addr()?.as_socket();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        // On Linux a port that is bound and not listened to is given to nobody else, and can still
        // be bound again on purpose.
        let reserved = cfg!(target_os = "linux").then_some(bound);
        Ok((Self::Tcp(address), reserved))
    }

    pub(crate) fn listen(&self) -> io::Result<Socket> {
        let bound = match self {
            Self::Tcp(address) => bind_tcp(*address),
            Self::Unix(path) => bind_unix(path),
        };
        let listening = bound.and_then(|socket| socket.listen(BACKLOG).map(|()| socket));
        listening.map_err(|error| self.cannot_listen(&error))
    }

    /// The error with the place, which the system leaves out.
    fn cannot_listen(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot listen on {self}: {error}"))
    }

    pub(crate) fn connect(&self) -> io::Result<Socket> {
        let (domain, address) = match self {
            Self::Tcp(address) => {
                let address = reachable(*address);
                (Domain::for_address(address), address.into())
            }
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

/// Where a server that listens there is connected to: one that listens on all addresses of the
/// machine, on the loopback address.
pub(crate) fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

fn bind_tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Windows this would let two servers share a port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    // As memcached does, so that IPv4 and IPv6 can each have their server.
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
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
