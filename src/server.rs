//! Servers: what the caller typed, and the address it stands for.

use crate::error::Error;
use crate::secret::{Credentials, Secret};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The port of a server given without one, as IANA assigns it to memcached.
pub const DEFAULT_PORT: u16 = 11211;

/// A server as the caller typed it: `"host"`, `"host:port"`, `"[v6]:port"`, `("host", port)` or a
/// [`SocketAddr`]; or the path of a unix socket, `"/path"`, `"unix:/path"` or a [`Path`]. A weight
/// may follow the port, `"host:port:weight"` or `("host", port, weight)`.
///
/// The host is kept as typed, because rings hash it as typed: `2001:db8::1` and `2001:DB8:0::1` are
/// the same machine, and other places on the moecache ring. (White space around a text is not part
/// of it.) Making a `Server` cannot fail; whether
/// it is an address is judged by [`ClientBuilder::build`](crate::ClientBuilder::build).
///
/// ```
/// use moecache::Server;
///
/// assert_eq!(Server::from("cache.example.com").to_string(), "cache.example.com:11211");
/// assert_eq!(Server::from(("::1", 11213)).to_string(), "[::1]:11213");
/// assert_eq!(Server::from("10.0.0.1:11211:5"), Server::from("10.0.0.1").weight(5));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    address: Result<Address, ServerError>,
    weight: u32,
    ring_name: Option<String>,
    credentials: Option<Credentials>,
}

impl Server {
    /// How much of the keys it gets, in proportion to the others, where the
    /// [`Distribution`](crate::Distribution) knows weights; the others take no notice, as their
    /// owners do. At least 1; default: 1.
    #[must_use]
    pub fn weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// The text that stands for the server where the [`Distribution`](crate::Distribution) hashes
    /// servers, or sorts them, in place of the one made from its address: all of it, but for the
    /// number of the point. So that a client may reach a server by another address than the rest of
    /// the deployment has for it.
    ///
    /// | owner | the text, without a name | a unix socket's |
    /// |---|---|---|
    /// | moecache, pymemcache, dalli | `host:port` as typed, IPv6 without brackets | the path |
    /// | EnyimMemcached, EnyimMemcachedCore | `address:port`, IPv6 as `[::1]:11211`; or `Unspecified/host:port` | - |
    /// | libmemcached, twemproxy | `host` as typed, or `host:port` if the port is not 11211 | `path:0`, `path:` |
    /// | libmemcached's `ketama_spy` | `/host:port` | `/path:0` |
    /// | spymemcached | `name/address:port`, or `address:port` | - |
    /// | spymemcached's libmemcached formats | the name, or `name:port` if the port is not 11211 | - |
    ///
    /// libmemcached's `modula_sort_hosts` reads it as a host and a port, and sorts by these. The
    /// other distributions that go by a hash alone take no notice.
    ///
    /// ```
    /// use moecache::{Client, Distribution, Server};
    ///
    /// // Here the server is at this end of a tunnel; on .NET its name resolves to 10.0.0.5.
    /// let tunnel = Server::from("127.0.0.1:5000").ring_name("10.0.0.5:11211");
    /// let client = Client::builder()
    ///     .servers([tunnel, Server::from("10.0.0.6")])
    ///     .distribution(Distribution::Enyim)
    ///     .build()?;
    /// # Ok::<(), moecache::Error>(())
    /// ```
    #[must_use]
    pub fn ring_name(self, name: impl Into<String>) -> Self {
        let ring_name = Some(name.into());
        Self { ring_name, ..self }
    }

    /// The user name and the password for this server, in place of
    /// [`ClientBuilder::credentials`](crate::ClientBuilder::credentials), where it is said what they
    /// may be.
    ///
    /// ```
    /// use moecache::{Client, Server};
    ///
    /// let client = Client::new([
    ///     Server::from("10.0.0.1").credentials("ann", "s3cret"),
    ///     Server::from("10.0.0.2"),
    /// ])?;
    /// # Ok::<(), moecache::Error>(())
    /// ```
    #[must_use]
    pub fn credentials(self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        let credentials = Some(Credentials::new(username, password));
        Self {
            credentials,
            ..self
        }
    }

    /// The address that was typed.
    pub(crate) fn address(&self) -> Result<Address, ServerError> {
        if self.weight == 0 {
            let reason = "weight 0; it must be at least 1, which is what libmemcached takes it for";
            return Err(ServerError::new(&self.to_string(), reason));
        }
        self.address.clone()
    }

    /// The weight, and what `ring_name` gave.
    pub(crate) fn on_the_ring(&self) -> (u32, Option<&str>) {
        (self.weight, self.ring_name.as_deref())
    }

    /// The same for everybody to read.
    pub(crate) fn without_credentials(&self) -> Self {
        Self {
            credentials: None,
            ..self.clone()
        }
    }

    /// What `credentials` gave.
    pub(crate) fn own_credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    fn new(typed: &str, address: Result<Address, &'static str>) -> Self {
        Self {
            address: address.map_err(|reason| ServerError::new(typed, reason)),
            weight: 1,
            ring_name: None,
            credentials: None,
        }
    }
}

/// `host:port`, with the port always there and IPv6 in brackets, or the path; an invalid address is
/// shown as it was typed.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Ok(address) => address.fmt(f),
            Err(error) => f.write_str(&error.server),
        }
    }
}

/// Splits the weight off `host:port:weight` or `[v6]:port:weight`; without one it is 1. What looks
/// like something else is left to [`split`] as it is.
fn split_weight(text: &str) -> (&str, u32) {
    let after_host = text.rfind(']').unwrap_or(0);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let weighted = text.rsplit_once(':').and_then(|(server, weight)| {
        let (host, port) = server.get(after_host..)?.split_once(':')?;
        let is_one = is_number(port) && is_number(weight) && (after_host > 0 || !host.is_empty());
        Some((server, weight.parse().ok().filter(|_| is_one)?))
    });
    weighted.unwrap_or((text, 1))
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split(text: &str) -> Result<(&str, u16), &'static str> {
    if text.contains("://") {
        return Err("no scheme is allowed; write host:port");
    }
    if text.contains(|c: char| c == ',' || c == ';' || c.is_whitespace()) {
        return Err("this is one server; give several as a list: [\"a:11211\", \"b:11211\"]");
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("'[' without ']'")?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err("after ']' only ':' and a port may follow"),
        }
    } else {
        match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(
                    "more than one colon; write host:port or host:port:weight, and IPv6 as [::1]:11211",
                );
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let Some(port) = port else {
        return Ok((host, DEFAULT_PORT));
    };
    // `parse` alone would take "+11211".
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.then(|| port.parse().ok()).flatten();
    Ok((
        host,
        port.ok_or("the port must be a number from 1 to 65535")?,
    ))
}

/// Where a server listens, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// The host as typed, without brackets.
    Tcp { host: String, port: u16 },
    /// The path of a unix socket.
    Unix(String),
}

impl Address {
    fn new(host: &str, port: u16) -> Result<Self, &'static str> {
        if host.is_empty() {
            return Err("the host is empty");
        }
        if host.len() > 255 {
            return Err("the host is longer than 255 bytes");
        }
        let allowed = |c: char| c.is_alphanumeric() || "-._:%".contains(c);
        if !host.chars().all(allowed) {
            return Err("the host holds a character that no host name or address has");
        }
        let unscoped = host.split_once('%').map_or(host, |(address, _)| address);
        if host.contains(':') && unscoped.parse::<Ipv6Addr>().is_err() {
            return Err("the host has a colon but is not an IPv6 address");
        }
        if port == 0 {
            return Err("port 0; 1 to 65535 are allowed");
        }
        Ok(Self::Tcp {
            host: host.to_owned(),
            port,
        })
    }

    fn unix(path: &str) -> Result<Self, &'static str> {
        /// `sun_path` of Linux holds 108 bytes with a zero at the end, those of others a few less.
        const MAX_PATH: usize = 103;
        if cfg!(not(unix)) {
            return Err("there are no unix sockets on this system");
        }
        if !path.starts_with('/') {
            return Err("the path of a unix socket must begin with /");
        }
        if path.len() > MAX_PATH {
            return Err("the path of a unix socket may be 103 bytes long");
        }
        if path.contains('\0') {
            return Err("the path holds a zero byte");
        }
        Ok(Self::Unix(path.to_owned()))
    }

    /// The IP address, when there is a host that is one and not a name.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp { host, .. } => host.parse().ok(),
            Self::Unix(_) => None,
        }
    }

    /// Whether both are one server: the same port, and the same IP address in any spelling or the
    /// same name in any case; or the same path.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp { host: a, port: p }, Self::Tcp { host: b, port: q }) => {
                p == q
                    && match (self.ip(), other.ip()) {
                        (None, None) => a.eq_ignore_ascii_case(b),
                        (mine, theirs) => mine == theirs,
                    }
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => f.write_str(path),
        }
    }
}

/// Why a server list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("servers: {server:?}: {reason}")]
pub(crate) struct ServerError {
    server: String,
    reason: &'static str,
}

impl ServerError {
    /// What was typed is shown, but for what stands before an `@`: it may be a password.
    fn new(typed: &str, reason: &'static str) -> Self {
        let server = match typed.rsplit_once('@') {
            Some((_, host)) => format!("...@{host}"),
            None => typed.to_owned(),
        };
        Self { server, reason }
    }
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Self::validation(error.to_string())
    }
}

impl From<&str> for Server {
    fn from(text: &str) -> Self {
        let text = text.trim();
        // A host may be called unix: what comes after it then is a port.
        let is_path = |rest: &&str| rest.is_empty() || rest.bytes().any(|b| !b.is_ascii_digit());
        let path = text.strip_prefix("unix:").filter(is_path);
        if let Some(path) = path.or(text.starts_with('/').then_some(text)) {
            return Self::new(text, Address::unix(path));
        }
        let (unweighted, weight) = split_weight(text);
        let address = split(unweighted).and_then(|(host, port)| Address::new(host, port));
        Self {
            weight,
            ..Self::new(text, address)
        }
    }
}

impl From<String> for Server {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Server {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl<H: Into<String>> From<(H, u16)> for Server {
    fn from((host, port): (H, u16)) -> Self {
        let host = host.into();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let address = Address::new(bare.unwrap_or(&host), port);
        Self::new(&format!("{host}:{port}"), address)
    }
}

impl<H: Into<String>> From<(H, u16, u32)> for Server {
    fn from((host, port, weight): (H, u16, u32)) -> Self {
        Self::from((host, port)).weight(weight)
    }
}

impl From<&Path> for Server {
    fn from(path: &Path) -> Self {
        let typed = path.to_string_lossy();
        let address = match path.to_str() {
            Some(path) => Address::unix(path),
            None => Err("the path of a unix socket must be UTF-8"),
        };
        Self::new(&typed, address)
    }
}

impl From<PathBuf> for Server {
    fn from(path: PathBuf) -> Self {
        Self::from(path.as_path())
    }
}

impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            _ => address.ip().to_string(),
        };
        Self::from((host, address.port()))
    }
}

impl From<&Server> for Server {
    fn from(server: &Server) -> Self {
        server.clone()
    }
}

/// One server or a list of them: what [`Client::new`](crate::Client::new) takes.
///
/// Implemented for everything that is one [`Server`], and for arrays, slices and vectors of it.
///
/// ```
/// use moecache::Client;
///
/// Client::new("10.0.0.1")?;                                        // port 11211
/// Client::new(("10.0.0.1", 11213))?;
/// Client::new(["10.0.0.1:11211", "cache.example.com:11213", "[::1]:11211"])?;
/// Client::new(vec![("10.0.0.1", 11211), ("10.0.0.1", 11213)])?;
/// # #[cfg(unix)]
/// Client::new(["/run/memcached.sock", "10.0.0.1:11211"])?;
///
/// let list = std::env::var("MEMCACHED_SERVERS").unwrap_or("10.0.0.1, 10.0.0.2".to_owned());
/// Client::new(list.split(',').collect::<Vec<_>>())?;
///
/// let error = Client::new("10.0.0.1:11211,10.0.0.2:11211").unwrap_err();
/// assert!(error.to_string().contains("give several as a list"));
/// # Ok::<(), moecache::Error>(())
/// ```
pub trait IntoServers {
    /// The servers, in the order given. The order matters: rings depend on it.
    fn into_servers(self) -> Vec<Server>;
}

macro_rules! one_server {
    ($($type:ty)*) => {$(
        impl IntoServers for $type {
            fn into_servers(self) -> Vec<Server> {
                vec![self.into()]
            }
        }
    )*};
}

one_server!(&str String &String SocketAddr &Path PathBuf Server &Server);

impl<H: Into<String>> IntoServers for (H, u16) {
    fn into_servers(self) -> Vec<Server> {
        vec![self.into()]
    }
}

impl<H: Into<String>> IntoServers for (H, u16, u32) {
    fn into_servers(self) -> Vec<Server> {
        vec![self.into()]
    }
}

impl<S: Into<Server>, const N: usize> IntoServers for [S; N] {
    fn into_servers(self) -> Vec<Server> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<Server>> IntoServers for Vec<S> {
    fn into_servers(self) -> Vec<Server> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<Server> + Clone> IntoServers for &[S] {
    fn into_servers(self) -> Vec<Server> {
        self.iter().cloned().map(Into::into).collect()
    }
}

impl<S: Into<Server> + Clone> IntoServers for &Vec<S> {
    fn into_servers(self) -> Vec<Server> {
        self.as_slice().into_servers()
    }
}

impl<S: Into<Server> + Clone, const N: usize> IntoServers for &[S; N] {
    fn into_servers(self) -> Vec<Server> {
        self.as_slice().into_servers()
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
