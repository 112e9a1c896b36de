use super::ClientBuilder;
use crate::driver::{Driver, MakeDriver};
use crate::locator::Node;
use std::sync::Arc;

/// # Connections
impl ClientBuilder {
    /// Puts a driver of the program's own between the client and each server: see [`driver`](crate::driver),
    /// which has an example. `make` is given the server and the built-in driver, and gives the one that
    /// is used; [`build`](Self::build) asks it for each server, and so does
    /// [`set_servers`](crate::Client::set_servers) for each that is new. Default: the built-in ones, which
    /// nothing stands in front of.
    ///
    /// [`metrics`](crate::Client::metrics) and [`on_event`](Self::on_event) tell what the built-in driver
    /// does, if it is used. A call for one server runs its driver in its own thread, one for several in a
    /// thread for each.
    pub fn driver(
        mut self,
        make: impl Fn(&Node, Arc<dyn Driver>) -> Arc<dyn Driver> + Send + Sync + 'static,
    ) -> Self {
        self.driver = Some(MakeDriver(Arc::new(make)));
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
