use super::Client;
use super::single::refused;
use crate::conn::{Answer, Deadline, Pool, Sink};
use crate::error::{Error, Result};
use crate::protocol::{Malformed, Request, StatsArguments};
use crate::stats::Stats;
use std::thread;
use std::time::{Duration, Instant};

/// The largest reply to `stats` that is taken, in bytes of memory. `stats conns` of a server with
/// 100,000 connections is half of it.
const MAX_STATS: usize = 128 << 20;

/// What a line takes in memory besides its bytes: two strings, and what the allocator adds to each.
const PER_LINE: usize = 2 * (size_of::<String>() + 32);

/// What one server of several answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct PerServer<T> {
    /// The server, `host:port`.
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
        Ok(self.each("stats", |pool, deadline| {
            let mut lines = Lines::default();
            match pool.exchange(&Request::Stats { arguments }, &mut lines, deadline)? {
                Answer::Status(_) => Ok(lines.stats),
                answer @ Answer::Refused(_) => Err(refused(&answer, pool)),
            }
        }))
    }

    /// Connects to all servers at the same time and asks each for its version; tells how long each
    /// took. A server that answers, even if it does not know the command, is alive.
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
        self.each("ping", |pool, deadline| {
            let started = Instant::now();
            pool.exchange(&Request::Version, &mut (), deadline)?;
            Ok(started.elapsed())
        })
    }

    /// Runs `ask` for every server at the same time, each with the whole timeout.
    ///
    /// In threads: a server that cannot be reached holds up its connect, and no other's. These calls
    /// are rare; no other call starts a thread, but to look up a host name.
    fn each<T: Send>(
        &self,
        operation: &'static str,
        ask: impl Fn(&Pool, Deadline) -> Result<T> + Sync,
    ) -> Vec<PerServer<T>> {
        let deadline = self.deadline();
        let ask = |pool| ask(pool, deadline).map_err(|error: Error| error.during(operation));
        let pools = self.shared.topology.pools();
        let results: Vec<Result<T>> = thread::scope(|scope| {
            let ask = &ask;
            let others: Vec<_> = (pools.iter().skip(1))
                .map(|pool| {
                    let spawned = thread::Builder::new().spawn_scoped(scope, move || ask(pool));
                    (pool, spawned)
                })
                .collect();
            let first = pools.iter().take(1).map(ask);
            let others = others.into_iter().map(|(pool, thread)| match thread {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // Out of threads: one after the other then.
                Err(_) => ask(pool),
            });
            first.chain(others).collect()
        });
        let servers = pools.iter().map(|pool| pool.name().to_owned());
        servers
            .zip(results)
            .map(|(server, result)| PerServer { server, result })
            .collect()
    }
}

/// Collects the lines of a `stats` reply.
#[derive(Default)]
struct Lines {
    stats: Stats,
    length: usize,
}

impl Sink for Lines {
    fn stat(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.length += name.len() + value.len() + PER_LINE;
        if self.length > MAX_STATS {
            return Err(Malformed::TooManyStats(MAX_STATS));
        }
        self.stats.push(name, value);
        Ok(())
    }
}
