//! Servers: what the caller typed, and the address it stands for.

use crate::error::Error;
use crate::library::Library;
use crate::secret::{Credentials, Secret};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The port of a server given without one, as IANA assigns it to memcached.
pub const DEFAULT_PORT: u16 = 11211;

/// A server as the caller typed it: `"host"`, `"host:port"`, `"[v6]:port"`, `("host", port)` or a
/// [`SocketAddr`]; or the path of a unix socket, `"/path"`, `"unix:/path"`, `"unix:///path"` or a
/// [`Path`]. A weight may follow the port, `"host:port:weight"` or `("host", port, weight)`.
///
/// The path of a unix socket begins with `/`: what a relative one means depends on the directory that
/// the program happens to be in. Numbers behind it are read as the library does whose deployment it
/// is: `"/path:weight"` with dalli and twemproxy, `"/path:0:weight"` with libmemcached, pylibmc and
/// php-memcached. With all others they are an error; a file whose name ends so is given as a [`Path`].
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
/// assert_eq!(Server::from("unix:///run/a.sock"), Server::from("/run/a.sock"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    address: Result<Address, ServerError>,
    weight: u32,
    ring_name: Option<String>,
    credentials: Option<Credentials>,
    /// What was typed behind the path of a unix socket, with the colon that it begins with: what it
    /// means depends on the library.
    behind_path: String,
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

    /// The same with what stands behind the path of a unix socket taken for what it is to `library`;
    /// `None` is a placement of the program's own.
    pub(crate) fn as_read_by(&self, library: Option<Library>) -> Result<Self, ServerError> {
        if self.behind_path.is_empty() {
            return Ok(self.clone());
        }
        let weight = self.weight_behind_path(library).map_err(|reason| {
            let reason = reason.unwrap_or(UNREAD_BEHIND_PATH);
            ServerError::new(&self.to_string(), reason)
        })?;
        let server = Self {
            behind_path: String::new(),
            ..self.clone()
        };
        // `weight` may have been called since.
        Ok(match self.weight {
            1 => server.weight(weight),
            _ => server,
        })
    }

    /// dalli has `/path:weight` (its `ServerConfigParser`), and so has twemproxy. libmemcached has
    /// `/path:port:weight` and takes no notice of the port (`memcached_servers_parse`), or
    /// `/path/?weight` in its configuration string.
    fn weight_behind_path(&self, library: Option<Library>) -> Result<u32, Option<&'static str>> {
        let parts: Vec<&str> = self.behind_path.split(':').skip(1).collect();
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| is_number).ok_or(None::<&str>)
        };
        let query = self.behind_path.strip_prefix("/?");
        match (library, &*parts, query) {
            (Some(Library::Libmemcached), [], Some(weight)) => number(weight),
            (Some(Library::Dalli | Library::Twemproxy), [weight], None) => number(weight),
            (Some(Library::Dalli | Library::Twemproxy), ..) => Err(Some(
                "behind the path of a unix socket this library has a weight and no port: \
                 /run/a.sock:5",
            )),
            (
                Some(Library::Libmemcached | Library::Pylibmc | Library::PhpMemcached),
                [port],
                None,
            ) if number(port) == Ok(0) => Ok(1),
            (
                Some(Library::Libmemcached | Library::Pylibmc | Library::PhpMemcached),
                [port, weight],
                None,
            ) if number(port).is_ok() => number(weight),
            (Some(Library::Libmemcached | Library::Pylibmc | Library::PhpMemcached), ..) => {
                Err(Some(
                    "behind the path of a unix socket this library has a port, 0, and a weight: \
                 /run/a.sock:0:5",
                ))
            }
            _ => Err(None),
        }
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
            behind_path: String::new(),
        }
    }

    /// A unix socket, from a text.
    fn at_path(typed: &str, path: &str) -> Self {
        if path.contains(",/") {
            return Self::new(typed, Err(ONE_SERVER));
        }
        let (path, behind_path) = split_path(path);
        Self {
            behind_path: behind_path.to_owned(),
            ..Self::new(typed, Address::unix(path))
        }
    }
}

const UNREAD_BEHIND_PATH: &str = "a unix socket has no port, and this library no weight behind the \
    path; give the path alone, and a weight by Server::weight or as {path, weight}; a file that is \
    called so is given as a Path or as {path}";

/// Splits off what stands behind a path and looks like a port, a weight, or an attempt at them.
fn split_path(text: &str) -> (&str, &str) {
    if let Some((path, weight)) = text.rsplit_once("/?") {
        if weight.bytes().all(|b| b.is_ascii_digit()) {
            return text.split_at(path.len());
        }
    }
    let is_numeric = |c: char| c.is_ascii_digit() || "+-.:".contains(c);
    let name = text.trim_end_matches(is_numeric);
    // The file may be called 1.5.
    match text[name.len()..].find(':') {
        Some(at) => text.split_at(name.len() + at),
        None => (text, ""),
    }
}

/// `host:port`, with the port always there and IPv6 in brackets, or the path; an invalid address is
/// shown as it was typed.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Ok(address) => write!(f, "{address}{}", self.behind_path),
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

const ONE_SERVER: &str = "this is one server; give several as a list: [\"a:11211\", \"b:11211\"]";

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split(text: &str) -> Result<(&str, u16), &'static str> {
    if let Some((scheme, _)) = text.split_once("://") {
        let is_url = ["memcache", "memcached"].iter().any(|known| {
            let rest = scheme
                .get(..known.len())
                .filter(|it| it.eq_ignore_ascii_case(known));
            rest.is_some()
        });
        return Err(if is_url {
            "this is a URL; read it with \"memcache://..\".parse::<Config>()?.client(), or write \
             host:port"
        } else {
            "no scheme is allowed but unix; write host:port, or /path for a unix socket; a URL of \
             memcache:// is read by \"..\".parse::<Config>()?.client()"
        });
    }
    if text.contains(|c: char| c == ',' || c == ';' || c.is_whitespace()) {
        return Err(ONE_SERVER);
    }
    if let Some((server, _)) = text.split_once('/') {
        return Err(if server.contains(':') {
            "behind the port only a weight may follow: host:port:weight"
        } else {
            "the path of a unix socket must begin with /, as in /run/memcached.sock: a relative one \
             depends on the directory that the program is in"
        });
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
            return Err(
                "the path of a unix socket must begin with /, as in unix:/run/memcached.sock or \
                 unix:///run/memcached.sock: a relative one depends on the directory that the \
                 program is in",
            );
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
    /// same name in any case; or the same path, by however many slashes.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp { host: a, port: p }, Self::Tcp { host: b, port: q }) => {
                p == q
                    && match (self.ip(), other.ip()) {
                        (None, None) => a.eq_ignore_ascii_case(b),
                        (mine, theirs) => mine == theirs,
                    }
            }
            (Self::Unix(one), Self::Unix(other)) => path_parts(one).eq(path_parts(other)),
            _ => false,
        }
    }
}

/// What a path goes through: `//run/./a.sock` is `/run/a.sock`. (`..` is not the directory above
/// where there are symbolic links.)
fn path_parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
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
        if text.starts_with('/') {
            return Self::at_path(text, text);
        }
        let is_unix = |scheme: &&str| scheme.eq_ignore_ascii_case("unix:");
        if text.get(..5).as_ref().is_some_and(is_unix) {
            let rest = &text[5..];
            let path = rest.trim_start_matches('/');
            // Two slashes begin the name of a host, which there is none of.
            if rest.starts_with('/') && rest.len() - path.len() != 2 {
                return Self::at_path(text, &rest[rest.len() - path.len() - 1..]);
            }
            // A host may be called unix: what comes after it then is a port, and a weight.
            let is_port = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b':');
            if rest.is_empty() || !is_port(rest) {
                return Self::new(text, Address::unix(path));
            }
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
/// A server that is listed twice is an error by default. With the libraries that take such a list,
/// EnyimMemcached and gomemcache for two, keys are placed as they place them, and it has one connection
/// pool: see [joining](crate::guide::joining#what-must-be-the-same).
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
#[path = "address_tests.rs"]
mod tests;
