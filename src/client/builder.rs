mod build;
mod driver;
mod keys;
mod limits;

use crate::address::{IntoServers, Server};
use crate::conn::Protocol;
use crate::error::Result;
use crate::event::{Event, Hook};
use crate::hash::Hash;
use crate::item::MAX_VALUE_SIZE;
use crate::locator::{Distribution, HashTag, Locator, Node, Scheme};
use crate::middleware::Chain;
use crate::protocol::{Bounds, Limits};
use crate::route::{FailurePolicy, MakeLocator};
use crate::secret::{Credentials, Secret};
use crate::tls::Tls;
use crate::value::{Compression, Format, Transcoder};
use keys::KeySettings;
use std::sync::Arc;
use std::time::Duration;

/// Sets up a [`Client`](crate::Client). What is set is judged by [`build`](Self::build).
///
/// ```
/// use moecache::Client;
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .servers(["10.0.0.1:11211", "10.0.0.2:11211"])
///     .timeout(Duration::from_millis(200))
///     .connect_timeout(Duration::from_millis(50))
///     .max_value_size(1 << 20)
///     .build()?;
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    servers: Vec<Server>,
    scheme: Scheme,
    distribution: Option<Distribution>,
    hash: Option<Hash>,
    locator: Option<MakeLocator>,
    hash_tag: Option<HashTag>,
    resolve_names: bool,
    format: Option<Format>,
    transcoder: Option<Arc<dyn Transcoder>>,
    compression: Option<Compression>,
    max_decompressed_size: usize,
    timeout: Duration,
    connect_timeout: Option<Duration>,
    max_value_size: usize,
    max_read_size: usize,
    max_line_size: usize,
    max_keys_per_get: usize,
    protocol: Protocol,
    credentials: Option<Credentials>,
    tls: Option<Tls>,
    keys: KeySettings,
    max_connections: usize,
    max_idle_connections: Option<usize>,
    idle_timeout: Duration,
    failure_policy: FailurePolicy,
    max_back_off: Duration,
    hook: Hook,
    middleware: Chain,
    tcp_nodelay: bool,
    queue_keys: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            scheme: Scheme::default(),
            distribution: None,
            hash: None,
            locator: None,
            hash_tag: None,
            resolve_names: false,
            format: None,
            transcoder: None,
            compression: None,
            max_decompressed_size: 64 << 20,
            timeout: Duration::from_secs(1),
            connect_timeout: None,
            max_value_size: MAX_VALUE_SIZE,
            max_read_size: 1 << 30,
            max_line_size: Bounds::DEFAULT_LINE,
            max_keys_per_get: Limits::MAX_KEYS,
            protocol: Protocol::default(),
            credentials: None,
            tls: None,
            keys: KeySettings::default(),
            max_connections: 256,
            max_idle_connections: None,
            idle_timeout: Duration::from_secs(60),
            failure_policy: FailurePolicy::default(),
            max_back_off: Duration::from_secs(1),
            hook: Hook::default(),
            middleware: Chain::default(),
            tcp_nodelay: true,
            queue_keys: false,
        }
    }
}

impl ClientBuilder {
    /// The servers. Their order matters to the ring: give the list as the other clients of the
    /// deployment have it. Replaces those given before.
    pub fn servers(mut self, servers: impl IntoServers) -> Self {
        self.servers = servers.into_servers();
        self
    }

    /// Joins the deployment of another client, or of a proxy: places keys, names them and stores
    /// values as it does. Takes a [`Library`](crate::Library), a [`Distribution`], which stands for its
    /// owner, or a [`Scheme`]. Default: [`Library::Moecache`](crate::Library::Moecache).
    ///
    /// Each part can be set otherwise, before or after: [`distribution`](Self::distribution),
    /// [`hash`](Self::hash), [`format`](Self::format), [`compression`](Self::compression).
    ///
    /// ```
    /// use moecache::{Client, Hash, Distribution, Library, Scheme};
    ///
    /// let one = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2"])
    ///     .compatible_with(Library::Pylibmc)
    ///     .distribution(Distribution::LibmemcachedConsistent)
    ///     .hash(Hash::Fnv1a32)
    ///     .build()?;
    /// let same = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2"])
    ///     .compatible_with("pylibmc:consistent/fnv1a_32".parse::<Scheme>()?)
    ///     .build()?;
    /// assert_eq!(one.scheme(), same.scheme());
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn compatible_with(mut self, scheme: impl Into<Scheme>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// How keys are spread over the servers, in place of what
    /// [`compatible_with`](Self::compatible_with) says; with the hash that the distribution has by
    /// default, unless [`hash`](Self::hash) chooses another.
    pub fn distribution(mut self, distribution: Distribution) -> Self {
        self.distribution = Some(distribution);
        self
    }

    /// The hash of the distribution, where it leaves a choice.
    pub fn hash(mut self, hash: Hash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// The program's own placement: `make` makes a [`Locator`] for a list of servers. The
    /// distribution and the hash are then not used. It is asked by [`build`](Self::build) and
    /// [`set_servers`](crate::Client::set_servers); and under [`FailurePolicy::Rehash`], in the
    /// middle of a call, for the servers that are left.
    pub fn locator(
        mut self,
        make: impl Fn(&[Node]) -> Result<Box<dyn Locator>> + Send + Sync + 'static,
    ) -> Self {
        self.locator = Some(MakeLocator(Arc::new(make)));
        self
    }

    /// Places keys by the part of them that stands between two characters, as twemproxy does that has
    /// this `hash_tag`. Default: by all of them.
    ///
    /// ```
    /// use moecache::{Client, Library};
    ///
    /// let client = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    ///     .compatible_with(Library::Twemproxy)
    ///     .hash_tag("{}".parse()?)
    ///     .build()?;
    /// assert_eq!(client.server_for("{user:7}:name")?, client.server_for("{user:7}:mail")?);
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn hash_tag(mut self, tag: HashTag) -> Self {
        self.hash_tag = Some(tag);
        self
    }

    /// Lets [`build`](Self::build) look up host names where the distribution hashes addresses: it
    /// takes the first IPv4 address of each, as .NET does. Each may take as long as a connect;
    /// without this they are refused. Other distributions hash names as they were typed, and then
    /// nothing is looked up before the first connect.
    ///
    /// What was found holds for this client. A deployment whose names change their addresses moves
    /// its keys with them, on .NET as here.
    pub fn resolve_names(mut self) -> Self {
        self.resolve_names = true;
        self
    }

    /// How values are stored, in place of what [`compatible_with`](Self::compatible_with) says.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// The program's own way to store values, in place of a [`Format`].
    pub fn transcoder(mut self, transcoder: impl Transcoder + 'static) -> Self {
        self.transcoder = Some(Arc::new(transcoder));
        self
    }

    /// Whether and how values are compressed before they are stored, in place of what the format has
    /// by default.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Which of memcached's protocols is spoken. Default: [`Protocol::Text`].
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The user name and the password for all servers but those that have their
    /// [own](Server::credentials). Default: none.
    ///
    /// Each new connection begins with them, and the time for it is part of the
    /// [connect's](Self::connect_timeout): in the text and meta protocols as memcached's
    /// `doc/protocol.txt` has it under "Authentication", for servers with a password file (`-Y`); in
    /// the binary protocol by SASL's PLAIN, for servers with `-S`. If the server refuses them the
    /// call fails with an [authentication error](crate::Error::is_authentication). A server that asks
    /// for none is told them all the same; it keeps nothing of them. They go over the network as they
    /// are, for everybody on the way to read, unless the connection is encrypted.
    ///
    /// Each must have 1 to 255 bytes and no zero byte; in text, meta and auto also no control
    /// characters, and the user name no colon and no space. Others are a validation error of
    /// [`build`](Self::build).
    ///
    /// ```
    /// use moecache::Client;
    ///
    /// # let password = "s3cret".to_owned();
    /// let client = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2"])
    ///     .credentials("ann", password)
    ///     .build()?;
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some(Credentials::new(username, password));
        self
    }

    /// Encrypts all connections, as [`Tls`] says. Default: they are not encrypted. The handshake is
    /// part of the [connect's time](Self::connect_timeout). A unix socket among the servers is a
    /// validation error.
    ///
    /// A server whose certificate is refused, or that refuses this client's, is a
    /// [connect error](crate::Error::is_connect); `{error:#}` says why. Without the feature `tls`,
    /// [`build`](Self::build) refuses it.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What becomes of calls for a server that fails. Default: [`FailurePolicy::Error`].
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self
    }

    /// The longest back-off of the circuit breaker that each server has. Default: 1 second; zero for none.
    ///
    /// The breaker opens at the third connect in a row that failed, or at the second call in a row that
    /// timed out while not one byte came from the server, on any connection. Only calls count that waited
    /// for the server for 50 ms or more (or half of this client's timeout, if that is less). An error that
    /// the server answers, a slow reply, a connection that it closes on a command, or a limit of this
    /// machine's do not count: the guide [failures](crate::guide::failures) has the whole list.
    ///
    /// While it is open, calls fail at once, with an error that [`is_down`](crate::Error::is_down). The
    /// first back-off is 10 ms, and each further one twice as long, up to this; by chance each is up to
    /// half shorter. After it the breaker is half-open: one call, the probe, asks the server for its
    /// version on a new connection, and goes on if that is answered. The others go on failing until then,
    /// or for a second: then one more tries. Any answer closes the breaker.
    ///
    /// With zero it never opens: each call tries the server, and takes as long as that does.
    ///
    /// A refused login has a pause of its own, of 1 second, doubling up to 30, in which no new connection
    /// is made, unless this is zero.
    pub fn max_back_off(mut self, longest: Duration) -> Self {
        self.max_back_off = longest;
        self
    }

    /// Has `on_event` told of connections that are made and closed, of servers that fail and are back,
    /// and of what is retried or hidden: see [`Event`].
    ///
    /// It is called by whatever thread it happens in, in the middle of a call, whose time it takes; it
    /// must not use the client. A panic in it goes no further. With the feature `tracing` the crate of
    /// that name is told the same, with the target `moecache`, whether this is set or not: of `Down` and
    /// `Missed` as warnings, of `Up` as information, and of the others for debugging.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{Client, Event};
    ///
    /// let client = Client::builder()
    ///     .servers(&server)
    ///     .on_event(|event| match event {
    ///         Event::Down { server, error, .. } => eprintln!("{server} is down: {error}"),
    ///         Event::Up { server } => eprintln!("{server} is back"),
    ///         _ => {}
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_event(mut self, on_event: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.hook = Hook::new(on_event);
        self
    }
}
