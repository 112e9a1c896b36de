use super::Cache;
use super::generation::{Scope, reached, renew};
use super::key::{self, CacheKey};
use crate::error::Result;
use crate::stats::Stats;
use serde::Serialize;

/// # Invalidating
///
/// Each is one command, however many entries it concerns, and wins over whatever is being made with what
/// was there before. `false`: a server failed, and what is to be gone may be back with it.
impl Cache {
    /// Removes the entry of `key`.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate(&self, key: impl CacheKey) -> Result<bool> {
        let key = self.entry(key).into_key();
        let deleted = key.and_then(|key| reached(self.client.delete(key)));
        let deleted = deleted.map_err(|error| error.of("invalidate"))?;
        Ok(deleted.is_some())
    }

    /// Invalidates all entries of this namespace.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// let pages = cache.in_namespace("pages")?;
    /// pages.set(1, "a page")?;
    /// assert!(pages.invalidate_namespace()?);
    /// assert_eq!(pages.query::<String>(1)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_namespace(&self) -> Result<bool> {
        renew(&self.client, Scope::Namespace(&self.namespace))
    }

    /// Invalidates the entries of all namespaces: of every cache on these servers whose client has the
    /// same [prefix](crate::Client::with_prefix). What else is on the servers stays.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_all(&self) -> Result<bool> {
        renew(&self.client, Scope::All)
    }

    /// Invalidates what [depends](super::Entry::depends_on) on this, in all namespaces.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_dependency(&self, dependency: impl Serialize) -> Result<bool> {
        let hash = key::hash(&dependency);
        let hash = hash.map_err(|error| error.of("invalidate"))?;
        renew(&self.client, Scope::Dependency(hash))
    }
}

/// # Statistics
impl Cache {
    /// The statistics of the servers that answer: `host:port (weight)`, and what the server counts. They
    /// are those of all that is on the servers.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// for (server, stats) in cache.statistics()? {
    ///     println!("{server}: {:?} items", stats.curr_items()); // 127.0.0.1:11211 (1): Some(0) items
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn statistics(&self) -> Result<Vec<(String, Stats)>> {
        let weights = self.client.weighted_servers();
        let mut statistics = Vec::with_capacity(weights.len());
        for server in self.client.stats()? {
            let mut weights = weights.iter();
            let weight = weights.find(|(name, _)| *name == server.server);
            if let (Some(stats), Some((name, weight))) = (reached(server.result)?, weight) {
                statistics.push((format!("{name} ({weight})"), stats));
            }
        }
        Ok(statistics)
    }
}
