//! A client's settings as plain data, and where they come from: serde's formats, a URL, a
//! libmemcached configuration string, pylibmc's behaviours. May use everything below the client.

mod behaviour;
mod field;
mod libmemcached;
mod note;
mod option_string;
mod pylibmc;
mod serial;
mod url;
mod value;

pub use note::Note;
pub use pylibmc::Behaviors;

use crate::address::Server;
use crate::client::{Client, ClientBuilder};
use crate::conn::Protocol;
use crate::error::Result;
use crate::hash::Hash;
use crate::key::{KeyBytes, KeyTransform, PrefixPlacement};
use crate::locator::{Distribution, HashTag, Scheme};
use crate::route::FailurePolicy;
use crate::secret::Secret;
use crate::tls::Tls;
use crate::value::{Compression, Format};
use std::path::PathBuf;
use std::time::Duration;

/// The settings of a [`Client`] as plain data, to be read from a file, a URL, or the configuration
/// that a libmemcached or pylibmc deployment already has.
///
/// The fields are the settings of [`ClientBuilder`] that are data, by the same names; what is left
/// out has the builder's default. What they mean together is judged by
/// [`ClientBuilder::build`], that is, by [`client`](Self::client).
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
/// [`from_pylibmc`](Self::from_pylibmc) pylibmc's behaviours; what each setting does here,
/// [`guide::behaviours`](crate::guide::behaviours) lists.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Config {
    /// [`ClientBuilder::servers`].
    pub servers: Vec<Server>,
    /// [`ClientBuilder::compatible_with`].
    pub compatible_with: Option<Scheme>,
    /// [`ClientBuilder::distribution`].
    pub distribution: Option<Distribution>,
    /// [`ClientBuilder::hash`].
    pub hash: Option<Hash>,
    /// [`ClientBuilder::hash_tag`].
    pub hash_tag: Option<HashTag>,
    /// [`ClientBuilder::resolve_names`].
    pub resolve_names: bool,
    /// [`ClientBuilder::format`].
    pub format: Option<Format>,
    /// [`ClientBuilder::compression`].
    pub compression: Option<Compression>,
    /// [`ClientBuilder::max_decompressed_size`], in bytes.
    pub max_decompressed_size: Option<usize>,
    /// [`ClientBuilder::timeout`].
    pub timeout: Option<Duration>,
    /// [`ClientBuilder::connect_timeout`].
    pub connect_timeout: Option<Duration>,
    /// [`ClientBuilder::max_value_size`], in bytes.
    pub max_value_size: Option<usize>,
    /// [`ClientBuilder::max_read_size`], in bytes.
    pub max_read_size: Option<usize>,
    /// [`ClientBuilder::max_line_size`], in bytes.
    pub max_line_size: Option<usize>,
    /// [`ClientBuilder::max_keys_per_get`].
    pub max_keys_per_get: Option<usize>,
    /// [`ClientBuilder::protocol`].
    pub protocol: Option<Protocol>,
    /// The user name of [`ClientBuilder::credentials`]; a password goes with it. Both are read, and
    /// neither written nor shown.
    pub username: Option<Secret>,
    /// The password of [`ClientBuilder::credentials`].
    pub password: Option<Secret>,
    /// [`ClientBuilder::tls`]; each of the next five switches it on, too. It needs the feature `tls`.
    pub tls: bool,
    /// [`Tls::root_certificates_file`].
    pub tls_roots: Option<PathBuf>,
    /// [`Tls::pinned_certificates_file`].
    pub tls_pinned: Option<PathBuf>,
    /// The first file of [`Tls::client_certificate_files`].
    pub tls_certificate: Option<PathBuf>,
    /// The second.
    pub tls_key: Option<PathBuf>,
    /// [`Tls::server_name`].
    pub tls_server_name: Option<String>,
    /// [`ClientBuilder::prefix`].
    pub prefix: Option<String>,
    /// [`ClientBuilder::prefix_placement`].
    pub prefix_placement: Option<PrefixPlacement>,
    /// [`ClientBuilder::key_transform`].
    pub key_transform: Option<KeyTransform>,
    /// [`ClientBuilder::binary_keys`]; where [`key_bytes`](Self::key_bytes) is given, that counts.
    pub binary_keys: bool,
    /// [`ClientBuilder::key_bytes`].
    pub key_bytes: Option<KeyBytes>,
    /// [`ClientBuilder::max_key_length`], in bytes.
    pub max_key_length: Option<usize>,
    /// [`ClientBuilder::queue_keys`].
    pub queue_keys: Option<bool>,
    /// [`ClientBuilder::tcp_nodelay`].
    pub tcp_nodelay: Option<bool>,
    /// [`ClientBuilder::max_connections`].
    pub max_connections: Option<usize>,
    /// [`ClientBuilder::max_idle_connections`].
    pub max_idle_connections: Option<usize>,
    /// [`ClientBuilder::idle_timeout`].
    pub idle_timeout: Option<Duration>,
    /// [`ClientBuilder::failure_policy`].
    pub failure_policy: Option<FailurePolicy>,
    /// [`ClientBuilder::max_back_off`].
    pub max_back_off: Option<Duration>,
}

impl Config {
    /// The client. Nothing is connected.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`], which name the field and what is allowed.
    pub fn client(&self) -> Result<Client> {
        self.builder().build()
    }

    /// The builder with these settings, for those that are not data: a program's own locator, or
    /// its own transcoder.
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
        /// Calls the setter, if there is something to set.
        fn give<T>(
            builder: ClientBuilder,
            value: Option<T>,
            set: impl FnOnce(ClientBuilder, T) -> ClientBuilder,
        ) -> ClientBuilder {
            match value {
                Some(value) => set(builder, value),
                None => builder,
            }
        }
        type Builder = ClientBuilder;
        let on = |switch: bool| switch.then_some(());

        let builder = Client::builder().servers(&self.servers);
        let builder = give(builder, self.compatible_with, Builder::compatible_with);
        let builder = give(builder, self.distribution, Builder::distribution);
        let builder = give(builder, self.hash, Builder::hash);
        let builder = give(builder, self.hash_tag, Builder::hash_tag);
        let builder = give(builder, on(self.resolve_names), |builder, ()| {
            builder.resolve_names()
        });
        let builder = give(builder, self.format, Builder::format);
        let builder = give(builder, self.compression, Builder::compression);
        let builder = give(
            builder,
            self.max_decompressed_size,
            Builder::max_decompressed_size,
        );
        let builder = give(builder, self.timeout, Builder::timeout);
        let builder = give(builder, self.connect_timeout, Builder::connect_timeout);
        let builder = give(builder, self.max_value_size, Builder::max_value_size);
        let builder = give(builder, self.max_read_size, Builder::max_read_size);
        let builder = give(builder, self.max_line_size, Builder::max_line_size);
        let builder = give(builder, self.max_keys_per_get, Builder::max_keys_per_get);
        let builder = give(builder, self.protocol, Builder::protocol);
        // One without the other is refused, as an empty one is.
        let credentials = (self.username.is_some() || self.password.is_some()).then(|| {
            let text = |part: &Option<Secret>| part.as_ref().map_or("", Secret::reveal).to_owned();
            (text(&self.username), text(&self.password))
        });
        let builder = give(builder, credentials, |builder, (username, password)| {
            builder.credentials(username, password)
        });
        let builder = give(builder, self.tls_settings(), Builder::tls);
        let builder = give(builder, self.prefix.as_ref(), Builder::prefix);
        let builder = give(builder, self.prefix_placement, Builder::prefix_placement);
        let builder = give(builder, self.key_transform, Builder::key_transform);
        let builder = give(builder, on(self.binary_keys), |builder, ()| {
            builder.binary_keys()
        });
        let builder = give(builder, self.key_bytes, Builder::key_bytes);
        let builder = give(builder, self.max_key_length, Builder::max_key_length);
        let builder = give(builder, self.queue_keys, Builder::queue_keys);
        let builder = give(builder, self.tcp_nodelay, Builder::tcp_nodelay);
        let builder = give(builder, self.max_connections, Builder::max_connections);
        let builder = give(
            builder,
            self.max_idle_connections,
            Builder::max_idle_connections,
        );
        let builder = give(builder, self.idle_timeout, Builder::idle_timeout);
        let builder = give(builder, self.failure_policy, Builder::failure_policy);
        give(builder, self.max_back_off, Builder::max_back_off)
    }

    fn tls_settings(&self) -> Option<Tls> {
        let Self {
            tls,
            tls_roots,
            tls_pinned,
            tls_certificate,
            tls_key,
            tls_server_name,
            ..
        } = self;
        let files = [tls_roots, tls_pinned, tls_certificate, tls_key];
        if !tls && files == [&None; 4] && tls_server_name.is_none() {
            return None;
        }
        let mut tls = Tls::new();
        if let Some(path) = tls_roots {
            tls = tls.root_certificates_file(path);
        }
        if let Some(path) = tls_pinned {
            tls = tls.pinned_certificates_file(path);
        }
        if let Some(path) = tls_certificate {
            tls = tls.certificate_file(path);
        }
        if let Some(path) = tls_key {
            tls = tls.key_file(path);
        }
        if let Some(name) = tls_server_name {
            tls = tls.server_name(name);
        }
        Some(tls)
    }
}
