use super::{Client, Shared, Values};
use crate::address::IntoServers;
use crate::compatibility::Conventions;
use crate::config::{Config, settings};
use crate::conn::{BackOff, Options, Protocol, Security};
use crate::error::{Error, Result};
use crate::event::{Event, Hook};
use crate::hash::Hash;
use crate::item::MAX_VALUE_SIZE;
use crate::key::{KeyBytes, KeyRule, KeyTransform, MAX_KEY_LENGTH, Naming, PrefixPlacement, Rules};
use crate::locator::{Distribution, HashTag, Locator, Node, Scheme};
use crate::middleware::{Chain, Middleware};
use crate::protocol::{Bounds, Limits};
use crate::route::{FailurePolicy, MakeLocator, PlacedBy, Placement, Topology};
use crate::secret::{Credentials, Secret};
use crate::tls::Tls;
use crate::value::{Compression, Format, Transcoder};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

/// Sets up a [`Client`]: a [`Config`], whose fields say what each setting means, and what is no data. What
/// is set is judged by [`build`](Self::build).
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
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ClientBuilder {
    config: Config,
    /// In place of the files of the config.
    tls: Option<Tls>,
    locator: Option<MakeLocator>,
    transcoder: Option<Arc<dyn Transcoder>>,
    middleware: Chain,
    hook: Hook,
}

impl Client {
    /// Returns a client of these servers, with the defaults of [`ClientBuilder`]. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// A validation error if the list is empty, or a server is not a valid address or is listed twice.
    pub fn new(servers: impl IntoServers) -> Result<Self> {
        Self::builder().servers(servers).build()
    }

    /// Returns a builder, to set up a client step by step.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl Config {
    /// Makes the client. Nothing is connected.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`], which name the field and what is allowed.
    pub fn client(&self) -> Result<Client> {
        self.builder().build()
    }

    /// Returns the builder with these settings, for those that are not data: a program's own locator,
    /// or its own transcoder.
    ///
    /// ```
    /// use moecache::Config;
    ///
    /// let mut config = Config::default();
    /// config.servers = vec!["10.0.0.1".into(), "10.0.0.2".into()];
    /// let client = config.builder().max_connections(8).build()?;
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn builder(&self) -> ClientBuilder {
        ClientBuilder {
            config: self.clone(),
            ..ClientBuilder::default()
        }
    }
}

/// Makes the setters of all settings that name what theirs takes.
macro_rules! setters {
    ($($(#[doc = $doc:literal])* $(#[serde($($how:tt)*)])? $name:ident $(($setter:ty))?: $type:ty,)*) => {
        /// # Settings that are data
        ///
        /// Each is a field of [`Config`].
        impl ClientBuilder {
            $(setters! { @one $(#[doc = $doc])* $name $($setter)? })*
        }
    };
    (@one $(#[$doc:meta])* $name:ident $setter:ty) => {
        $(#[$doc])*
        pub fn $name(mut self, $name: $setter) -> Self {
            self.config.$name = $name.into();
            self
        }
    };
    (@one $(#[$doc:meta])* $name:ident) => {};
}

settings!(setters);

/// # Settings that are data, given in another form
impl ClientBuilder {
    /// Sets the servers, in place of those set before: [`Config::servers`].
    pub fn servers(mut self, servers: impl IntoServers) -> Self {
        self.config.servers = servers.into_servers();
        self
    }

    /// Joins the deployment of another client, or of a proxy: [`Config::compatible_with`]. Takes a
    /// [`Library`](crate::Library), a [`Distribution`], which stands for its owner, or a [`Scheme`].
    ///
    /// Each part can be set otherwise, before or after: [`distribution`](Self::distribution),
    /// [`hash`](Self::hash), [`format`](Self::format), [`compression`](Self::compression), and how keys
    /// are named, which [`Client`](Client#keys) explains.
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
        self.config.compatible_with = Some(scheme.into());
        self
    }

    /// Sets the user name and the password for all servers but those that have their
    /// [own](crate::Server::credentials): [`Config::username`].
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
        self.config.username = Some(username.into().into());
        self.config.password = Some(password.into());
        self
    }

    /// Sets what every key begins with: [`Config::prefix`].
    ///
    /// ```
    /// use moecache::{Client, Library};
    ///
    /// let servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    /// let client = Client::builder().servers(servers).prefix("app:").build()?;
    /// let plain = Client::new(servers)?;
    /// assert_eq!(client.server_for("key")?, plain.server_for("app:key")?);
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.config.prefix = Some(prefix.as_ref().to_vec());
        self
    }

    /// Encrypts all connections, as [`Tls`] says. Default: as the files of [`Config::tls`] say, and
    /// without them not at all. The handshake is part of the [connect's time](Self::connect_timeout). A
    /// unix socket among the servers is a validation error.
    ///
    /// A server whose certificate is refused, or that refuses this client's, is a
    /// [connect error](crate::Error::is_connect); `{error:#}` says why. Without the feature `tls`,
    /// [`build`](Self::build) refuses it.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }
}

/// # Settings that are code
impl ClientBuilder {
    /// Places keys by a [`Locator`] of the program's own, which `make` makes for a list of servers. The
    /// distribution and the hash are then not used. It is asked by [`build`](Self::build) and
    /// [`set_servers`](Client::set_servers); and under [`FailurePolicy::Rehash`], in the middle of a
    /// call, for the servers that are left.
    pub fn locator(
        mut self,
        make: impl Fn(&[Node]) -> Result<Box<dyn Locator>> + Send + Sync + 'static,
    ) -> Self {
        self.locator = Some(MakeLocator(Arc::new(make)));
        self
    }

    /// Stores values in the program's own way, in place of a [`Format`].
    pub fn transcoder(mut self, transcoder: impl Transcoder + 'static) -> Self {
        self.transcoder = Some(Arc::new(transcoder));
        self
    }

    /// Adds [middleware](crate::middleware) between the client and its servers, behind what was added
    /// before. Default: none.
    ///
    /// [`metrics`](Client::metrics) and [`on_event`](Self::on_event) tell what is passed on to the
    /// servers. A call for one server runs the middleware in its own thread, one for several in a thread
    /// for each.
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.0.push(Arc::new(middleware));
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

/// # Building
impl ClientBuilder {
    /// Makes the client. Nothing is connected, and nothing resolved unless
    /// [`resolve_names`](Self::resolve_names) asks for it.
    ///
    /// # Errors
    ///
    /// A validation error that names the setting and what is allowed; with
    /// [`resolve_names`](Self::resolve_names) a connect error where a name has no IPv4 address, or
    /// none in time.
    pub fn build(self) -> Result<Client> {
        let config = &self.config;
        let timeout = config.timeout.unwrap_or(Duration::from_secs(1));
        let connect_timeout = config.connect_timeout;
        for (name, timeout) in [
            ("timeout", timeout),
            ("connect_timeout", connect_timeout.unwrap_or(timeout)),
        ] {
            if timeout.is_zero() {
                return Err(refused(name, "zero; it must be greater"));
            }
        }
        let max_value_size = config.max_value_size.unwrap_or(MAX_VALUE_SIZE);
        if max_value_size > MAX_VALUE_SIZE {
            let reason = format!("{max_value_size}; at most {MAX_VALUE_SIZE} is allowed");
            return Err(refused("max_value_size", &reason));
        }
        let max_connections = config.max_connections.unwrap_or(256);
        if max_connections == 0 {
            return Err(refused("max_connections", "0; it must be at least 1"));
        }
        let max_line_size = config.max_line_size.unwrap_or(Bounds::DEFAULT_LINE);
        let max_line_size = within("max_line_size", max_line_size, Bounds::LINE)?;
        let max_keys_per_get = config.max_keys_per_get.unwrap_or(Limits::MAX_KEYS);
        let max_keys_per_get = within("max_keys_per_get", max_keys_per_get, 1..=Limits::MAX_KEYS)?;
        let naming = naming(config)?;
        let queue_keys = config.queue_keys.unwrap_or(false);
        let failure_policy = config.failure_policy.unwrap_or_default();
        let max_back_off = config.max_back_off.unwrap_or(Duration::from_secs(1));

        let tls = self.tls.clone().or_else(|| tls(config));
        let options = Arc::new(Options {
            protocol: config.protocol.unwrap_or_default(),
            credentials: credentials(config),
            tls: tls.as_ref().map(Security::new).transpose()?,
            nodelay: config.tcp_nodelay.unwrap_or(true),
            connect_timeout,
            bounds: Bounds {
                value: config.max_read_size.unwrap_or(1 << 30),
                line: max_line_size,
                queues: queue_keys,
            },
            max_keys: if queue_keys { 1 } else { max_keys_per_get },
            max_connections,
            max_idle: config.max_idle_connections.unwrap_or(usize::MAX),
            idle_timeout: config.idle_timeout.unwrap_or(Duration::from_secs(60)),
            back_off: BackOff {
                longest: max_back_off,
                steady: match failure_policy {
                    FailurePolicy::Rehash => max_back_off,
                    _ => Duration::ZERO,
                },
                shortest_wait: (timeout / 2).min(SHORTEST_WAIT),
            },
            hook: self.hook.clone(),
        });
        let placement = Arc::new(Placement {
            by: match &self.locator {
                Some(make) => PlacedBy::Program(make.clone()),
                None => PlacedBy::Scheme(scheme(config)?),
            },
            hash_tag: config.hash_tag,
            resolve_within: config
                .resolve_names
                .then_some(connect_timeout.unwrap_or(timeout)),
        });
        let values = self.values()?;
        // Last, because it may look up names.
        let topology = Topology::new(
            &config.servers,
            &placement,
            failure_policy,
            &options,
            &self.middleware,
            None,
        )?;
        let shared = Shared {
            topology: RwLock::new(Arc::new(topology)),
            placement,
            options,
            middleware: self.middleware,
            changing: Mutex::default(),
            begun: Mutex::default(),
            max_value_size,
        };
        Ok(Client {
            shared: Arc::new(shared),
            values: Arc::new(values),
            naming,
            timeout,
            policy: failure_policy,
            is_step: false,
        })
    }

    fn values(&self) -> Result<Values> {
        let config = &self.config;
        let max_decompressed_size = config.max_decompressed_size.unwrap_or(64 << 20);
        if let Some(transcoder) = &self.transcoder {
            if config.format.is_some() || config.compression.is_some() {
                return Err(refused(
                    "transcoder",
                    "format and compression do not go with a transcoder of your own",
                ));
            }
            return Ok(Values {
                transcoder: Arc::clone(transcoder),
                refuses_append: None,
                format: None,
                max_decompressed_size,
            });
        }
        let format = config.format.unwrap_or(conventions(config).format);
        let compression = config.compression.unwrap_or(format.default_compression());
        Values::new(format, compression, max_decompressed_size)
    }
}

/// A server that is silent for so long may be down.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// One without the other is refused where they are used, as an empty one is.
fn credentials(config: &Config) -> Option<Credentials> {
    if config.username.is_none() && config.password.is_none() {
        return None;
    }
    let text = |part: &Option<Secret>| part.as_ref().map_or("", Secret::reveal).to_owned();
    Some(Credentials::new(
        text(&config.username),
        text(&config.password),
    ))
}

fn tls(config: &Config) -> Option<Tls> {
    let files = [
        &config.tls_roots,
        &config.tls_pinned,
        &config.tls_certificate,
        &config.tls_key,
    ];
    let tls = Tls::of_files(files, config.tls_server_name.clone());
    (config.tls || tls != Tls::new()).then_some(tls)
}

fn scheme(config: &Config) -> Result<Scheme> {
    let mut scheme = config.compatible_with.unwrap_or_default();
    if let Some(distribution) = config.distribution {
        scheme = scheme.with_distribution(distribution);
    }
    match config.hash {
        Some(hash) => scheme.with_hash(hash),
        None => Ok(scheme),
    }
}

fn conventions(config: &Config) -> Conventions {
    Conventions::of(config.compatible_with.unwrap_or_default().peer())
}

fn naming(config: &Config) -> Result<Naming> {
    let library = conventions(config);
    let protocol = config.protocol.unwrap_or_default();
    let longest = config.max_key_length.unwrap_or(MAX_KEY_LENGTH);
    let longest = within("max_key_length", longest, 1..=MAX_KEY_LENGTH)?;
    let of_library = match protocol {
        Protocol::Meta => library.meta,
        Protocol::Binary => library.binary,
        Protocol::Text | Protocol::Auto => library.text,
    };
    let rule = match (config.key_bytes.unwrap_or(of_library), protocol) {
        (KeyBytes::Printable, _) => KeyRule::Printable,
        (KeyBytes::NonAscii, _) => KeyRule::NonAscii,
        (KeyBytes::Any, Protocol::Meta) => KeyRule::Base64,
        (KeyBytes::Any, Protocol::Binary) => KeyRule::Counted,
        (KeyBytes::Any, Protocol::Text | Protocol::Auto) => {
            let reason =
                format!("any is not possible with the protocol {protocol}; choose meta or binary");
            return Err(refused("key_bytes", &reason));
        }
    };
    let transform = config.key_transform.unwrap_or_default();
    let checked = transform.check();
    checked.map_err(|error| refused("key_transform", &error.to_string()))?;
    if transform != KeyTransform::None && config.prefix_placement == Some(PrefixPlacement::LeftOut)
    {
        let reason = format!(
            "left-out is not possible with the key transform {transform}, which the prefix goes \
             through too"
        );
        return Err(refused("prefix_placement", &reason));
    }
    let naming = Naming::new(Rules {
        rule,
        longest,
        transform,
        long: library.long,
        empty: library.empty,
        prefix: config.prefix_placement.unwrap_or(library.prefix),
    });
    naming.with_prefix(config.prefix.as_deref().unwrap_or_default())
}

/// Gives the number back if it is in the range.
fn within(name: &str, number: usize, range: RangeInclusive<usize>) -> Result<usize> {
    if range.contains(&number) {
        return Ok(number);
    }
    let reason = format!("{number}; {} to {} are allowed", range.start(), range.end());
    Err(refused(name, &reason))
}

fn refused(name: &str, reason: &str) -> Error {
    Error::validation(format!("{name}: {reason}"))
}
