mod keys;

use super::{Client, Shared};
use crate::conn::{BackOff, Options, Protocol, Security};
use crate::error::{Error, Result};
use crate::event::{Event, Hook};
use crate::hash::Hash;
use crate::item::MAX_VALUE_SIZE;
use crate::locator::{Distribution, HashTag, Locator, Node, Scheme};
use crate::preset;
use crate::protocol::{Bounds, Limits};
use crate::route::{FailurePolicy, MakeLocator, PlacedBy, Placement, Topology};
use crate::secret::{Credentials, Secret};
use crate::server::{IntoServers, Server};
use crate::tls::Tls;
use crate::value::{Compression, Format, Transcoder};
use keys::KeySettings;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

/// A timeout after so much waiting says that a server is down.
const PATIENCE: Duration = Duration::from_millis(50);

/// Sets up a [`Client`]. What is set is judged by [`build`](Self::build).
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
    /// values as it does. Takes a [`Peer`](crate::Peer), a [`Distribution`], which stands for its
    /// owner, or a [`Scheme`]. Default: [`Peer::Moecache`](crate::Peer::Moecache).
    ///
    /// Each part can be set otherwise, before or after: [`distribution`](Self::distribution),
    /// [`hash`](Self::hash), [`format`](Self::format), [`compression`](Self::compression).
    ///
    /// ```
    /// use moecache::{Client, Hash, Distribution, Peer, Scheme};
    ///
    /// let one = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2"])
    ///     .compatible_with(Peer::Pylibmc)
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
    /// distribution and the hash are then not used.
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
    /// use moecache::{Client, Peer};
    ///
    /// let client = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    ///     .compatible_with(Peer::Twemproxy)
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

    /// The most bytes that a value may have once it is decompressed: a small item must not fill the
    /// memory. A larger one is a decode error. Default: 64 MiB.
    pub fn max_decompressed_size(mut self, bytes: usize) -> Self {
        self.max_decompressed_size = bytes;
        self
    }

    /// How long a call may take as a whole: resolution, connect, request and reply. Must be
    /// greater than zero;
    /// default: 1 second. [`Duration::MAX`] waits without end. The kernel's timers may add some
    /// milliseconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long resolution and connect may take, for all addresses that the name resolves to, together.
    /// Must be greater than zero; default: the timeout of the call, which they are part of. Where it is longer than
    /// that, a call that must connect may take both.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The largest value that this client stores, in bytes as they go over the wire. A larger one is
    /// a validation error, and nothing is sent. At most, and by default, [`MAX_VALUE_SIZE`], 1 GiB:
    /// then the server decides (its `-I`, usually 1 MiB), and has read the value for nothing, and
    /// **drops the old value** of the key.
    pub fn max_value_size(mut self, bytes: usize) -> Self {
        self.max_value_size = bytes;
        self
    }

    /// The largest value that is read, in bytes. A server that announces a larger one is taken for
    /// broken. Default: 1 GiB, the largest that memcached can be set to hold. Memory is only taken
    /// as the bytes arrive.
    pub fn max_read_size(mut self, bytes: usize) -> Self {
        self.max_read_size = bytes;
        self
    }

    /// The longest line of a reply, in bytes: one of `stats`, an error, what comes before a value; in
    /// the binary protocol, what follows a header and is no value. A server that sends a longer one
    /// is taken for broken. 1,024 to 8,192; default: 2,048. memcached's own are under 1,024, its
    /// settings and the keys that it lists included; a proxy or a module of it may say more.
    pub fn max_line_size(mut self, bytes: usize) -> Self {
        self.max_line_size = bytes;
        self
    }

    /// The most keys that one `get` line asks for, and thereby the most values that one reply may
    /// hold: a server that sends more, or one twice, is taken for broken. 1 to 100; default: 100. A
    /// call may have any number of keys: it sends as many lines as they need, several at once, so
    /// that fewer keys a line cost a little speed, and spare a proxy that takes no long lines.
    ///
    /// It is for [`get_many`](Client::get_many) and its siblings in the text and meta protocols. The
    /// binary one has a request and a reply for each key.
    ///
    /// ```
    /// use moecache::Client;
    ///
    /// let client = Client::builder()
    ///     .servers("10.0.0.1:22121")
    ///     .max_keys_per_get(20)
    ///     .max_read_size(8 << 20)
    ///     .max_line_size(1 << 10)
    ///     .build()?;
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn max_keys_per_get(mut self, count: usize) -> Self {
        self.max_keys_per_get = count;
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
    /// call fails with an [authentication error](Error::is_authentication). A server that asks for
    /// none is told them all the same; it keeps nothing of them. They go over the network as they
    /// are, for everybody on the way to read, unless the connection is encrypted.
    ///
    /// Each must have 1 to 255 bytes and no zero byte; in text, meta and auto also no control
    /// characters, and the user name no colon and no space. Others are a validation error.
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

    /// Encrypts all connections. The handshake is part of the
    /// [connect's time](Self::connect_timeout). Unix sockets do not go with it. Default: none of them.
    ///
    /// A server whose certificate is refused, or that refuses this client's, is a
    /// [connect error](Error::is_connect); `{error:#}` says why. Without the feature `tls`,
    /// [`build`](Self::build) refuses it.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The most connections to one server at a time, those that idle included. A call that needs
    /// another waits until one comes back; if none does by its deadline, it is a
    /// [timeout](Error::is_timeout), and nothing was sent. At least 1; default: 256. (memcached itself
    /// takes 1,024 from all its clients, unless its `-c` says more.)
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count;
        self
    }

    /// The most connections to one server that idle, ready for the next call; others are closed
    /// after use. Default: as many as there may be at all.
    pub fn max_idle_connections(mut self, count: usize) -> Self {
        self.max_idle_connections = Some(count);
        self
    }

    /// How long a connection may idle. One that did for longer is not used again; it is closed when a
    /// call takes it up or another connection comes back: the client has no thread of its own that
    /// would look. Default: 60 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// What becomes of calls for a server that fails. Default: [`FailurePolicy::Error`].
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self
    }

    /// How long a server that failed is left alone at most. The first pause is 10 ms, and each further
    /// one twice as long, up to this; by chance each is up to half shorter. A pause begins when a call
    /// timed out that had 50 ms or more for the server (or half of this client's timeout, if that is
    /// less), or when connections failed three times in a row. In a pause calls fail at once, with an
    /// error that [`is_down`](crate::Error::is_down); after it one call tries the server, and the
    /// others go on failing until it is known to answer, or for a second: then one more tries.
    ///
    /// Zero for no pauses: each call tries the server, and takes as long as that does. Default: 1
    /// second.
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

    /// The client. Nothing is connected, and nothing resolved unless
    /// [`resolve_names`](Self::resolve_names) asks for it.
    ///
    /// # Errors
    ///
    /// A validation error that names the setting and what is allowed; with
    /// [`resolve_names`](Self::resolve_names) a connect error where a name has no IPv4 address, or
    /// none in time.
    pub fn build(self) -> Result<Client> {
        let timeouts = [
            ("timeout", Some(self.timeout)),
            ("connect_timeout", self.connect_timeout),
        ];
        for (name, timeout) in timeouts {
            if timeout == Some(Duration::ZERO) {
                return Err(Error::validation(format!(
                    "{name}: zero; it must be greater"
                )));
            }
        }
        if self.max_value_size > MAX_VALUE_SIZE {
            let size = self.max_value_size;
            return Err(Error::validation(format!(
                "max_value_size: {size}; at most {MAX_VALUE_SIZE} is allowed"
            )));
        }
        if self.max_connections == 0 {
            return Err(Error::validation(
                "max_connections: 0; it must be at least 1",
            ));
        }
        within("max_line_size", self.max_line_size, Bounds::LINE)?;
        within(
            "max_keys_per_get",
            self.max_keys_per_get,
            1..=Limits::MAX_KEYS,
        )?;
        let naming = self.naming()?;
        let options = Options {
            protocol: self.protocol,
            credentials: self.credentials.clone(),
            tls: self.tls.as_ref().map(Security::new).transpose()?,
            connect_timeout: self.connect_timeout,
            bounds: Bounds {
                value: self.max_read_size,
                line: self.max_line_size,
            },
            max_keys: self.max_keys_per_get,
            max_connections: self.max_connections,
            max_idle: self.max_idle_connections.unwrap_or(usize::MAX),
            idle_timeout: self.idle_timeout,
            back_off: self.back_off(),
            hook: self.hook.clone(),
        };
        let placement = self.placement()?;
        let (transcoder, refuses_append) = self.make_transcoder()?;
        let options = Arc::new(options);
        let placement = Arc::new(placement);
        let policy = self.failure_policy;
        let topology = Topology::new(&self.servers, &placement, policy, &options, None)?;
        let shared = Shared {
            topology: RwLock::new(Arc::new(topology)),
            placement,
            policy: self.failure_policy,
            options,
            changing: Mutex::default(),
            transcoder,
            refuses_append,
            max_value_size: self.max_value_size,
        };
        Ok(Client {
            shared: Arc::new(shared),
            naming,
            timeout: self.timeout,
            policy: self.failure_policy,
        })
    }

    fn back_off(&self) -> BackOff {
        BackOff {
            longest: self.max_back_off,
            steady: if self.failure_policy == FailurePolicy::Rehash {
                self.max_back_off
            } else {
                Duration::ZERO
            },
            patience: (self.timeout / 2).min(PATIENCE),
        }
    }

    fn placement(&self) -> Result<Placement> {
        let mut scheme = self.scheme;
        if let Some(distribution) = self.distribution {
            scheme = scheme.with_distribution(distribution);
        }
        if let Some(hash) = self.hash {
            scheme = scheme.with_hash(hash)?;
        }
        let timeout = self.connect_timeout.unwrap_or(self.timeout);
        Ok(Placement {
            by: match &self.locator {
                Some(make) => PlacedBy::Program(make.clone()),
                None => PlacedBy::Scheme(scheme),
            },
            hash_tag: self.hash_tag,
            resolve_within: self.resolve_names.then_some(timeout),
        })
    }

    /// The transcoder, and why nothing can be appended to what it stores, if so.
    fn make_transcoder(&self) -> Result<(Arc<dyn Transcoder>, Option<&'static str>)> {
        if let Some(transcoder) = &self.transcoder {
            if self.format.is_some() || self.compression.is_some() {
                return Err(Error::validation(
                    "transcoder: format and compression do not go with a transcoder of your own",
                ));
            }
            return Ok((Arc::clone(transcoder), None));
        }
        let format = self.format.unwrap_or(preset::format(self.scheme.peer()));
        let compression = self.compression.unwrap_or(format.default_compression());
        let transcoder = format.transcoder(compression, self.max_decompressed_size)?;
        Ok((Arc::from(transcoder), format.refuses_append(compression)))
    }
}

/// Refuses what is not in the range.
fn within(name: &str, number: usize, range: RangeInclusive<usize>) -> Result<()> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(Error::validation(format!(
        "{name}: {number}; {} to {} are allowed",
        range.start(),
        range.end()
    )))
}
