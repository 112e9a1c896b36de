use super::ClientBuilder;
use std::time::Duration;

/// # Time and limits
///
/// How long a call may take, how large a value may be, how much a server may send, and how many
/// connections there are.
impl ClientBuilder {
    /// How long a call may take as a whole: resolution, connect, request and reply. Must be greater
    /// than zero; default: 1 second. [`Duration::MAX`] waits without end. The kernel's timers may add
    /// some milliseconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long resolution and connect may take, for all addresses that the name resolves to,
    /// together. Must be greater than zero; default: the timeout of the call, which they are part of.
    /// Where it is longer than that, a call that must connect may take both.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The largest value that this client stores, in bytes as they go over the wire. A larger one is
    /// a validation error, and nothing is sent. At most, and by default,
    /// [`MAX_VALUE_SIZE`](crate::MAX_VALUE_SIZE), 1 GiB: then the server decides (its `-I`, usually 1
    /// MiB), and has read the value for nothing, and **drops the old value** of the key.
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
    pub fn max_keys_per_get(mut self, count: usize) -> Self {
        self.max_keys_per_get = count;
        self
    }

    /// The most bytes that a value may have once it is decompressed: a small item must not fill the
    /// memory. A larger one is a decode error. Default: 64 MiB.
    pub fn max_decompressed_size(mut self, bytes: usize) -> Self {
        self.max_decompressed_size = bytes;
        self
    }

    /// The most connections to one server at a time, those that idle included. A call that needs
    /// another waits until one comes back; if none does by its deadline, it is a
    /// [timeout](crate::Error::is_timeout), and nothing was sent. At least 1; default: 256.
    /// (memcached itself takes 1,024 from all its clients, unless its `-c` says more.)
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
}
