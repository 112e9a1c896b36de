use super::ClientBuilder;
use crate::middleware::Middleware;
use std::sync::Arc;

/// # Connections
impl ClientBuilder {
    /// Adds [middleware](crate::middleware) between the client and its servers, behind what was added
    /// before. Default: none.
    ///
    /// [`metrics`](crate::Client::metrics) and [`on_event`](Self::on_event) tell what is passed on to the
    /// servers. A call for one server runs the middleware in its own thread, one for several in a thread
    /// for each.
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.0.push(Arc::new(middleware));
        self
    }

    /// Whether what is written is sent at once, `TCP_NODELAY`. Default: `true`. Without it Nagle's
    /// algorithm (RFC 896) has the kernel hold back a short packet until the one before it is
    /// acknowledged, which the server may delay by 40 ms and more: a call is one write as a rule, and
    /// then nothing is held back; but large values and many commands are written in parts. It says
    /// nothing of unix sockets.
    pub fn tcp_nodelay(mut self, on: bool) -> Self {
        self.tcp_nodelay = on;
        self
    }

    /// Takes values from queue servers that answer to the name of a queue where they were asked to do
    /// something with it. kestrel and darner read `get jobs/t=500` as: wait up to 500 ms for an item of
    /// `jobs`; and answer with `VALUE jobs 0 5`. Without this, that is the value of another key, and a
    /// [protocol error](crate::Error::is_protocol). Default: `false`.
    ///
    /// It goes for the text protocol, which is all that they speak; and each key is then asked for by a
    /// `get` line of its own. What they have no command for they answer with `ERROR`, or by closing the
    /// connection; either is an error of the call alone.
    ///
    /// Such a server gives an item that was `open`ed to one connection, which must `close` or `abort` it
    /// too: use a client with [`max_connections(1)`](Self::max_connections) in one thread for that. Its
    /// `get` removes what it gives: an item can be lost with its connection. And a wait in a key is part of
    /// the [`timeout`](Self::timeout), which must be longer.
    ///
    /// ```
    /// use moecache::Client;
    /// use std::time::Duration;
    ///
    /// let queues = Client::builder()
    ///     .servers("10.0.0.1:22133")
    ///     .queue_keys(true)
    ///     .max_connections(1)
    ///     .timeout(Duration::from_secs(5))
    ///     .build()?;
    /// # let work = || -> moecache::Result<()> {
    /// while let Some(job) = queues.get_item("jobs/t=1000/open")? {
    ///     println!("{} bytes", job.data.len());
    ///     queues.get_item("jobs/close")?;
    /// }
    /// # Ok(()) };
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn queue_keys(mut self, on: bool) -> Self {
        self.queue_keys = on;
        self
    }
}
