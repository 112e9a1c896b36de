use super::Client;
use crate::conn::{Driver, ErrorCounts, Latency};

/// What was done with one server since the client began to use it: what
/// [`Client::metrics`] gives.
///
/// All but `connections_open` and `connections_idle` only ever grow. A call is counted when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerMetrics {
    /// The server, as in [`Client::servers`].
    pub server: String,
    /// Requests that were answered, or failed. Each key of a call for many is one; so is a call that takes
    /// several, such as [`update`](Client::update), and a list of [`keys`](Client::keys), as what came of
    /// it. With a [driver](crate::ClientBuilder::driver) of the program's own, what that passes on is
    /// counted instead.
    pub operations: u64,
    /// Of those that read an item ([`get`](Client::get), [`gets`](Client::gets),
    /// [`get_and_touch`](Client::get_and_touch), [`meta_get`](Client::meta_get), and for many keys):
    /// those that got one.
    pub hits: u64,
    /// And those that were told that there is none.
    pub misses: u64,
    /// Those that failed.
    pub errors: ErrorCounts,
    /// Of those, the ones that the caller saw as a miss: [`Event::Missed`](crate::Event::Missed).
    pub missed: u64,
    /// Bytes of the memcached protocol, those of requests that failed included.
    pub bytes_sent: u64,
    /// The same of replies.
    pub bytes_received: u64,
    /// Connections at this moment: in use, being made, or idle.
    pub connections_open: usize,
    /// Connections at this moment that wait for the next call.
    pub connections_idle: usize,
    /// Connections that were made.
    pub connections_made: u64,
    /// How often requests were sent again: [`Event::Retried`](crate::Event::Retried).
    pub retries: u64,
    /// How long it took.
    pub latency: Latency,
}

/// # Metrics
impl Client {
    /// What was done with each server, in the order of [`servers`](Self::servers), by all clones of
    /// the client. Nothing is sent.
    ///
    /// It counts from when the server came into the list; [`set_servers`](Self::set_servers) goes on
    /// counting for those that stay.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// let client = moecache::Client::new(&server)?;
    /// client.set("key", "value", 60)?;
    /// client.get::<String>("key")?;
    /// client.get::<String>("other")?;
    /// for server in client.metrics() {
    ///     println!("{}: p99 {:?}", server.server, server.latency.p99);
    ///     assert_eq!((server.operations, server.hits, server.misses), (3, 1, 1));
    ///     assert_eq!(server.errors.total(), 0);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Vec<ServerMetrics> {
        let topology = self.shared.topology();
        topology.drivers().map(metrics).collect()
    }
}

fn metrics(driver: &dyn Driver) -> ServerMetrics {
    let snapshot = driver.snapshot();
    let totals = &snapshot.totals;
    ServerMetrics {
        server: driver.name().to_owned(),
        operations: totals.operations,
        hits: totals.hits,
        misses: totals.misses,
        errors: totals.errors,
        missed: totals.missed,
        bytes_sent: totals.sent,
        bytes_received: totals.received,
        connections_open: snapshot.open,
        connections_idle: snapshot.idle,
        connections_made: totals.made,
        retries: totals.retries,
        latency: snapshot.latency(),
    }
}
