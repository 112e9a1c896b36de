use super::{Client, Shared};
use crate::conn::{Options, Protocol};
use crate::error::{Error, Result};
use crate::item::MAX_VALUE_SIZE;
use crate::key::KeyRule;
use crate::locator::Distribution;
use crate::route::Topology;
use crate::server::{IntoServers, Server};
use crate::value::Enyim;
use std::sync::Arc;
use std::time::Duration;

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
    distribution: Distribution,
    timeout: Duration,
    connect_timeout: Option<Duration>,
    max_value_size: usize,
    max_read_size: usize,
    protocol: Protocol,
    binary_keys: bool,
    max_connections: usize,
    max_idle_connections: Option<usize>,
    idle_timeout: Duration,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            distribution: Distribution::default(),
            timeout: Duration::from_secs(1),
            connect_timeout: None,
            max_value_size: MAX_VALUE_SIZE,
            max_read_size: 1 << 30,
            protocol: Protocol::default(),
            binary_keys: false,
            max_connections: 256,
            max_idle_connections: None,
            idle_timeout: Duration::from_secs(60),
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

    /// How keys are spread over the servers. Default: [`Distribution::Moecache`].
    pub fn distribution(mut self, distribution: Distribution) -> Self {
        self.distribution = distribution;
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

    /// Which of memcached's protocols is spoken. Default: [`Protocol::Text`].
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Allows any bytes in a key, not only printable ASCII. For [`Protocol::Meta`], which sends keys
    /// that need it in base64, and allows them 186 bytes; and for [`Protocol::Binary`], which allows
    /// 250. The servers must be memcached 1.6.18 or later, or speak the binary protocol.
    ///
    /// Such a key has its place on the ring by its bytes.
    pub fn binary_keys(mut self) -> Self {
        self.binary_keys = true;
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

    /// The client. Nothing is resolved or connected.
    ///
    /// # Errors
    ///
    /// A validation error that names the setting and what is allowed.
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
        let key_rule = match (self.binary_keys, self.protocol) {
            (false, _) => KeyRule::Printable,
            (true, Protocol::Meta) => KeyRule::Base64,
            (true, Protocol::Binary) => KeyRule::Counted,
            (true, protocol) => {
                return Err(Error::validation(format!(
                    "binary_keys: not possible with the protocol {protocol}; choose meta or binary"
                )));
            }
        };
        let options = Options {
            protocol: self.protocol,
            connect_timeout: self.connect_timeout,
            max_read: self.max_read_size,
            max_connections: self.max_connections,
            max_idle: self.max_idle_connections.unwrap_or(usize::MAX),
            idle_timeout: self.idle_timeout,
        };
        let topology = Topology::new(&self.servers, self.distribution, options)?;
        let shared = Shared {
            topology,
            key_rule,
            protocol: self.protocol,
            transcoder: Box::new(Enyim),
            max_value_size: self.max_value_size,
        };
        Ok(Client {
            shared: Arc::new(shared),
            timeout: self.timeout,
        })
    }
}
