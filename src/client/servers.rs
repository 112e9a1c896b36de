use super::Client;
use super::call;
use crate::address::IntoServers;
use crate::conn::{Batch, ErrorCounts, Latency, ReplyHandler, SingleReply};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::key::Scratch;
use crate::middleware::Backend;
use crate::protocol::{Line, Malformed, Reply, Request, StatsArguments};
use crate::route::{Topology, scatter};
use crate::stats::Stats;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// # Servers
impl Client {
    /// Returns the servers, `host:port` each or the path of a unix socket, in the order in which they were
    /// given; one that the list has twice, once.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        let topology = self.shared.topology();
        let names = topology.backends().map(Backend::name);
        names.map(str::to_owned).collect()
    }

    /// The servers and their weights, each as often as it was given.
    pub(crate) fn weighted_servers(&self) -> Vec<(String, u32)> {
        let topology = self.shared.topology();
        topology.listed().collect()
    }

    /// The list of servers, by its number, if it replaced another and [`begin_list`](Self::begin_list)
    /// was not called for it yet: what is on these servers may be from before, when some of them were
    /// in the list already. All clients with the same prefix and connections have this in common.
    pub(crate) fn list_to_begin(&self) -> Option<u64> {
        let changes = self.shared.topology().changes();
        if changes == 0 {
            return None;
        }
        let begun = self.shared.begun.lock();
        let begun = begun.unwrap_or_else(PoisonError::into_inner);
        (begun.get(self.prefix()) != Some(&changes)).then_some(changes)
    }

    /// Nothing that was there before the list with this number is used any more.
    pub(crate) fn begin_list(&self, number: u64) {
        let begun = self.shared.begun.lock();
        let mut begun = begun.unwrap_or_else(PoisonError::into_inner);
        let last = begun.entry(self.prefix().to_owned()).or_default();
        *last = number.max(*last);
    }

    /// The server that `key` belongs to, one of [`servers`](Self::servers). Pure arithmetic: the
    /// server need not exist.
    ///
    /// # Errors
    ///
    /// A validation error if `key` is not one.
    ///
    /// ```
    /// let client = moecache::Client::new(["10.0.0.1:11211", "10.0.0.2:11211"])?;
    /// assert_eq!(client.server_for("key1")?, "10.0.0.2:11211");
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn server_for(&self, key: impl AsRef<[u8]>) -> Result<String> {
        let mut scratch = Scratch::default();
        let key = self.key(key.as_ref(), &mut scratch);
        let server = key.and_then(|key| {
            let topology = self.shared.topology();
            Ok(topology.backend_of(key)?.name().to_owned())
        });
        server.map_err(|error| error.during("server_for"))
    }

    /// Connects to all servers at the same time, so that the first calls need not; within the timeout. It
    /// is not necessary: a call that finds no connection makes one, now and after [`close`](Self::close).
    ///
    /// Each is asked for its version, since one that only takes connections is of no use; one that
    /// answers is connected, whether it knows the command or not. As [`ping`](Self::ping) it tries a
    /// server that [is down](crate::Error::is_down), too.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// let client = moecache::Client::new(&server)?;
    /// assert!(!client.is_connected());
    /// for server in client.connect() {
    ///     server.result?;
    /// }
    /// assert!(client.is_connected());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Each server has its own: that of the connection, of an answer that does not come, of a server that
    /// [does not let it in](crate::Error::is_authentication).
    #[must_use = "servers may have failed"]
    pub fn connect(&self) -> Vec<PerServer<()>> {
        self.each_server("connect", &Request::Version, |reply, _| match reply {
            Reply::Refused(refused) if refused.wants_credentials() => {
                Err(call::server_error(&refused))
            }
            _ => Ok(()),
        })
    }

    /// Whether there is a connection to every server: idle, in use, or being made. Nothing is sent, and
    /// nothing looked at: a server may have closed it since, which the next call finds out.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let topology = self.shared.topology();
        topology.backends().all(Backend::is_connected)
    }

    /// Goes on with another list of servers, in all clones: those that are in both lists, spelt the
    /// same, keep their connections; those that are only in the old one are closed, as
    /// [`close`](Self::close) does it. A call that has begun ends with the servers that it began with.
    ///
    /// Everything else stays as it was set up. Which keys move, is a matter of the
    /// [`Distribution`](crate::Distribution): `mc ring diff` among the examples counts them. The
    /// values of those that do stay where they were, unseen, until they expire; and **turn up again,
    /// stale,** if the old list comes back before. A [`Cache`](crate::cache::Cache) does not take them:
    /// see [there](crate::cache#another-list-of-servers).
    ///
    /// ```
    /// # let [a, b, c] = [(); 3].map(|()| moecache::testing::Server::start().unwrap());
    /// # let (a, b, c) = (&a, &b, &c);
    /// let client = moecache::Client::new([a, b])?;
    /// client.set("key", "value", 0)?;
    /// client.set_servers([a, b, c])?; // one more
    /// assert_eq!(client.servers().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`](crate::ClientBuilder::build) that concern servers; the list
    /// is then the old one. With [`resolve_names`](crate::ClientBuilder::resolve_names) names are
    /// looked up first, where the distribution hashes addresses.
    pub fn set_servers(&self, servers: impl IntoServers) -> Result<()> {
        let shared = &*self.shared;
        // One at a time; calls go on meanwhile.
        let changing = shared
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = shared.topology();
        let servers = servers.into_servers();
        let new = Topology::new(
            &servers,
            &shared.placement,
            self.policy,
            &shared.options,
            &shared.middleware,
            Some(&old),
        );
        let new = Arc::new(new.map_err(|error| error.during("set_servers"))?);
        *shared
            .topology
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        drop(changing); // Whoever is told of what is closed now finds no lock held.
        old.close_all_but(&new);
        Ok(())
    }
}

/// What one server of several answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct PerServer<T> {
    /// The server, as in [`Client::servers`]: `host:port`, or the path of a unix socket.
    pub server: String,
    /// Its answer, or why there is none.
    pub result: Result<T>,
}

/// What one server answered to [`Client::stats`].
pub type ServerStats = PerServer<Stats>;

/// # All servers
impl Client {
    /// The general statistics of all servers, in list order. All are asked at the same time, so this
    /// takes as long as the slowest; one that fails does not hide the others.
    ///
    /// [`Stats::total`] adds them up:
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// use moecache::Stats;
    ///
    /// let servers = client.stats()?;
    /// let answered = servers.iter().filter_map(|server| server.result.as_ref().ok());
    /// assert_eq!(Stats::total(answered).curr_items(), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None as a whole; each server has its own.
    pub fn stats(&self) -> Result<Vec<ServerStats>> {
        self.stats_of("")
    }

    /// What `stats` followed by `arguments` gives: `"settings"`, `"items"`, `"slabs"`, `"sizes"`,
    /// `"conns"`, `"reset"`, `"detail on"`, `"detail dump"` and so on. Arguments that a server does
    /// not know are its error.
    ///
    /// # Errors
    ///
    /// A validation error if `arguments` holds anything but printable ASCII and spaces, or is longer
    /// than 250 bytes. Each server has its own error besides.
    pub fn stats_of(&self, arguments: &str) -> Result<Vec<ServerStats>> {
        let arguments = StatsArguments::new(arguments).map_err(|error| error.during("stats"))?;
        let request = Request::Stats { arguments };
        Ok(self.each_server("stats", &request, |reply, _| {
            let (lines, end) = reply.split();
            call::done(end)?;
            let mut stats = Stats::default();
            for line in lines {
                if let Line::Stat { name, value } = line {
                    stats.push(&name, &value);
                }
            }
            Ok(stats)
        }))
    }

    /// Lets everything that all servers hold expire: at once, or after `delay` seconds. What is
    /// stored until then goes as well, and what is not below the client's
    /// [prefix](Self::with_prefix): servers know of none.
    ///
    /// `delay` is an expiry as for an item, with [`Expiry::Never`] for at once. (memcached 1.6.18
    /// takes a delay of one second for "at once" too.)
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// use moecache::Expiry;
    ///
    /// client.set("key", "value", 0)?;
    /// for server in client.flush_all(Expiry::Never) {
    ///     server.result?;
    /// }
    /// assert_eq!(client.get::<String>("key")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Each server has its own. A delay that cannot be sent is a validation error of every server, and
    /// nothing is sent.
    #[must_use = "servers may have failed"]
    pub fn flush_all(&self, delay: impl Into<Expiry>) -> Vec<PerServer<()>> {
        let delay = match delay.into().to_wire(SystemTime::now()) {
            Ok(delay) => delay,
            Err(error) => return self.each_refused(&Error::from(error).during("flush_all")),
        };
        let request = Request::FlushAll { delay };
        self.each_server("flush_all", &request, |reply, _| call::done(reply))
    }

    /// The version of each server, as it says it: `"1.6.18"`.
    ///
    /// # Errors
    ///
    /// Each server has its own.
    #[must_use]
    pub fn version(&self) -> Vec<PerServer<String>> {
        self.each_server("version", &Request::Version, |reply, _| match reply {
            Reply::Version(version) => Ok(String::from_utf8_lossy(&version).into_owned()),
            reply => Err(call::unexpected(reply)),
        })
    }

    /// How much all servers write into their logs: 0 errors only, 1 warnings, 2 every command and
    /// reply, and more above.
    ///
    /// # Errors
    ///
    /// Each server has its own: [unsupported](Error::is_unsupported) in the binary protocol, whose
    /// verbosity command makes memcached 1.6 lose its place in what it is sent.
    #[must_use]
    pub fn verbosity(&self, level: u32) -> Vec<PerServer<()>> {
        let request = Request::Verbosity { level };
        self.each_server("verbosity", &request, |reply, _| call::done(reply))
    }

    /// Connects to all servers at the same time and asks each for its version; tells how long each
    /// took. A server that answers, even if it does not know the command, is alive. As all calls that
    /// are about servers, it tries one that [is down](Error::is_down), too; if that answers, it is up
    /// again for all calls.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// for server in client.ping() {
    ///     println!("{}: {:?}", server.server, server.result);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ping(&self) -> Vec<PerServer<Duration>> {
        self.each_server("ping", &Request::Version, |_, took| Ok(took))
    }

    /// What is sent to no server.
    fn each_refused<T>(&self, error: &Error) -> Vec<PerServer<T>> {
        let refused = |server| PerServer {
            server,
            result: Err(error.clone()),
        };
        self.servers().into_iter().map(refused).collect()
    }

    /// Sends `request` to every server at the same time, each with the whole timeout, and gives the
    /// meaning of its reply and how long that took.
    fn each_server<T>(
        &self,
        operation: &'static str,
        request: &Request<'_>,
        meaning: impl Fn(Reply<'static>, Duration) -> Result<T>,
    ) -> Vec<PerServer<T>> {
        let topology = self.shared.topology();
        let batch = |first| Batch {
            first,
            bypasses_breaker: true,
            ..Batch::of(request)
        };
        let batches: Vec<_> = topology.backends().zip((0..).map(batch)).collect();
        let mut timed = Timed {
            started: Instant::now(),
            replies: batches.iter().map(|_| <_>::default()).collect(),
        };
        scatter(&batches, &mut timed, self.deadline());
        let replies = topology.backends().zip(timed.replies);
        let results = replies.map(|(backend, (mut reply, took))| PerServer {
            server: backend.name().to_owned(),
            result: (reply.take())
                .and_then(|reply| meaning(reply, took))
                .map_err(|error| error.on(backend.name()).during(operation)),
        });
        results.collect()
    }
}

/// The reply of each server, and how long it took.
struct Timed {
    started: Instant,
    replies: Vec<(SingleReply, Duration)>,
}

impl ReplyHandler for Timed {
    fn line(&mut self, index: usize, line: Line<'_>) -> Result<(), Malformed> {
        self.replies[index].0.line(index, line)
    }

    fn reply(&mut self, index: usize, reply: Result<Reply<'_>>) {
        let (single, took) = &mut self.replies[index];
        single.reply(index, reply);
        *took = self.started.elapsed();
    }
}

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
    /// it. With [middleware](crate::middleware), what that passes on is counted instead.
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
        topology.backends().map(metrics).collect()
    }
}

fn metrics(backend: &Backend) -> ServerMetrics {
    let snapshot = backend.pool().snapshot();
    let totals = &snapshot.totals;
    ServerMetrics {
        server: backend.name().to_owned(),
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
