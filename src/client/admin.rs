use super::Client;
use super::answer::{Answer, One};
use crate::conn::{Batch, Driver, Sink};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::protocol::{Line, Malformed, Reply, Request, StatsArguments};
use crate::route::scatter;
use crate::stats::Stats;
use std::time::{Duration, Instant, SystemTime};

/// The largest reply to `stats` that is taken, in bytes of memory. `stats conns` of a server with
/// 100,000 connections is half of it.
const MAX_STATS: usize = 128 << 20;

/// What a line takes in memory besides its bytes: two strings, and what the allocator adds to each.
const PER_LINE: usize = 2 * (size_of::<String>() + 32);

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
        Ok(
            self.each_server("stats", &request, |answer, lines, driver| {
                answer.done(driver).map(|()| lines.stats)
            }),
        )
    }

    /// Sets the counters of all servers back to 0: `stats reset`.
    ///
    /// # Errors
    ///
    /// Each server has its own.
    #[must_use]
    pub fn reset_stats(&self) -> Vec<PerServer<()>> {
        let request = Request::Stats {
            arguments: StatsArguments::RESET,
        };
        self.each_server("stats reset", &request, |answer, _, driver| {
            answer.done(driver)
        })
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
        self.each_server("flush_all", &request, |answer, _, driver| {
            answer.done(driver)
        })
    }

    /// The version of each server, as it says it: `"1.6.18"`.
    ///
    /// # Errors
    ///
    /// Each server has its own.
    #[must_use]
    pub fn version(&self) -> Vec<PerServer<String>> {
        self.each_server(
            "version",
            &Request::Version,
            |answer, _, driver| match answer {
                Answer::Version(version) => Ok(version),
                answer => Err(answer.into_error(driver)),
            },
        )
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
        self.each_server("verbosity", &request, |answer, _, driver| {
            answer.done(driver)
        })
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
        self.each_server("ping", &Request::Version, |_, lines, _| Ok(lines.took))
    }

    /// What is sent to no server.
    fn each_refused<T>(&self, error: &Error) -> Vec<PerServer<T>> {
        let refused = |server| PerServer {
            server,
            result: Err(error.clone()),
        };
        self.servers().into_iter().map(refused).collect()
    }

    /// Sends `request` to every server at the same time, each with the whole timeout, and gives what
    /// its answer and the lines before that mean.
    pub(super) fn each_server<T>(
        &self,
        operation: &'static str,
        request: &Request<'_>,
        meaning: impl Fn(Answer, Lines, &dyn Driver) -> Result<T>,
    ) -> Vec<PerServer<T>> {
        let topology = self.shared.topology();
        let drivers: Vec<&dyn Driver> = topology.drivers().collect();
        let batch = |first| Batch {
            first,
            insists: true,
            ..Batch::of(request)
        };
        let batches: Vec<_> = drivers.iter().copied().zip((0..).map(batch)).collect();
        let mut all = All {
            started: Instant::now(),
            servers: drivers.iter().map(|_| Asked::default()).collect(),
        };
        scatter(&batches, &mut all, self.deadline());
        let asked = drivers.into_iter().zip(all.servers);
        let results = asked.map(|(driver, mut asked)| PerServer {
            server: driver.name().to_owned(),
            result: (asked.one.take())
                .and_then(|answer| meaning(answer, asked.lines, driver))
                .map_err(|error| error.during(operation)),
        });
        results.collect()
    }
}

/// What comes from all servers.
struct All {
    started: Instant,
    servers: Vec<Asked>,
}

/// What comes from one.
#[derive(Default)]
struct Asked {
    one: One,
    lines: Lines,
}

impl Sink for All {
    fn line(&mut self, index: usize, line: Line<'_>) -> Result<(), Malformed> {
        match line {
            Line::Stat { name, value } => self.servers[index].lines.push(&name, &value),
            Line::Item(_) => Ok(()),
        }
    }

    fn reply(&mut self, index: usize, reply: Result<Reply<'_>>) {
        let server = &mut self.servers[index];
        server.lines.took = self.started.elapsed();
        server.one.reply(0, reply);
    }
}

/// Collects the lines of a `stats` reply.
#[derive(Default)]
pub(super) struct Lines {
    stats: Stats,
    length: usize,
    /// How long it took until the last of them was there.
    took: Duration,
}

impl Lines {
    fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.length += name.len() + value.len() + PER_LINE;
        if self.length > MAX_STATS {
            return Err(Malformed::TooManyStats(MAX_STATS));
        }
        self.stats.push(name, value);
        Ok(())
    }
}
