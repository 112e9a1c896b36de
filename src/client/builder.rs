use super::{Client, Shared};
use crate::conn::Options;
use crate::error::{Error, Result};
use crate::item::MAX_VALUE_SIZE;
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
        let options = Options {
            connect_timeout: self.connect_timeout,
            max_read: self.max_read_size,
        };
        let topology = Topology::new(&self.servers, self.distribution, options)?;
        let shared = Shared {
            topology,
            transcoder: Box::new(Enyim),
            max_value_size: self.max_value_size,
        };
        Ok(Client {
            shared: Arc::new(shared),
            timeout: self.timeout,
        })
    }
}
