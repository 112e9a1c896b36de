//! The options of a server.

use super::clock::Clock;
use super::place::Place;
use super::server::Server;
use super::settings::{Languages, Settings};
use super::store::Limits;
use super::version::Version;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// memcached's `-m`, in bytes.
const MEMORY_LIMIT: usize = 64 * 1024 * 1024;

/// memcached's `-I`, in bytes, and what it accepts (`ITEM_SIZE_MAX_LOWER_LIMIT` and `_UPPER_LIMIT`).
const ITEM_SIZE_MAX: usize = 1024 * 1024;
const ITEM_SIZES: RangeInclusive<usize> = 1024..=1024 * 1024 * 1024;

/// memcached's `-c`.
const MAX_CONNECTIONS: usize = 1024;

/// The options of a [`Server`], from [`Server::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    settings: Settings,
    clock: Clock,
    place: Place,
    /// What was asked for.
    item_size_max: Option<usize>,
}

impl Server {
    /// Starts a server with memcached's defaults.
    ///
    /// # Errors
    ///
    /// When there is no port or thread to be had.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Returns the options to start a server with.
    ///
    /// ```
    /// use moecache::testing::{Clock, Server};
    ///
    /// let server = Server::builder()
    ///     .memory_limit(1024 * 1024)
    ///     .item_size_max(64 * 1024)
    ///     .clock(Clock::real())
    ///     .start()?;
    /// assert!(server.to_string().starts_with("127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    fn new() -> Self {
        Self {
            settings: Settings {
                limits: Limits {
                    memory: MEMORY_LIMIT,
                    item_size: ITEM_SIZE_MAX,
                },
                version: Version::default(),
                languages: Languages::All,
                max_connections: MAX_CONNECTIONS,
            },
            clock: Clock::real(),
            place: Place::Tcp((Ipv4Addr::LOCALHOST, 0).into()),
            item_size_max: None,
        }
    }

    /// How many bytes the items may take together, their headers included, before the least
    /// recently used ones are evicted (memcached's `-m`). 64 MiB by default.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.settings.limits.memory = bytes;
        self
    }

    /// How many bytes one item may take: its value, its key, and 59 to 63 for its header
    /// (memcached's `-I`). From 1 KiB to 1 GiB, and at most half of the
    /// [memory limit](Self::memory_limit); 1 MiB by default, also with a smaller memory limit, which
    /// memcached would not start with.
    ///
    /// ```
    /// use moecache::testing::Server;
    ///
    /// let builder = Server::builder().memory_limit(8 << 20).item_size_max(5 << 20);
    /// let error = builder.start().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "item_size_max: 5242880 is more than half of the memory limit, 8388608"
    /// );
    /// ```
    pub fn item_size_max(mut self, bytes: usize) -> Self {
        self.item_size_max = Some(bytes);
        self.settings.limits.item_size = bytes;
        self
    }

    /// How many connections may be open at a time; further ones are told `ERROR Too many open
    /// connections` and closed. 1024 by default. (memcached's `-c` counts its own files too, so a
    /// few less fit there.)
    ///
    /// ```
    /// use moecache::testing::Server;
    /// use std::io::Read;
    /// use std::net::TcpStream;
    ///
    /// let server = Server::builder().max_connections(1).start()?;
    /// let _first = TcpStream::connect(server.address())?;
    /// let mut reply = String::new();
    /// TcpStream::connect(server.address())?.read_to_string(&mut reply)?;
    /// assert_eq!(reply, "ERROR Too many open connections\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.settings.max_connections = connections;
        self
    }

    /// The version that `version` and `stats` tell; by default `1.6.18`. What that memcached did not
    /// know yet, the server answers with `ERROR`: the meta commands before 1.6.0, `gat` and `gats`
    /// before 1.5.3, `lru_crawler metadump` before 1.4.31 (and `BADCLASS` to its `hash` before 1.6.9), `touch` before 1.4.8 (and so the binary
    /// protocol's touch and get-and-touch: `Unknown command`). Everything else is as in 1.6.18. A
    /// text that does not begin with three numbers knows everything.
    ///
    /// ```
    /// use moecache::testing::Server;
    /// use std::io::{Read, Write};
    /// use std::net::TcpStream;
    ///
    /// let server = Server::builder().version("1.5.22").start()?;
    /// let mut stream = TcpStream::connect(server.address())?;
    /// stream.write_all(b"version\r\nmn\r\nquit\r\n")?;
    /// let mut replies = String::new();
    /// stream.read_to_string(&mut replies)?;
    /// assert_eq!(replies, "VERSION 1.5.22\r\nERROR\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn version(mut self, text: impl Into<String>) -> Self {
        self.settings.version = Version::new(text.into());
        self
    }

    /// The server understands nothing but the classic text protocol, as proxies and other servers
    /// that speak memcached's language do: it answers meta commands with `ERROR`, and closes a
    /// connection that begins in the binary protocol.
    pub fn text_only(mut self) -> Self {
        self.settings.languages = Languages::ClassicText;
        self
    }

    /// The clock to go by; by default the system's, on its own handle.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Listens on this port of 127.0.0.1 (memcached's `-p`), so that other processes know where to find
    /// the server. By default, and with 0, it is a free port, which [`Server::address`] tells.
    ///
    /// ```no_run
    /// use moecache::testing::Server;
    ///
    /// let server = Server::builder().port(11211).start()?;
    /// assert_eq!(server.to_string(), "127.0.0.1:11211");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn port(self, port: u16) -> Self {
        self.address((Ipv4Addr::LOCALHOST, port))
    }

    /// Listens on this address and port (memcached's `-l` and `-p`): `[0, 0, 0, 0]` or
    /// [`Ipv4Addr::UNSPECIFIED`] are all IPv4 addresses of the machine, and port 0 is a free one. The
    /// server asks nobody for a password, so do this only where nobody else can connect, as in a
    /// container.
    ///
    /// ```
    /// use moecache::testing::Server;
    /// use std::io::ErrorKind;
    ///
    /// let server = Server::builder().address(([0, 0, 0, 0], 0)).start()?;
    /// assert!(server.address().ip().is_loopback()); // Where a client on this machine connects to.
    ///
    /// let taken = Server::builder().port(server.address().port()).start().unwrap_err();
    /// assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn address(mut self, address: impl Into<SocketAddr>) -> Self {
        self.place = Place::Tcp(address.into());
        self
    }

    /// Listens on a unix socket instead of TCP (memcached's `-s`). A socket that is there already is
    /// replaced; it is removed when the server stops.
    ///
    /// ```
    /// use moecache::testing::Server;
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let path = std::env::temp_dir().join(format!("moecache-doc-{}.sock", std::process::id()));
    /// let server = Server::builder().unix_socket(&path).start()?;
    /// assert_eq!(server.path(), Some(path.as_path()));
    /// let mut stream = UnixStream::connect(&path)?;
    /// stream.write_all(b"version\r\nquit\r\n")?;
    /// let mut reply = String::new();
    /// stream.read_to_string(&mut reply)?;
    /// assert_eq!(reply, "VERSION 1.6.18\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = Place::Unix(path.into());
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when [`item_size_max`](Self::item_size_max) is out of its range, `AddrInUse` when
    /// somebody else listens on the port; otherwise when the address is none of this machine's, when
    /// there is no port or thread to be had, or no socket can be made at the path.
    pub fn start(self) -> io::Result<Server> {
        if let Some(size) = self.item_size_max {
            check(size, self.settings.limits.memory)?;
        }
        let (place, reserved) = self.place.reserve()?;
        Server::start_at(place, reserved, self.settings, self.clock)
    }
}

/// Refuses an item size that memcached refuses.
fn check(item_size: usize, memory: usize) -> io::Result<()> {
    let problem = if !ITEM_SIZES.contains(&item_size) {
        format!("is not from {} to {}", ITEM_SIZES.start(), ITEM_SIZES.end())
    } else if item_size > memory / 2 {
        format!("is more than half of the memory limit, {memory}")
    } else {
        return Ok(());
    };
    let text = format!("item_size_max: {item_size} {problem}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}
