use super::Client;
use super::admin::PerServer;
use super::answer::Answer;
use crate::address::IntoServers;
use crate::conn::Driver;
use crate::error::Result;
use crate::key::Scratch;
use crate::protocol::Request;
use crate::route::Topology;
use std::sync::{Arc, PoisonError};

/// # Servers
impl Client {
    /// The servers, `host:port` each or the path of a unix socket, in the order in which they
    /// were given.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        let topology = self.shared.topology();
        let names = topology.drivers().map(Driver::name);
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
            Ok(topology.driver_of(key)?.name().to_owned())
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
        self.each_server(
            "connect",
            &Request::Version,
            |answer, _, driver| match answer {
                Answer::Refused(error) if error.is_authentication() => Err(error.on(driver.name())),
                _ => Ok(()),
            },
        )
    }

    /// Whether there is a connection to every server: idle, in use, or being made. Nothing is sent, and
    /// nothing looked at: a server may have closed it since, which the next call finds out.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let topology = self.shared.topology();
        topology.drivers().all(Driver::is_connected)
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
