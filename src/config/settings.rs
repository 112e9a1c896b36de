use super::value::{Value, bytes, secret, servers, size, text, time};
use crate::address::Server;
use crate::conn::Protocol;
use crate::error::Error;
use crate::hash::Hash;
use crate::key::{KeyBytes, KeyTransform, PrefixPlacement};
use crate::locator::{Distribution, HashTag, Scheme};
use crate::route::FailurePolicy;
use crate::secret::Secret;
use crate::value::{Compression, Format};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::path::PathBuf;
use std::time::Duration;

/// Makes [`Config`], and `Fields`, a copy of it that serde derives: it does not write what has its default.
/// `Config` itself is read by way of [`Value`], whose errors name the setting.
macro_rules! config {
    ($($(#[doc = $doc:literal])* $(#[serde($($how:tt)*)])? $name:ident $(($setter:ty))?: $type:ty,)*) => {
        /// The settings of a [`Client`](crate::Client) as plain data, to be read from a file, a URL, or the
        /// configuration that a libmemcached or pylibmc deployment already has.
        ///
        /// What is left out has the default that its field tells. [`ClientBuilder`](crate::ClientBuilder)
        /// has a method of the same name for each. What they mean together is judged by
        /// [`build`](crate::ClientBuilder::build), that is, by [`client`](Self::client).
        ///
        /// # From a file
        ///
        /// With serde, from any format that describes itself: TOML, JSON, YAML and the like. Unknown names
        /// are errors.
        ///
        /// ```
        /// use moecache::{Config, Library};
        /// use std::time::Duration;
        ///
        /// let config: Config = toml::from_str(
        ///     r#"
        ///     servers = ["10.0.0.1:11211", "10.0.0.2:11211:5", "/run/memcached.sock"]
        ///     compatible_with = "pylibmc:consistent/fnv1a_32"
        ///     timeout = "500ms"
        ///     max_read_size = "64MiB"
        ///     "#,
        /// )?;
        /// assert_eq!(config.timeout, Some(Duration::from_millis(500)));
        /// assert_eq!(config.compatible_with.map(|scheme| scheme.peer()), Some(Library::Pylibmc));
        ///
        /// let same: Config = serde_json::from_str(
        ///     r#"{
        ///         "servers": ["10.0.0.1", {"host": "10.0.0.2", "weight": 5}, {"path": "/run/memcached.sock"}],
        ///         "compatible_with": "pylibmc", "distribution": "libmemcached:consistent", "hash": "fnv1a_32",
        ///         "timeout": 0.5,
        ///         "max_read_size": 67108864
        ///     }"#,
        /// )?;
        /// assert_eq!(same.servers, config.servers);
        ///
        /// let same: Config = serde_saphyr::from_str(
        ///     "
        /// servers:
        ///   - 10.0.0.1
        ///   - {host: 10.0.0.2, weight: 5}
        ///   - /run/memcached.sock
        /// compatible_with: pylibmc:consistent/fnv1a_32
        /// timeout: 500ms
        /// max_read_size: 64MiB
        /// ",
        /// )?;
        /// assert_eq!(same, config);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        /// * Servers are texts as [`Server`] has them, or tables of `host` and `port`, or of `path`, and
        ///   where wanted of `weight`, `ring_name`, and `username` and `password`; `servers` may also be one
        ///   text with commas in between.
        /// * Durations are seconds, whole or not, or texts with a unit: `"250us"`, `"500ms"`, `"2s"`,
        ///   `"1m"`, `"1h"`; `"forever"` is [`Duration::MAX`].
        /// * Sizes are bytes, or texts with a unit: `"64KiB"`, `"64MiB"`, `"1GiB"`.
        /// * All else that is not a number or a switch is a text as the type of the field parses it.
        ///
        /// # From a URL
        ///
        /// `memcache://` or `memcached://`, or `memcaches://` or `memcache+tls://` for [`tls`](Self::tls), the
        /// servers with commas in between, and after a `?` the other fields by their names, percent-encoded
        /// where needed:
        ///
        /// ```
        /// use moecache::Config;
        ///
        /// let url = "memcache://10.0.0.1,10.0.0.2:11211:5,/run/memcached.sock\
        ///            ?compatible_with=pylibmc:consistent/fnv1a_32&timeout=500ms&max_read_size=64MiB";
        /// let client = url.parse::<Config>()?.client()?;
        /// assert_eq!(client.scheme().unwrap().to_string(), "pylibmc:consistent/fnv1a_32");
        /// # Ok::<(), moecache::Error>(())
        /// ```
        ///
        /// A user name and a password for all servers stand before the first, as in
        /// `memcache://ann:s3cret@10.0.0.1,10.0.0.2`; percent-encoded where they hold anything but letters
        /// and digits. No error shows them.
        ///
        /// # From libmemcached and pylibmc
        ///
        /// [`from_libmemcached`](Self::from_libmemcached) reads a configuration string, and
        /// [`from_pylibmc`](Self::from_pylibmc) pylibmc's behaviors; what each setting does here,
        /// [`guide::behaviours`](crate::guide::behaviours) lists.
        #[derive(Debug, Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub struct Config {
            $($(#[doc = $doc])* pub $name: $type,)*
        }

        #[derive(Default, serde::Serialize, serde::Deserialize)]
        #[serde(remote = "Config", default, deny_unknown_fields)]
        struct Fields {
            $(#[serde(skip_serializing_if = "is_default" $(, $($how)*)?)] $name: $type,)*
        }
    };
}

/// Hands all settings to another macro, each with its docs, the way that serde takes where its own does not
/// do, its name, what its setter takes if [`ClientBuilder`](crate::ClientBuilder) has one for just that, and
/// the type of its field.
macro_rules! settings {
    ($callback:ident) => {
        $callback! {
            /// Sets the servers, in place of those set before. Their order matters to the ring: give the list
            /// as the other clients of the deployment have it. At least one is needed.
            #[serde(with = "servers")]
            servers: Vec<Server>,

            /// Joins the deployment of another client, or of a proxy: keys are placed and named, and values
            /// stored, as it does. A [`Library`](crate::Library), one of its distributions, and a hash.
            /// Default: [`Library::Moecache`](crate::Library::Moecache).
            #[serde(with = "text")]
            compatible_with: Option<Scheme>,

            /// Sets how keys are spread over the servers, in place of what
            /// [`compatible_with`](Self::compatible_with) says; with the hash that the distribution has by
            /// default, unless [`hash`](Self::hash) chooses another.
            #[serde(with = "text")]
            distribution(Distribution): Option<Distribution>,

            /// Sets the hash of the distribution, where it leaves a choice.
            #[serde(with = "text")]
            hash(Hash): Option<Hash>,

            /// Places keys by the part of them that stands between two characters, as twemproxy does that has
            /// this `hash_tag`. Default: none, keys are placed by all of them.
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
            #[serde(with = "text")]
            hash_tag(HashTag): Option<HashTag>,

            /// Looks up host names in [`build`](crate::ClientBuilder::build) where the distribution hashes
            /// addresses: the first IPv4 address of each is taken, as .NET does. Each may take as long as a
            /// connect. Default: `false`, they are refused. Other distributions hash names as they were
            /// typed, and then nothing is looked up before the first connect.
            ///
            /// What was found holds for this client. A deployment whose names change their addresses moves
            /// its keys with them, on .NET as here.
            resolve_names(bool): bool,

            /// Sets the format of stored values, in place of what [`compatible_with`](Self::compatible_with)
            /// says.
            #[serde(with = "text")]
            format(Format): Option<Format>,

            /// Sets the compression of values before they are stored. Default: the format's.
            #[serde(with = "text")]
            compression(Compression): Option<Compression>,

            /// Sets the most bytes that a value may have once it is decompressed: a small item must not fill
            /// the memory. A larger one is a decode error. Default: 64 MiB.
            #[serde(deserialize_with = "size")]
            max_decompressed_size(usize): Option<usize>,

            /// Sets the time that a call may take as a whole: resolution, connect, request and reply. Must be
            /// greater than zero. Default: 1 second. [`Duration::MAX`] waits without end. The kernel's timers
            /// may add some milliseconds.
            #[serde(with = "time")]
            timeout(Duration): Option<Duration>,

            /// Sets the time that resolution and connect may take, for all addresses that the name resolves
            /// to, together. Must be greater than zero. Default: the timeout of the call, which they are part
            /// of. Where it is longer than that, a call that must connect may take both.
            #[serde(with = "time")]
            connect_timeout(Duration): Option<Duration>,

            /// Sets the largest value that this client stores, in bytes as they go over the wire. A larger
            /// one is a validation error, and nothing is sent. At most, and by default,
            /// [`MAX_VALUE_SIZE`](crate::MAX_VALUE_SIZE), 1 GiB: then the server decides (its `-I`, usually 1
            /// MiB), and has read the value for nothing, and **drops the old value** of the key.
            #[serde(deserialize_with = "size")]
            max_value_size(usize): Option<usize>,

            /// Sets the largest value that is read, in bytes. A server that announces a larger one is taken
            /// for broken. Default: 1 GiB, the largest that memcached can be set to hold. Memory is only
            /// taken as the bytes arrive.
            #[serde(deserialize_with = "size")]
            max_read_size(usize): Option<usize>,

            /// Sets the longest line of a reply, in bytes: one of `stats`, an error, what comes before a
            /// value; in the binary protocol, what follows a header and is no value. A server that sends a
            /// longer one is taken for broken. 1,024 to 8,192; default: 2,048. memcached's own are under
            /// 1,024, its settings and the keys that it lists included; a proxy or a module of it may say
            /// more.
            #[serde(deserialize_with = "size")]
            max_line_size(usize): Option<usize>,

            /// Sets the most keys that one `get` line asks for, and thereby the most values that one reply
            /// may hold: a server that sends more, or one twice, is taken for broken. 1 to 100; default: 100.
            /// A call may have any number of keys: it sends as many lines as they need, several at once, so
            /// that fewer keys a line cost a little speed, and spare a proxy that takes no long lines.
            ///
            /// It is for [`get_many`](crate::Client::get_many) and its siblings in the text and meta
            /// protocols. The binary one has a request and a reply for each key.
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
            max_keys_per_get(usize): Option<usize>,

            /// Sets which of memcached's protocols is spoken. Default: [`Protocol::Text`].
            #[serde(with = "text")]
            protocol(Protocol): Option<Protocol>,

            /// Sets the user name for all servers but those that have their [own](Server::credentials); a
            /// [`password`](Self::password) goes with it, and both are read, and neither written nor shown.
            /// Default: none.
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
            /// [`build`](crate::ClientBuilder::build).
            #[serde(deserialize_with = "secret", skip_serializing)]
            username: Option<Secret>,

            /// Sets the password of [`username`](Self::username).
            #[serde(deserialize_with = "secret", skip_serializing)]
            password: Option<Secret>,

            /// Encrypts all connections, as [`Tls`](crate::Tls) says; each of the next five switches it on,
            /// too. It needs the feature `tls`. Default: `false`.
            tls: bool,

            /// Names the file of the root certificates to trust:
            /// [`Tls::root_certificates_file`](crate::Tls::root_certificates_file).
            tls_roots: Option<PathBuf>,

            /// Names the file of the servers' own certificates to trust:
            /// [`Tls::pinned_certificates_file`](crate::Tls::pinned_certificates_file).
            tls_pinned: Option<PathBuf>,

            /// Names the file of this client's certificate:
            /// [`Tls::client_certificate_files`](crate::Tls::client_certificate_files).
            tls_certificate: Option<PathBuf>,

            /// Names the file of its private key.
            tls_key: Option<PathBuf>,

            /// Sets the name that the certificates of all servers must have:
            /// [`Tls::server_name`](crate::Tls::server_name).
            tls_server_name: Option<String>,

            /// Sets what every key begins with: libmemcached's namespace (`PREFIX_KEY`), pymemcache's
            /// `key_prefix`; dalli's namespace `app` is the prefix `app:`. Up to 249 bytes of those that a
            /// key may have; in a file they are text. Default: nothing.
            /// [`Client::with_prefix`](crate::Client::with_prefix) adds to it.
            #[serde(with = "bytes")]
            prefix: Option<Vec<u8>>,

            /// Sets whether the prefix counts where the server of a key is chosen, in place of what
            /// [`compatible_with`](Self::compatible_with) says.
            ///
            /// With a [`key_transform`](Self::key_transform) it always does: the two are transformed
            /// together.
            #[serde(with = "text")]
            prefix_placement(PrefixPlacement): Option<PrefixPlacement>,

            /// Sets what is made of each key, its prefix included, before it is sent. Default:
            /// [`KeyTransform::None`].
            #[serde(with = "text")]
            key_transform(KeyTransform): Option<KeyTransform>,

            /// Sets which bytes a key may have, in place of what [`compatible_with`](Self::compatible_with)
            /// says. [`KeyBytes::Any`] is for [`Protocol::Meta`] and [`Protocol::Binary`].
            #[serde(with = "text")]
            key_bytes(KeyBytes): Option<KeyBytes>,

            /// Sets the longest key that is sent, in bytes, its prefix included and whatever was [made of
            /// it](Self::key_transform): a longer one is a validation error, and nothing is sent. 1 to 250,
            /// which is what memcached takes and the default; less for another server that takes less.
            max_key_length(usize): Option<usize>,

            /// Takes values from queue servers that answer to the name of a queue where they were asked to do
            /// something with it. kestrel and darner read `get jobs/t=500` as: wait up to 500 ms for an item
            /// of `jobs`; and answer with `VALUE jobs 0 5`. Without this, that is the value of another key,
            /// and a [protocol error](crate::Error::is_protocol). Default: `false`.
            ///
            /// It goes for the text protocol, which is all that they speak; and each key is then asked for by
            /// a `get` line of its own. What they have no command for they answer with `ERROR`, or by closing
            /// the connection; either is an error of the call alone.
            ///
            /// Such a server gives an item that was `open`ed to one connection, which must `close` or `abort`
            /// it too: use a client with [`max_connections`](Self::max_connections) of 1 in one thread for
            /// that. Its `get` removes what it gives: an item can be lost with its connection. And a wait in
            /// a key is part of the [`timeout`](Self::timeout), which must be longer.
            ///
            /// ```
            /// use moecache::{Client, Item};
            /// use std::time::Duration;
            ///
            /// let queues = Client::builder()
            ///     .servers("10.0.0.1:22133")
            ///     .queue_keys(true)
            ///     .max_connections(1)
            ///     .timeout(Duration::from_secs(5))
            ///     .build()?;
            /// # let work = || -> moecache::Result<()> {
            /// while let Some(job) = queues.get::<Item>("jobs/t=1000/open")? {
            ///     println!("{} bytes", job.data.len());
            ///     queues.get::<Item>("jobs/close")?;
            /// }
            /// # Ok(()) };
            /// # Ok::<(), moecache::Error>(())
            /// ```
            queue_keys(bool): Option<bool>,

            /// Sets whether what is written is sent at once, `TCP_NODELAY`. Default: `true`. Without it
            /// Nagle's algorithm (RFC 896) has the kernel hold back a short packet until the one before it is
            /// acknowledged, which the server may delay by 40 ms and more: a call is one write as a rule, and
            /// then nothing is held back; but large values and many commands are written in parts. It says
            /// nothing of unix sockets.
            tcp_nodelay(bool): Option<bool>,

            /// Sets the most connections to one server at a time, those that idle included. A call that needs
            /// another waits until one comes back; if none does by its deadline, it is a
            /// [timeout](crate::Error::is_timeout), and nothing was sent. At least 1; default: 256.
            /// (memcached itself takes 1,024 from all its clients, unless its `-c` says more.)
            max_connections(usize): Option<usize>,

            /// Sets the most connections to one server that idle, ready for the next call; others are closed
            /// after use. Default: as many as there may be at all.
            max_idle_connections(usize): Option<usize>,

            /// Sets the time that a connection may idle. One that did for longer is not used again; it is
            /// closed when a call takes it up or another connection comes back: the client has no thread of
            /// its own that would look. Default: 60 seconds.
            #[serde(with = "time")]
            idle_timeout(Duration): Option<Duration>,

            /// Sets what becomes of calls for a server that fails. Default: [`FailurePolicy::Error`].
            #[serde(with = "text")]
            failure_policy(FailurePolicy): Option<FailurePolicy>,

            /// Sets the longest back-off of the circuit breaker that each server has. Default: 1 second; zero
            /// for none.
            ///
            /// The breaker opens at the third connect in a row that failed, or at the second call in a row
            /// that timed out while not one byte came from the server, on any connection. Only calls count
            /// that waited for the server for 50 ms or more (or half of this client's timeout, if that is
            /// less). An error that the server answers, a slow reply, a connection that it closes on a
            /// command, or a limit of this machine's do not count: the guide
            /// [failures](crate::guide::failures) has the whole list.
            ///
            /// While it is open, calls fail at once, with an error that [`is_down`](crate::Error::is_down).
            /// The first back-off is 10 ms, and each further one twice as long, up to this; by chance each is
            /// up to half shorter. After it the breaker is half-open: one call, the probe, asks the server
            /// for its version on a new connection, and goes on if that is answered. The others go on failing
            /// until then, or for a second: then one more tries. Any answer closes the breaker.
            ///
            /// With zero it never opens: each call tries the server, and takes as long as that does.
            ///
            /// A refused login has a pause of its own, of 1 second, doubling up to 30, in which no new
            /// connection is made, unless this is zero.
            #[serde(with = "time")]
            max_back_off(Duration): Option<Duration>,
        }
    };
}
pub(crate) use settings;

settings!(config);

fn is_default<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

impl Config {
    pub(super) fn from_value(table: Value) -> Result<Self, Error> {
        if !matches!(table, Value::Table(_)) {
            let reason = format!("config: {table} is not possible; it must be a table of settings");
            return Err(Error::validation(reason));
        }
        Fields::deserialize(table).map_err(|refused| Error::validation(refused.to_string()))
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Value::deserialize(deserializer)?;
        Self::from_value(table).map_err(de::Error::custom)
    }
}

/// What differs from the default, so that it reads back as the same; but for user names and passwords.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields::serialize(self, serializer)
    }
}
